import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { live, tagOf } from "./testing/Served.ts"
import { fitting } from "./WorkingTrees.ts"

describe("what a checkout has beside its last commit", () => {
  it.live("is told line by line, whatever the files are called, and nothing of the repository's is run", () =>
    live(({ client, cwd, root }) =>
      Effect.gen(function* () {
        const git = (...args: ReadonlyArray<string>) =>
          execFileSync("git", ["-c", "user.email=a@b", "-c", "user.name=a", ...args], {
            cwd,
            stdio: "ignore"
          })
        const changes = (path = cwd) => client.directories.changes({ query: { path } })
        assert.deepEqual(yield* changes(), { root: null, files: [], truncated: false })

        git("init", "-q", "-b", "main")
        writeFileSync(`${cwd}/before`, "1\n")
        const [first] = (yield* changes()).files
        assert.deepEqual(first, {
          path: "before",
          status: "untracked",
          added: 1,
          removed: 0,
          diff: "@@ -0,0 +1,1 @@\n+1"
        })

        const odd = 'a "quoted"\tname\nof two lines'
        writeFileSync(`${cwd}/${odd}`, "one\ntwo\n")
        writeFileSync(`${cwd}/gone`, "diff --git a/x b/x\n")
        writeFileSync(`${cwd}/picture`, "\0\u0001")
        writeFileSync(`${cwd}/.gitignore`, "ignored\n")
        writeFileSync(`${cwd}/.gitattributes`, "before filter=evil diff=evil\n")
        git("add", ".")
        git("commit", "-q", "-m", "first")
        git("config", "filter.evil.clean", `touch ${root}/ran-clean; cat`)
        git("config", "diff.evil.textconv", `touch ${root}/ran-textconv; cat`)
        git("config", "diff.external", `touch ${root}/ran-external`)
        writeFileSync(`${cwd}/before`, "2\n")
        writeFileSync(`${cwd}/${odd}`, "one\n2\n3\n")
        writeFileSync(`${cwd}/picture`, "\0\u0002")
        writeFileSync(`${cwd}/ignored`, "")
        rmSync(`${cwd}/gone`)
        mkdirSync(`${cwd}/tree/deep`, { recursive: true })
        writeFileSync(`${cwd}/tree/deep/new.ts`, "a\nb\n")
        writeFileSync(`${root}/secret`, "of somebody else\n")
        symlinkSync(`${root}/secret`, `${cwd}/link`)
        const { files, root: top, truncated } = yield* changes(`${cwd}/tree`)
        assert.strictEqual(top, cwd)
        assert.isFalse(truncated)
        const told = files.map(({ added, path, removed, status }) => [path, status, added, removed])
        assert.deepEqual(
          told.filter(([, status]) => status !== "untracked"),
          [
            [odd, "modified", 2, 1],
            ["before", "modified", 1, 1],
            ["gone", "deleted", 0, 1],
            ["picture", "modified", null, null]
          ]
        )
        assert.deepEqual(
          told.filter(([path]) => path === "tree/deep/new.ts" || path === "link"),
          [
            ["link", "untracked", null, null],
            ["tree/deep/new.ts", "untracked", 2, 0]
          ]
        )
        assert.strictEqual(files[0]?.diff, "@@ -1,2 +1,3 @@\n one\n-two\n+2\n+3")
        assert.strictEqual(files[2]?.diff, "@@ -1 +0,0 @@\n-diff --git a/x b/x")
        assert.strictEqual(files[3]?.diff, "")
        assert.notInclude(JSON.stringify(files), "of somebody else")
        for (const name of ["clean", "textconv", "external"])
          assert.isFalse(existsSync(`${root}/ran-${name}`), name)

        writeFileSync(`${cwd}/before`, "x\n".repeat(600_000))
        const much = yield* changes()
        assert.isTrue(much.truncated)
        assert.strictEqual(much.files.find(({ path }) => path === "before")?.added, 600_000)
        assert.strictEqual(tagOf(yield* Effect.exit(changes(root))), "CwdNotAllowed")
      })
    )
  )

  it.live("its files are found by some characters of their path; ignored ones are not", () =>
    live(({ client, cwd }) =>
      Effect.gen(function* () {
        const files = (q?: string) =>
          Effect.map(
            client.directories.files({ query: { path: cwd, ...(q !== undefined && { q }) } }),
            ({ items }) => items
          )
        writeFileSync(`${cwd}/plain.txt`, "")
        assert.include(yield* files(), "plain.txt")
        execFileSync("git", ["init", "-q"], { cwd })
        mkdirSync(`${cwd}/src`)
        for (const name of ["App.tsx", "Happy.ts", "b.ts"]) writeFileSync(`${cwd}/src/${name}`, "")
        writeFileSync(`${cwd}/.gitignore`, "b.ts\n")
        assert.deepEqual(yield* files("app"), ["src/App.tsx", "src/Happy.ts"])
        assert.deepEqual(yield* files("srctsx"), ["src/App.tsx"])
        assert.deepEqual(yield* files("b.ts"), [])
      })
    )
  )

  it("the best fit comes first", () => {
    assert.deepEqual(fitting(["lib/index.ts", "index/a.ts", "src/main.ts", "i/n/d"], "ind"), [
      "lib/index.ts",
      "index/a.ts",
      "i/n/d"
    ])
  })
})
