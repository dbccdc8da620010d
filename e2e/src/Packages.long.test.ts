import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Stream } from "effect"
import { bundledBinary } from "@rejoin/server/EmbeddedOpenCode"
import { opencodeInstance } from "./Agents.ts"
import { makeGround } from "./Ground.ts"
import { ChildProcess, ChildProcessSpawner } from "effect/process"

const root = new URL("../../", import.meta.url).pathname
const inherited = process.env
const node = `${root}node_modules/.bin/node`

const packages = [
  "contracts",
  "core",
  "agent-kit",
  "adapter-acp",
  "adapter-ollama",
  "adapter-opencode",
  "adapter-codex",
  "adapter-claude",
  "providers",
  "persistence",
  "embed",
  "client"
]

/** Runs a command to its end, and returns what it printed; anything but success is a defect with that. */
const runIn = Effect.fnUntraced(function* (
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
  command: string,
  ...args: ReadonlyArray<string>
) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const handle = yield* spawner.spawn(
    ChildProcess.make(command, [...args], { cwd, env, extendEnv: false, stdin: "ignore" })
  )
  const printed = yield* handle.all.pipe(Stream.decodeText(), Stream.mkString)
  const code = yield* handle.exitCode
  return code === 0
    ? printed
    : yield* Effect.die(`${command} ${args.join(" ")} ended with ${code}: ${printed}`)
})

const run = (cwd: string, command: string, ...args: ReadonlyArray<string>) =>
  runIn(inherited, cwd, command, ...args)

describe("the layers, used from outside", () => {
  it.live("packed, installed into an empty project, type-checked and run: the guide's own example", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const project = yield* Effect.flatMap(
          fs.makeTempDirectoryScoped({ prefix: "rejoin-packages-" }),
          fs.realPath
        )
        for (const name of packages) {
          yield* run(
            `${root}packages/${name}`,
            `${root}node_modules/.bin/pnpm`,
            "pack",
            "--pack-destination",
            project
          )
        }
        const archives = (yield* fs.readDirectory(project)).map((name) => `./${name}`)
        assert.lengthOf(archives, packages.length)

        const guide = yield* fs.readFileString(`${root}docs/embedding.md`)
        const [durable = "", example = ""] = [...guide.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code)
        assert.include(durable, "Rejoin.layer")
        assert.include(example, "layerInMemoryAdapter")
        yield* fs.writeFileString(
          `${project}/durable.ts`,
          `${durable}\nconsole.log(JSON.stringify(await Effect.runPromise(program)))\n`
        )
        yield* fs.writeFileString(
          `${project}/main.ts`,
          `${example}\nimport "@rejoin/providers/Providers"\nimport "@rejoin/client/Client"\nconsole.log(JSON.stringify(await Effect.runPromise(program)))\n`
        )
        yield* fs.writeFileString(`${project}/package.json`, '{"type":"module","private":true}')
        const compilerOptions = {
          module: "NodeNext",
          target: "ES2024",
          strict: true,
          noEmit: true,
          types: ["node"]
        }
        yield* fs.writeFileString(
          `${project}/tsconfig.json`,
          JSON.stringify({
            compilerOptions: { ...compilerOptions, skipLibCheck: true },
            files: ["main.ts", "durable.ts"]
          })
        )
        const version = (name: string) =>
          Effect.map(
            fs.readFileString(`${root}node_modules/${name}/package.json`),
            (text) => `${name}@${(JSON.parse(text) as { readonly version: string }).version}`
          )
        const effect = yield* version("effect")
        const others = yield* Effect.forEach(["typescript", "@types/node"], version)
        yield* run(
          project,
          "npm",
          "install",
          "--no-audit",
          "--no-fund",
          "--no-save",
          ...archives,
          effect,
          effect.replace("effect@", "@effect/platform-node@"),
          ...others
        )
        // As a user would: nothing of the workspace is in reach.
        yield* run(project, `${project}/node_modules/.bin/tsc`)
        const printed = yield* run(project, node, "main.ts")
        const turn = JSON.parse(printed.trim().split("\n").at(-1) ?? "") as Record<string, unknown>
        assert.deepInclude(turn, { status: "completed", input: "hello", output: "hello" })

        // On a real OpenCode, as its user has it; a second run of the program knows what was said in the first.
        const ground = yield* makeGround(["opencode"])
        const bin = ground.at("bin")
        yield* fs.makeDirectory(bin)
        yield* fs.symlink((yield* bundledBinary) ?? "", `${bin}/opencode`)
        const home = ground.at("agent")
        const env = { ...opencodeInstance(home).env, HOME: home, PATH: `${bin}:${inherited["PATH"] ?? ""}` }
        const said = (input: string) =>
          Effect.map(
            runIn({ ...inherited, ...env }, ground.at("repo"), node, `${project}/durable.ts`, input),
            (printed) => JSON.parse(printed.trim().split("\n").at(-1) ?? "") as Record<string, unknown>
          )
        yield* said("my name is Ada")
        assert.strictEqual((yield* said("who am I"))["output"], "my name is Ada | who am I")
      })
    ).pipe(Effect.provide(NodeServices.layer))
  )
})
