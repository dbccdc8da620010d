import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { execFileSync } from "node:child_process"
import { placesBeyond, placesFrom } from "./RepoPlaces.ts"
import { always, findPowers, keysBut } from "./RepoPowers.ts"

const powers = [
  { path: "agent.json", what: keysBut(["$schema"]) },
  { path: ".agent/plugins", what: always("plugins") }
]

const within = <A, E>(body: (fs: FileSystem.FileSystem, root: string) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const root = yield* Effect.flatMap(fs.makeTempDirectoryScoped(), fs.realPath)
    yield* Effect.forEach(["objects", "refs"], (part) =>
      fs.makeDirectory(`${root}/repo/.git/${part}`, { recursive: true })
    )
    yield* fs.writeFileString(`${root}/repo/.git/HEAD`, "ref: refs/heads/main\n")
    yield* fs.makeDirectory(`${root}/repo/sub/.agent/plugins`, { recursive: true })
    return yield* body(fs, root)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const find = (fs: FileSystem.FileSystem, own: ReadonlyArray<string> = []) =>
  findPowers({ fs, agent: "memory", powers, own })

describe("law 4: what a directory brings, found without running any of it", () => {
  it.effect("in the directory and above it, up to the root of its repository and no further", () =>
    within((fs, root) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${root}/agent.json`, '{"plugin":["outside"]}')
        yield* fs.writeFileString(`${root}/repo/agent.json`, '{"plugin":["x"],"$schema":"y"}')
        yield* fs.writeFileString(`${root}/repo/sub/.agent/plugins/a.js`, "a")
        const found = yield* find(fs)(`${root}/repo/sub`)
        assert.deepEqual(
          found.map(({ file, what }) => [file.slice(root.length), what]),
          [
            ["/repo/sub/.agent/plugins", "plugins"],
            ["/repo/agent.json", "plugin"]
          ]
        )
      })
    )
  )

  it.effect(
    "also above a `.git` that is empty, which agents pass over as git does; not above a worktree's",
    () =>
      within((fs, root) =>
        Effect.gen(function* () {
          yield* fs.writeFileString(`${root}/repo/agent.json`, '{"plugin":["x"]}')
          yield* fs.makeDirectory(`${root}/repo/sub/.git`)
          assert.lengthOf(yield* find(fs)(`${root}/repo/sub`), 1)
          yield* fs.remove(`${root}/repo/sub/.git`, { recursive: true })
          // Of a worktree whose repository has moved nobody knows where its root is.
          yield* fs.writeFileString(`${root}/repo/sub/.git`, "gitdir: /elsewhere\n")
          assert.lengthOf(yield* find(fs)(`${root}/repo/sub`), 1)
          const own = `${root}/repo/.git/worktrees/sub`
          yield* fs.makeDirectory(own, { recursive: true })
          yield* fs.writeFileString(`${root}/repo/sub/.git`, `gitdir: ${own}\n`)
          yield* fs.writeFileString(`${own}/gitdir`, `${root}/repo/sub/.git\n`)
          yield* fs.writeFileString(`${own}/commondir`, "../..\n")
          yield* fs.writeFileString(`${own}/HEAD`, `${"0".repeat(40)}\n`)
          assert.lengthOf(yield* find(fs)(`${root}/repo/sub`), 0)
          // Its settings may say that its files are elsewhere.
          for (const setting of ["[core]\n\tworktree = ../..\n", '[include]\n\tpath = "x"\n']) {
            yield* fs.writeFileString(`${root}/repo/.git/config`, setting)
            assert.lengthOf(yield* find(fs)(`${root}/repo/sub`), 1, setting)
          }
        })
      )
  )

  it.effect("nothing where it is empty or harmless; the user's own is not the repository's", () =>
    within((fs, root) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${root}/repo/agent.json`, '{"$schema":"y"}')
        assert.deepEqual(yield* find(fs)(`${root}/repo/sub`), [])
        yield* fs.writeFileString(`${root}/repo/agent.json`, '{"hooks":{}}')
        assert.deepEqual(yield* find(fs, [`${root}/repo/agent.json`])(`${root}/repo`), [])
      })
    )
  )

  it.effect("a change of what matters is another one; of what does not, the same", () =>
    within((fs, root) =>
      Effect.gen(function* () {
        const hashes = Effect.map(find(fs)(`${root}/repo/sub`), (found) =>
          found.map(({ hash }) => hash).join()
        )
        const seen: Array<string> = []
        for (const [file, content] of [
          ["agent.json", '{"hooks":[1]}'],
          // As an agent does by itself, with comments and commas as it takes them.
          ["agent.json", '{"$schema":"x", /* a */ "hooks":[1,],}'],
          ["agent.json", '{"hooks":[2]}'],
          ["agent.json", '{"hooks":["sh ./run.sh"]}'],
          ["run.sh", "1"],
          ["run.sh", "2"],
          ["agent.json", '{"hooks":["node $AGENT_DIR/sub/run.js"]}'],
          ["sub/run.js", "1"],
          ["sub/.agent/plugins/a.js", "1"],
          ["sub/.agent/plugins/a.js", "2"],
          ["sub/.agent/plugins/b.js", "2"]
        ] as const) {
          yield* fs.writeFileString(`${root}/repo/${file}`, content)
          seen.push(yield* hashes)
        }
        assert.strictEqual(seen[0], seen[1])
        assert.strictEqual(new Set(seen).size, seen.length - 1)
      })
    )
  )

  it.effect(
    "what cannot be read as JSON counts as a whole; what is too large to be looked at has no hash",
    () =>
      within((fs, root) =>
        Effect.gen(function* () {
          yield* fs.writeFileString(`${root}/repo/agent.json`, "plugin: x")
          const [odd] = yield* find(fs)(`${root}/repo`)
          assert.strictEqual(odd?.what, "not readable as JSON")
          yield* fs.writeFileString(`${root}/repo/agent.json`, `{"a":"${"x".repeat(5_000_000)}"}`)
          const [large] = yield* find(fs)(`${root}/repo`)
          assert.strictEqual(large?.hash, "")
          // So has what has no end, and what would block whoever reads it.
          for (const endless of ["/dev/zero", "/dev/ptmx", "/"]) {
            yield* fs.remove(`${root}/repo/agent.json`)
            yield* fs.symlink(endless, `${root}/repo/agent.json`)
            assert.strictEqual((yield* find(fs)(`${root}/repo`))[0]?.hash, "", endless)
          }
          // A link out of the repository is what it leads to.
          yield* fs.remove(`${root}/repo/agent.json`)
          yield* fs.writeFileString(`${root}/outside.json`, '{"mcp":{}}')
          yield* fs.symlink(`${root}/outside.json`, `${root}/repo/agent.json`)
          assert.strictEqual((yield* find(fs)(`${root}/repo`))[0]?.what, "mcp")
        })
      )
  )

  it.effect(
    "for an agent that looks further: above the checkout, and in the one that a worktree was made from",
    () =>
      within((fs, root) =>
        Effect.gen(function* () {
          const git = (...args: ReadonlyArray<string>) =>
            execFileSync("git", ["-c", "user.email=a@b", "-c", "user.name=a", ...args], { stdio: "ignore" })
          git("init", "-q", `${root}/main`)
          git("-C", `${root}/main`, "commit", "-q", "--allow-empty", "-m", "first")
          git("-C", `${root}/main`, "worktree", "add", "-q", `${root}/trees/side`)
          for (const place of ["main", "trees", "."])
            yield* fs.writeFileString(`${root}/${place}/agent.json`, '{"hooks":{}}')
          const look = (places: typeof placesFrom) =>
            Effect.map(
              findPowers({ fs, agent: "memory", powers, own: [], places })(`${root}/trees/side`),
              (found) => found.map(({ file }) => file.slice(root.length))
            )
          assert.deepEqual(yield* look(placesFrom), [])
          assert.deepEqual(yield* look(placesBeyond), [
            "/trees/agent.json",
            "/agent.json",
            "/main/agent.json"
          ])
        })
      )
  )
})
