import { keepLoopbackDirect } from "@rejoin/client/Loopback"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { make as makeClient, type RejoinClient } from "@rejoin/client/Client"
import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { ServerFileJson } from "@rejoin/contracts/ServerFile"
import { Console, Effect, FileSystem, Option, Path, Redacted, Schedule, Schema } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { bundledBinary, openCodeBeside } from "./EmbeddedOpenCode.ts"
import { agentsDirectory, OwnEnvironment } from "./Instances.ts"

keepLoopbackDirect(process.env)

// Who reads no further, as `head` does, ends the demo, and with it what it started.
process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  if (code === "EPIPE") process.kill(process.pid, "SIGTERM")
})

// The story of Rejoin in under a minute, on the real OpenCode and the built-in model, in a directory of its own.

const readServerFile = Schema.decodeUnknownEffect(ServerFileJson)
// Beside us, as a source or as it was built.
const main = new URL(import.meta.url.endsWith(".ts") ? "./main.ts" : "./main.js", import.meta.url).pathname

/** EX_UNAVAILABLE: the command installs OpenCode then, and begins again. */
const unavailable = 69

const title = (text: string) => Console.log(`\n\u001b[1m${text}\u001b[0m`)
const told = (who: string, text: string) => Console.log(text.replaceAll(/^/gm, `  ${who} │ `))

const makeStage = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const { join } = yield* Path.Path
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const inherited = yield* OwnEnvironment
  const root = yield* Effect.flatMap(fs.makeTempDirectoryScoped({ prefix: "rejoin-demo-" }), fs.realPath)
  const own = inherited["REJOIN_HOME"] ?? join(inherited["HOME"] ?? "/", ".rejoin")
  const agents = agentsDirectory(own, inherited)
  const environment = {
    PATH: inherited["PATH"] ?? "",
    HOME: root,
    REJOIN_HOME: join(root, ".rejoin"),
    REJOIN_AGENTS: agents,
    REJOIN_PORT: "0"
  }
  const opencode =
    (yield* bundledBinary) ??
    (yield* openCodeBeside(join(agents, "package.json"))) ??
    (yield* Effect.findFirst(
      environment.PATH.split(":").map((directory) => join(directory, "opencode")),
      (file) => Effect.orElseSucceed(fs.exists(file), () => false)
    ).pipe(Effect.map(Option.getOrUndefined)))
  if (opencode === undefined) {
    yield* Console.error("OpenCode is not installed: `rejoin agents add opencode` installs it.")
    return yield* Effect.sync(() => process.exit(unavailable))
  }

  const git = (cwd: string, ...args: ReadonlyArray<string>) =>
    spawner.string(
      ChildProcess.make("git", ["-c", "user.name=demo", "-c", "user.email=demo@localhost", ...args], {
        cwd,
        extendEnv: true
      })
    )

  const start = Effect.gen(function* () {
    const serverFile = join(environment.REJOIN_HOME, "server.json")
    yield* Effect.ignore(fs.remove(serverFile))
    const handle = yield* spawner.spawn(
      ChildProcess.make(process.execPath, ["--disable-warning=ExperimentalWarning", main], {
        cwd: root,
        env: environment,
        extendEnv: false,
        stdin: "ignore",
        stdout: "ignore",
        stderr: "inherit",
        forceKillAfter: "5 seconds"
      })
    )
    const { url } = yield* fs
      .readFileString(serverFile)
      .pipe(
        Effect.flatMap(readServerFile),
        Effect.retry(Schedule.spaced("50 millis")),
        Effect.timeout("30 seconds")
      )
    const token = yield* fs.readFileString(join(environment.REJOIN_HOME, "token"))
    const client = yield* makeClient({ url, token: Redacted.make(token.trim()) })
    return { client, handle, url }
  })

  /** kill -9 of the server and of every agent that it started. */
  const killEverything = Effect.fn("killEverything")(function* (pid: number) {
    yield* Effect.sync(() => process.kill(pid, "SIGKILL"))
    for (const name of yield* fs.readDirectory("/proc").pipe(Effect.orElseSucceed(() => []))) {
      const environ = yield* fs.readFileString(`/proc/${name}/environ`).pipe(Effect.orElseSucceed(() => ""))
      if (environ.includes(`HOME=${root}`) && Number(name) !== process.pid) {
        yield* Effect.ignore(
          Effect.try({ try: () => process.kill(Number(name), "SIGKILL"), catch: () => "gone" as const })
        )
      }
    }
  })

  return { root, git, start, killEverything }
})

const say = Effect.fn("say")(function* (client: RejoinClient, id: string, input: string) {
  yield* told("you  ", input)
  const { id: turnId } = yield* client.turns.send({ params: { id }, payload: { input } })
  const turn = yield* client.turns.get({ params: { id, turnId }, query: { wait: 60 } })
  yield* told(
    "agent",
    turn.status === "completed" ? turn.output : `${turn.status}: ${turn.error?.message ?? ""}`
  )
})

const demo = Effect.gen(function* () {
  const stage = yield* makeStage
  const repo = `${stage.root}/repo`
  yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeDirectory(repo))
  yield* stage.git(repo, "init", "-q")
  yield* stage.git(repo, "commit", "-q", "--allow-empty", "-m", "first")

  yield* title("1. A server, a thread on OpenCode, and a fact")
  const first = yield* stage.start
  yield* Console.log(`  server ${first.handle.pid} on ${first.url}`)
  const provider = ProviderInstanceId.make("opencode")
  const { id } = yield* first.client.threads.create({
    payload: { provider, cwd: repo, runtimeMode: "full-access" }
  })
  yield* say(first.client, id, "My name is Ada, and I like green.")

  yield* title("2. kill -9 the server and the agent; a new server")
  yield* stage.killEverything(first.handle.pid)
  const second = yield* stage.start
  yield* Console.log(`  server ${second.handle.pid} on ${second.url}`)
  yield* say(second.client, id, "What did I tell you?")

  yield* title("3. A git worktree; the conversation moves there, and the agent says where it works")
  const tree = `${stage.root}/worktree`
  yield* stage.git(repo, "worktree", "add", "-q", tree)
  const { client } = second
  yield* client.sessions.move({ params: { id }, payload: { cwd: tree } })
  yield* say(client, id, "run pwd")
  yield* say(client, id, "And what did I tell you?")

  yield* title("4. What was verified, each time the conversation came back (GET /api/threads/:id/receipts)")
  const { items } = yield* client.threads.receipts({ params: { id }, query: {} })
  for (const receipt of items.toReversed()) {
    const history = receipt.checks.find(({ what }) => what === "history")?.found
    yield* Console.log(
      `  ${receipt.outcome.padEnd(8)} ${receipt.providerSessionIdBefore ?? "–"} → ${receipt.providerSessionIdAfter ?? "–"}\n` +
        `           directory ${receipt.cwdVerified ?? "not known"}\n` +
        `           powers    ${receipt.runtimeModeVerified ?? "not known"}\n` +
        `           history   ${history !== undefined && "value" in history ? history.value : "new"}`
    )
  }
})

demo.pipe(Effect.scoped, Effect.provide(NodeServices.layer), NodeRuntime.runMain)
