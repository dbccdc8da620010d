import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs"
import { live, tagOf } from "./testing/Served.ts"
import { fitting } from "./FittingFiles.ts"

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

  it.live("is each file's own, whatever a repository does to the order of what git prints", () =>
    live(({ client, cwd, root }) =>
      Effect.gen(function* () {
        const git = (...args: ReadonlyArray<string>) =>
          execFileSync(
            "git",
            ["-c", "user.email=a@b", "-c", "user.name=a", "-c", "protocol.file.allow=always", ...args],
            {
              cwd,
              stdio: "ignore"
            }
          )
        const files = Effect.map(client.directories.changes({ query: { path: cwd } }), (tree) => tree.files)
        const tells = (path: string) =>
          Effect.map(files, (all) => all.find((file) => file.path === path)?.diff ?? "none")
        git("init", "-q", "-b", "main")
        for (const name of ["a", "b", "c", 'd ä\t"', "touched"]) writeFileSync(`${cwd}/${name}`, `${name}\n`)
        git("add", ".")
        git("commit", "-q", "-m", "first")
        git("config", "diff.autoRefreshIndex", "false")
        git("config", "diff.noprefix", "true")
        git("config", "diff.submodule", "log")
        rmSync(`${cwd}/a`)
        symlinkSync("b", `${cwd}/a`)
        writeFileSync(`${cwd}/b`, "x\rdiff --git a/c b/c\r\n@@ -1 +1 @@\n")
        writeFileSync(`${cwd}/c`, "changed c\n")
        writeFileSync(`${cwd}/d ä\t"`, "changed d\n")
        utimesSync(`${cwd}/touched`, 1, 1)
        assert.include(yield* tells("a"), "+b")
        assert.include(yield* tells("b"), "+x\rdiff --git")
        assert.include(yield* tells("c"), "+changed c")
        assert.include(yield* tells(`d ä\t"`), "+changed d")

        // A repository within, whose own settings would run something.
        const within = `${cwd}/within`
        mkdirSync(within)
        const inner = (...args: ReadonlyArray<string>) =>
          execFileSync("git", ["-c", "user.email=a@b", "-c", "user.name=a", ...args], {
            cwd: within,
            stdio: "ignore"
          })
        inner("init", "-q")
        writeFileSync(`${within}/s`, "1\n")
        inner("add", ".")
        inner("commit", "-q", "-m", "first")
        git("add", "within")
        git("commit", "-q", "-m", "second")
        writeFileSync(`${within}/.git/info/attributes`, "* filter=e\n")
        inner("config", "filter.e.clean", `touch ${root}/ran-within; cat`)
        writeFileSync(`${within}/s`, "2\n")
        yield* files
        assert.isFalse(existsSync(`${root}/ran-within`))

        // One whose name cannot be told, and one behind more than is read: then nothing is asked of git.
        const config = readFileSync(`${cwd}/.git/config`)
        writeFileSync(`${cwd}/.git/info/attributes`, Buffer.from("* filter=e\xff\n", "latin1"))
        const odd = Buffer.from(`[filter "e\xff"]\n\tclean = "touch ${root}/ran-odd; cat"\n`, "latin1")
        writeFileSync(`${cwd}/.git/config`, Buffer.concat([config, odd]))
        assert.deepEqual(yield* files, [])
        writeFileSync(`${cwd}/.git/info/attributes`, "* filter=late\n")
        const padding = Buffer.from(`[pad]\n${"\tsome-longer-name = value\n".repeat(60_000)}`)
        const late = Buffer.from(`[filter "late"]\n\tclean = "touch ${root}/ran-late; cat"\n`)
        writeFileSync(`${cwd}/.git/config`, Buffer.concat([config, padding, late]))
        assert.deepEqual(yield* files, [])
        assert.isFalse(existsSync(`${root}/ran-odd`))
        assert.isFalse(existsSync(`${root}/ran-late`))

        // A repository of somebody else, of which only the name lies here.
        rmSync(`${cwd}/.git`, { recursive: true })
        mkdirSync(`${root}/secret`)
        const theirs = (...args: ReadonlyArray<string>) =>
          execFileSync("git", ["-c", "user.email=a@b", "-c", "user.name=a", ...args], {
            cwd: `${root}/secret`,
            stdio: "ignore"
          })
        theirs("init", "-q")
        writeFileSync(`${root}/secret/key`, "top secret\n")
        theirs("add", ".")
        theirs("commit", "-q", "-m", "first")
        writeFileSync(`${cwd}/.git`, `gitdir: ${root}/secret/.git\n`)
        assert.deepEqual(yield* files, [])
        // Of another kind of names for what it holds.
        rmSync(`${cwd}/.git`)
        git("init", "-q", "--object-format=sha256")
        git("add", "c")
        assert.include(yield* tells("c"), "+changed c")
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
