import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { execFileSync } from "node:child_process"
import { instructionsOf } from "./Instructions.ts"
import { contentAt, textWithin } from "./RepoFiles.ts"

const within = <A, E>(body: (fs: FileSystem.FileSystem, root: string) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const root = yield* Effect.flatMap(fs.makeTempDirectoryScoped(), fs.realPath)
    yield* fs.makeDirectory(`${root}/repo`)
    return yield* body(fs, root)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

describe("a repository's files are somebody else's", () => {
  it.effect("law 4: a link out of it is not read, nor what has no end or waits for somebody", () =>
    within((fs, root) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${root}/token`, "secret")
        yield* fs.writeFileString(`${root}/repo/docs.md`, "told")
        execFileSync("mkfifo", [`${root}/repo/pipe`])
        const links = [
          [`${root}/token`, "unreadable"],
          ["../token", "unreadable"],
          ["/proc/self/environ", "unreadable"],
          ["/dev/zero", "unreadable"],
          ["/dev/ptmx", "unreadable"],
          ["pipe", "unreadable"],
          [".", "unreadable"],
          ["nowhere", "absent"],
          ["AGENTS.md", "unreadable"],
          ["docs.md", { text: "told" }]
        ] as const
        for (const [to, expected] of links) {
          yield* fs.symlink(to, `${root}/repo/AGENTS.md`)
          assert.deepEqual(yield* textWithin(`${root}/repo/AGENTS.md`, `${root}/repo`), expected, to)
          const told = yield* instructionsOf(fs, `${root}/repo`, ["AGENTS.md"])
          assert.strictEqual(told?.includes("told") ?? false, typeof expected === "object", to)
          yield* fs.remove(`${root}/repo/AGENTS.md`)
        }
      })
    )
  )

  it.effect(
    "a directory is what is in it, what its links lead to included; a link to nothing is not nothing",
    () =>
      within((fs, root) =>
        Effect.gen(function* () {
          const plugins = `${root}/repo/plugins`
          const seen: Array<unknown> = []
          const look = Effect.gen(function* () {
            const found = yield* contentAt(plugins)
            seen.push(typeof found === "string" ? found : found.hash)
          })
          yield* look
          yield* fs.makeDirectory(plugins)
          yield* look
          assert.deepEqual(seen, ["absent", "absent"])
          yield* fs.symlink(`${root}/later`, `${plugins}/a`)
          yield* look
          yield* fs.makeDirectory(`${root}/later`)
          // Round and round, once.
          yield* fs.symlink(plugins, `${root}/later/again`)
          yield* fs.writeFileString(`${root}/later/x.js`, "1")
          yield* look
          yield* fs.writeFileString(`${root}/later/x.js`, "2")
          yield* look
          assert.strictEqual(new Set(seen).size, 4)
          assert.notInclude(seen.slice(2), "absent")
          yield* fs.symlink("/", `${plugins}/everything`)
          assert.strictEqual(yield* contentAt(plugins), "unreadable")
        })
      )
  )
})
