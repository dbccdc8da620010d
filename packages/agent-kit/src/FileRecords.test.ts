import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { newRecords, removeRecords, writeRecords } from "./FileRecords.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

const live = <A, E>(body: (fs: FileSystem.FileSystem, root: string) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const root = yield* Effect.flatMap(fs.makeTempDirectoryScoped(), fs.realPath)
    return yield* body(fs, root)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const textsOf = ({
  pieces
}: {
  readonly pieces: ReadonlyArray<{ file: string; from: number; data: Uint8Array }>
}) => pieces.map(({ data, file, from }) => [file, from, new TextDecoder().decode(data)])

describe("an agent's files of lines, copied as they grow", () => {
  it.live("W9, W10: what is new alone, whole lines alone; what was rewritten or cut is read anew", () =>
    live((fs, root) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${root}/a.jsonl`, "one\ntwo\nhal")
        const first = yield* newRecords(root, ["a.jsonl"], undefined)
        assert.isTrue(first.anew)
        assert.deepEqual(textsOf(first), [["a.jsonl", 0, "one\ntwo\n"]])
        yield* fs.writeFileString(`${root}/a.jsonl`, "f\nthree\n", { flag: "a" })
        yield* fs.writeFileString(`${root}/b.txt`, "a long result")
        const second = yield* newRecords(root, ["a.jsonl", "b.txt"], first.position)
        assert.isFalse(second.anew)
        assert.deepEqual(textsOf(second), [
          ["a.jsonl", 8, "half\nthree\n"],
          ["b.txt", 0, "a long result"]
        ])
        const third = yield* newRecords(root, ["a.jsonl", "b.txt"], second.position)
        assert.deepEqual(textsOf(third), [])
        // Compacted: longer than it was, and another one where it ended before.
        yield* fs.writeFileString(`${root}/a.jsonl`, "all of it in other words, and longer\nfour\n")
        const fourth = yield* newRecords(root, ["a.jsonl", "b.txt"], third.position)
        assert.isTrue(fourth.anew)
        assert.lengthOf(fourth.pieces, 2)
        yield* fs.writeFileString(`${root}/a.jsonl`, "cut\n")
        assert.isTrue((yield* newRecords(root, ["a.jsonl"], fourth.position)).anew)
      })
    )
  )

  it.live("a file larger than a piece comes in several, and is the same when it is put together", () =>
    live((fs, root) =>
      Effect.gen(function* () {
        const line = `${"é".repeat(300_000)}\n`
        yield* fs.writeFileString(`${root}/a.jsonl`, line.repeat(5))
        const { pieces } = yield* newRecords(root, ["a.jsonl"], undefined)
        assert.isAbove(pieces.length, 1)
        const whole = Buffer.concat(pieces.map(({ data }) => data))
        assert.isTrue(whole.equals(Buffer.from(line.repeat(5))))
        assert.deepEqual(
          pieces.map(({ from }) => from),
          pieces.map((_, i) => pieces.slice(0, i).reduce((sum, { data }) => sum + data.length, 0))
        )
      })
    )
  )
})

const isAny = () => true

describe("the files of a copy, put back", () => {
  it.live("W6: one that is where ours begins goes on as ours does, and is cut again as a whole", () =>
    live((fs, root) =>
      Effect.gen(function* () {
        const [path, other] = [`${root}/a.jsonl`, `${root}/b.jsonl`]
        yield* fs.writeFileString(path, "1\n")
        yield* fs.writeFileString(other, "1\n9\n")
        const files = new Map([
          ["a.jsonl", bytes("1\n2\n3\n")],
          ["b.jsonl", bytes("1\n2\n3\n")]
        ])
        const written = yield* writeRecords(root, files, isAny)
        assert.strictEqual(yield* fs.readFileString(path), "1\n2\n3\n")
        assert.strictEqual(yield* fs.readFileString(other), "1\n9\n", "it went on otherwise: it stays")
        yield* removeRecords(written)
        assert.strictEqual(yield* fs.readFileString(path), "1\n")
        assert.isString(yield* Effect.flip(writeRecords(root, files, (file) => file === "a.jsonl")))
        assert.strictEqual(
          yield* fs.readFileString(path),
          "1\n",
          "one name that is none of a record: nothing"
        )
      })
    )
  )

  it.live("W6, W14: in their places, over nothing that is there, and taken away again as a whole", () =>
    live((fs, root) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(`${root}/store/projects`, { recursive: true })
        yield* fs.writeFileString(`${root}/store/projects/parent.jsonl`, "newer\n")
        const files = new Map([
          ["projects/p/a.jsonl", bytes("é\n")],
          ["projects/parent.jsonl", bytes("older\n")]
        ])
        const written = yield* writeRecords(`${root}/store`, files, isAny)
        assert.deepEqual(written, [{ path: `${root}/store/projects/p/a.jsonl`, before: null }])
        assert.strictEqual(yield* fs.readFileString(`${root}/store/projects/p/a.jsonl`), "é\n")
        assert.strictEqual(yield* fs.readFileString(`${root}/store/projects/parent.jsonl`), "newer\n")
        assert.strictEqual((yield* fs.stat(`${root}/store/projects/p/a.jsonl`)).mode & 0o777, 0o600)
        yield* removeRecords(written)
        assert.deepEqual(yield* fs.readDirectory(`${root}/store/projects/p`), [])
      })
    )
  )

  it.live("a name that leads elsewhere, or a link on the way, writes nothing", () =>
    live((fs, root) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(`${root}/store`)
        yield* fs.makeDirectory(`${root}/outside`)
        yield* fs.symlink(`${root}/outside`, `${root}/store/link`)
        for (const name of [
          "../x.jsonl",
          "/etc/x.jsonl",
          "a/../../x.jsonl",
          "a//b.jsonl",
          "",
          "link/x.jsonl"
        ]) {
          const files = new Map([
            ["ok.jsonl", bytes("1\n")],
            [name, bytes("2\n")]
          ])
          assert.isString(yield* Effect.flip(writeRecords(`${root}/store`, files, isAny)))
          assert.deepEqual(yield* fs.readDirectory(`${root}/store`), ["link"], name)
          assert.deepEqual(yield* fs.readDirectory(`${root}/outside`), [])
        }
      })
    )
  )
})
