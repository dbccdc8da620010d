import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { worktreesIn } from "./Directories.ts"
import { live, tagOf } from "./testing/Served.ts"

describe("directories in which threads may work", () => {
  it.live("are shown with what is in them and the worktrees of their repository; others are refused", () =>
    live(({ client, cwd, root }) =>
      Effect.gen(function* () {
        const git = (...args: ReadonlyArray<string>) =>
          execFileSync("git", ["-c", "user.email=a@b", "-c", "user.name=a", ...args], {
            cwd,
            stdio: "ignore"
          })
        git("init", "-q", "-b", "main")
        git("commit", "-q", "--allow-empty", "-m", "first")
        git("worktree", "add", "-q", "-b", "side", `${cwd}/side`)
        const start = yield* client.directories.look({ query: {} })
        assert.deepEqual(start, {
          path: cwd,
          directories: ["side", "tree"],
          roots: [cwd],
          worktrees: [
            { path: cwd, branch: "main" },
            { path: `${cwd}/side`, branch: "side" }
          ]
        })
        writeFileSync(`${cwd}/.git/hooks/post-checkout`, `#!/bin/sh\ntouch ${cwd}/ran\n`, { mode: 0o755 })
        const add = (path: string, branch: string) =>
          client.directories.addWorktree({ payload: { repository: cwd, path, branch } })
        assert.deepEqual(yield* add(`${cwd}/new`, "feat/new"), { path: `${cwd}/new`, branch: "feat/new" })
        assert.isFalse(existsSync(`${cwd}/ran`), "no hook of the repository is run")
        const refused = [
          yield* Effect.exit(add(`${cwd}/new`, "other")),
          yield* Effect.exit(add(`${cwd}/newer`, "feat/new")),
          yield* Effect.exit(add(`${cwd}/newer`, "--force")),
          yield* Effect.exit(add(`${root}/outside`, "outside"))
        ]
        // The third is refused by the schema, here already.
        assert.deepEqual(refused.map(tagOf), ["InvalidInput", "InvalidInput", "SchemaError", "CwdNotAllowed"])
        const within = yield* client.directories.look({ query: { path: `${cwd}/tree` } })
        assert.strictEqual(within.parent, cwd)
        const exits = [
          yield* Effect.exit(client.directories.look({ query: { path: root } })),
          // A link out of the roots is what it leads to.
          yield* Effect.exit(client.directories.look({ query: { path: `${cwd}/escape` } })),
          yield* Effect.exit(client.directories.look({ query: { path: `${cwd}/nowhere` } }))
        ]
        assert.deepEqual(exits.map(tagOf), ["CwdNotAllowed", "CwdNotAllowed", "CwdUnavailable"])
      })
    )
  )

  it.live("law 4: no filter, monitor or hook that a repository names is run, whatever it is called", () =>
    live(({ client, cwd, root }) =>
      Effect.gen(function* () {
        const git = (...args: ReadonlyArray<string>) =>
          execFileSync("git", ["-c", "user.email=a@b", "-c", "user.name=a", ...args], {
            cwd,
            stdio: "ignore"
          })
        const mark = (name: string) => `touch ${root}/ran-${name}; cat`
        git("init", "-q", "-b", "main")
        writeFileSync(
          `${cwd}/.gitattributes`,
          "a filter=evil\nb filter=a=b\nc filter=long\nd filter=\ne filter=there\nf filter=on\n"
        )
        for (const name of ["a", "b", "c", "d", "e", "f"]) writeFileSync(`${cwd}/${name}`, `${name}\n`)
        git("add", ".")
        git("commit", "-q", "-m", "first")
        git("config", "filter.evil.smudge", mark("smudge"))
        git("config", "filter.evil.required", "true")
        writeFileSync(`${cwd}/more`, `[filter "a=b"]\n\tsmudge = "${mark("odd")}"\n`)
        git("config", "include.path", `${cwd}/more`)
        writeFileSync(`${cwd}/empty`, `[filter ""]\n\tsmudge = "${mark("empty")}"\n`)
        git("config", "--add", "include.path", `${cwd}/empty`)
        // These hold in the new worktree alone.
        writeFileSync(`${cwd}/there`, `[filter "there"]\n\tsmudge = "${mark("there")}"\n`)
        git("config", "includeIf.gitdir:**/.git/worktrees/**.path", `${cwd}/there`)
        writeFileSync(`${cwd}/on`, `[filter "on"]\n\tsmudge = "${mark("on")}"\n`)
        git("config", "includeIf.onbranch:new.path", `${cwd}/on`)
        git("config", "filter.long.process", `touch ${root}/ran-process; false`)
        git("config", "core.fsmonitor", `touch ${root}/ran-monitor; false`)
        yield* client.directories.look({ query: { path: cwd } })
        const payload = { repository: cwd, path: `${cwd}/new`, branch: "new" }
        yield* client.directories.addWorktree({ payload })
        for (const name of ["a", "b", "c", "d", "e", "f"])
          assert.strictEqual(readFileSync(`${cwd}/new/${name}`, "utf8"), `${name}\n`)
        assert.deepEqual(
          readdirSync(root).filter((name) => name.startsWith("ran-")),
          []
        )
      })
    )
  )

  it("a bare repository and a checkout that is gone are no worktrees; one without a branch has none", () => {
    const printed =
      "worktree /r.git\nbare\n\nworktree /a\nHEAD 1\nbranch refs/heads/feat/x\n\nworktree /b\nHEAD 1\ndetached\n\nworktree /c\nHEAD 1\nbranch refs/heads/c\nprunable gitdir file points to non-existent location\n\n"
    assert.deepEqual(worktreesIn(printed), [{ path: "/a", branch: "feat/x" }, { path: "/b" }])
  })
})
