import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { bundledBinary } from "@rejoin/server/EmbeddedOpenCode"
import { Effect, FileSystem, Schema, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { sendSignal } from "@rejoin/agent-kit/ProcessOwner"

const root = new URL("../../", import.meta.url).pathname

const path = process.env["PATH"] ?? ""

/** The oldest Node that the package runs on, and the one of the workspace. */
const nodes = {
  "22.19": `${root}e2e/node_modules/node-oldest/bin/node`,
  "24": `${root}node_modules/.bin/node`
}

const ServerJson = Schema.fromJsonString(Schema.Struct({ pid: Schema.Int, url: Schema.String }))

/** Runs a command to its end, and returns what it printed; anything but success is a defect with that. */
const printedBy = Effect.fnUntraced(function* (
  env: Readonly<Record<string, string>>,
  cwd: string,
  command: string,
  ...args: ReadonlyArray<string>
) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const handle = yield* spawner.spawn(
    ChildProcess.make(command, args, { cwd, env, extendEnv: false, stdin: "ignore" })
  )
  const printed = yield* handle.all.pipe(Stream.decodeText(), Stream.mkString)
  const code = yield* handle.exitCode
  return code === 0
    ? printed
    : yield* Effect.die(`${command} ${args.join(" ")} ended with ${code}: ${printed}`)
})

describe("G1: installed from one packed file, with no clone in sight", () => {
  it.live("on the oldest Node and on ours: the story, a turn, a kill, and the next turn knows it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const place = yield* Effect.flatMap(
          fs.makeTempDirectoryScoped({ prefix: "rejoin-installed-" }),
          fs.realPath
        )
        const inherited = { PATH: path, HOME: `${place}/packing` }
        const pnpm = `${root}node_modules/.bin/pnpm`
        yield* printedBy(inherited, `${root}apps/rejoin`, pnpm, "pack", "--pack-destination", place)
        const [archive] = (yield* fs.readDirectory(place)).filter((name) => name.endsWith(".tgz"))
        for (const [version, node] of Object.entries(nodes)) {
          const [home, bin, prefix] = ["home", "bin", "prefix"].map((name) => `${place}/${version}/${name}`)
          if (home === undefined || bin === undefined || prefix === undefined) return
          yield* fs.makeDirectory(`${home}/project`, { recursive: true })
          yield* fs.makeDirectory(bin)
          yield* fs.symlink(node, `${bin}/node`)
          // As its user has it.
          yield* fs.symlink((yield* bundledBinary) ?? "", `${bin}/opencode`)
          const env = { HOME: home, PATH: `${prefix}/bin:${bin}:/usr/bin:/bin`, REJOIN_PORT: "0" }
          const run = (...args: ReadonlyArray<string>) =>
            printedBy(env, `${home}/project`, `${prefix}/bin/rejoin`, ...args)
          yield* printedBy(
            env,
            home,
            "npm",
            "install",
            "-g",
            "--offline",
            "--prefix",
            prefix,
            `${place}/${archive}`
          )
          assert.include(yield* run("--version"), "0.1.0")
          assert.include(yield* run("demo"), "adopted")
          const server = Effect.flatMap(
            fs.readFileString(`${home}/.rejoin/server.json`),
            Schema.decodeUnknownEffect(ServerJson)
          )
          assert.include(yield* run("send", "--new", "my dog is Rex"), "my dog is Rex")
          const { pid, url } = yield* server
          // Gone, where all went well.
          yield* Effect.addFinalizer(() =>
            Effect.ignore(Effect.flatMap(server, ({ pid }) => sendSignal(pid, "SIGKILL")))
          )
          const page = yield* Effect.promise(() => fetch(url).then((answer) => answer.text()))
          assert.include(page, "<script", version)
          yield* sendSignal(pid, "SIGKILL")
          const told = yield* run("send", "what is my dog called")
          assert.include(told, "1. my dog is Rex", version)
          assert.include(yield* run("agents"), "ready")
          assert.include(yield* run("serve", "--stop"), "has ended")
        }
      })
    ).pipe(Effect.provide(NodeServices.layer))
  )
})
