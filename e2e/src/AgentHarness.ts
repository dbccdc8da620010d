import { NodeServices } from "@effect/platform-node"
import type { ProviderSessionId } from "@rejoin/contracts/Ids"
import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { ProcessOwner, sendSignal } from "@rejoin/agent-kit/ProcessOwner"
import { WorkingDirectory } from "@rejoin/core/threads/WorkingDirectory"
import { adapterOf, type Instance } from "@rejoin/providers/Providers"
import { bundledBinary } from "@rejoin/server/EmbeddedOpenCode"
import type { Harness } from "@rejoin/testkit/conformance/Harness"
import { Effect, Layer } from "effect"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { AcpAgent } from "@rejoin/providers/AcpPrograms"
import type { AnyAgent } from "./Agents.ts"
import { makeGround } from "./Ground.ts"
import { processesWith } from "./World.ts"

const path = process.env["PATH"] ?? ""

type Ground = Effect.Success<ReturnType<typeof makeGround>>

/** The agent's own store, seen and damaged from outside, without the adapter. */
export interface Store {
  readonly sessions: Effect.Effect<ReadonlyArray<string>>
  readonly lose: (id: ProviderSessionId) => Effect.Effect<void>
  readonly corrupt?: (id: ProviderSessionId) => Effect.Effect<void>
}

const withDatabase = <A>(path: string, use: (db: DatabaseSync) => A) =>
  Effect.acquireUseRelease(
    Effect.sync(() => new DatabaseSync(path)),
    (db) => Effect.sync(() => use(db)),
    (db) => Effect.sync(() => db.close())
  )

const filesOf = ({ fs }: Pick<Ground, "fs">, root: string, matches: (name: string) => boolean) =>
  fs.readDirectory(root, { recursive: true }).pipe(
    Effect.map((names) => names.filter(matches).map((name) => `${root}/${name}`)),
    Effect.orElseSucceed((): ReadonlyArray<string> => [])
  )

export const storeOf = (agent: AnyAgent, ground: Pick<Ground, "at" | "fs">): Store => {
  const { at, fs } = ground
  switch (agent) {
    case "opencode": {
      const database = `${at("agent")}/.local/share/opencode/opencode.db`
      return {
        sessions: withDatabase(database, (db) =>
          db
            .prepare("select id from session order by id")
            .all()
            .map((row) => String(row["id"]))
        ).pipe(Effect.catchDefect(() => Effect.succeed([]))),
        lose: (id) =>
          Effect.asVoid(
            withDatabase(database, (db) => db.prepare("delete from session where id = ?").run(id))
          )
      }
    }
    case "codex": {
      const rollouts = filesOf(ground, at("codex/sessions"), (name) => name.endsWith(".jsonl"))
      const own = (id: string) => Effect.map(rollouts, (paths) => paths.filter((path) => path.includes(id)))
      return {
        sessions: Effect.map(rollouts, (paths) => paths.map((path) => path.slice(-42, -6)).sort()),
        lose: (id) =>
          Effect.gen(function* () {
            for (const path of yield* own(id)) yield* fs.remove(path)
            yield* withDatabase(at("codex/state_5.sqlite"), (db) =>
              db.prepare("delete from threads where id = ?").run(id)
            )
          }).pipe(Effect.orDie),
        corrupt: (id) =>
          Effect.flatMap(own(id), (paths) =>
            Effect.forEach(paths, (path) => fs.writeFileString(path, "no record\n"))
          ).pipe(Effect.orDie, Effect.asVoid)
      }
    }
    case "claude": {
      const transcripts = filesOf(
        ground,
        at("claude/projects"),
        (name) => name.endsWith(".jsonl") && name.split("/").length === 2
      )
      const own = (id: string) =>
        Effect.map(transcripts, (paths) => paths.filter((path) => path.includes(id)))
      return {
        sessions: Effect.map(transcripts, (paths) => paths.map((path) => path.slice(-42, -6)).sort()),
        lose: (id) =>
          Effect.flatMap(own(id), (paths) => Effect.forEach(paths, (path) => fs.remove(path))).pipe(
            Effect.orDie,
            Effect.asVoid
          ),
        corrupt: (id) =>
          Effect.flatMap(own(id), (paths) =>
            Effect.forEach(paths, (path) => fs.writeFileString(path, "no record\n"))
          ).pipe(Effect.orDie, Effect.asVoid)
      }
    }
    case "copilot":
    case "gemini":
    case "qwen":
      return acpStoreOf(agent, ground)
  }
}

/** Where an agent of the Agent Client Protocol writes a session down, a file each. */
const records: Readonly<Record<AcpAgent, RegExp>> = {
  copilot: /^\.copilot\/session-state\/([\w-]+)\/events\.jsonl$/,
  // Not those of its own processes, in which nothing is said.
  gemini: /^\.gemini\/tmp\/(?!acp\/)[\w.-]+\/chats\/session-[\dT-]+-([\da-f]{8})\.jsonl$/,
  qwen: /^\.qwen\/projects\/[\w-]+\/chats\/([\w-]+)\.jsonl$/
}

const acpStoreOf = (agent: AcpAgent, ground: Pick<Ground, "at" | "fs">): Store => {
  const { at, fs } = ground
  const files = filesOf(ground, at(agent), (name) => records[agent].test(name))
  const idOf = (path: string) => records[agent].exec(path.slice(at(agent).length + 1))?.[1] ?? ""
  const own = (id: string) => Effect.map(files, (paths) => paths.filter((path) => id.startsWith(idOf(path))))
  return {
    sessions: Effect.map(files, (paths) => [...new Set(paths.map(idOf))].sort()),
    lose: (id) =>
      Effect.flatMap(own(id), (paths) =>
        Effect.forEach(paths, (path) =>
          agent === "copilot" ? fs.remove(dirname(path), { recursive: true }) : fs.remove(path)
        )
      ).pipe(Effect.orDie, Effect.asVoid),
    corrupt: (id) =>
      Effect.flatMap(own(id), (paths) =>
        Effect.forEach(paths, (path) => fs.writeFileString(path, "no record\n"))
      ).pipe(Effect.orDie, Effect.asVoid)
  }
}

/** A real agent for the conformance suite: one home for all of it, and places of its own for each test. */
export const agentGround = Effect.fn("agentGround")(function* (agent: AnyAgent) {
  const ground = yield* makeGround([agent])
  const { at, fs, providers, root } = ground
  const [configured] = providers
  if (configured === undefined) return yield* Effect.die("the ground has no agent")
  const instance: Instance = { ...configured, id: ProviderInstanceId.make(agent) }
  yield* fs.makeDirectory(at("elsewhere"))
  // Codex's own configuration lies in its home: without it no model is to be had there.
  if (agent === "codex") yield* fs.copyFile(at("codex/config.toml"), at("elsewhere/config.toml"))

  const brief = `brief-${root}`
  const lasting = `lasting-${root}`
  const rivals = `rival-${root}`
  let boots = 0
  const build = (of: Instance, opencode: string | undefined, dataDirId = brief) =>
    Layer.unwrap(
      Effect.gen(function* () {
        const surroundings = {
          environment: { PATH: path, HOME: root },
          dataDirectory: at("data"),
          opencode,
          codex: undefined,
          claude: undefined
        }
        const adapter = yield* Effect.orDie(adapterOf(surroundings, of))
        const owner = ProcessOwner.layer({ dataDirId, bootId: `boot${boots++}` })
        return Layer.provide(adapter, Layer.provideMerge(owner, NodeServices.layer))
      })
    )
  const binary = yield* bundledBinary
  const away: Record<AnyAgent, Instance> = {
    opencode: { ...instance, home: at("elsewhere") },
    codex: { ...instance, env: { ...instance.env, CODEX_HOME: at("elsewhere") } },
    claude: { ...instance, env: { ...instance.env, CLAUDE_CONFIG_DIR: at("elsewhere") } },
    copilot: { ...instance, env: { ...instance.env, HOME: at("elsewhere") } },
    gemini: { ...instance, env: { ...instance.env, HOME: at("elsewhere") } },
    qwen: { ...instance, env: { ...instance.env, HOME: at("elsewhere") } }
  }
  const store = storeOf(agent, ground)
  const processes = (owner: string) =>
    processesWith(`REJOIN_OWNER=${owner}`).pipe(Effect.provide(NodeServices.layer), Effect.orDie)
  // OpenCode takes seconds to start. That it is started anew with us is tested beside this (OpenCode.test.ts).
  const adapter =
    agent === "opencode"
      ? Layer.succeedContext(yield* Layer.build(build(instance, binary, lasting)))
      : build(instance, binary)
  let tests = 0
  const harness = Effect.gen(function* () {
    const place = at(`test${++tests}`)
    const [repo, tree, other] = [`${place}/repo`, `${place}/tree`, `${place}/other`]
    yield* ground.settle(place)
    yield* fs.symlink(repo, `${place}/alias`)
    const harness: Harness = {
      instance: instance.id,
      adapter,
      ...(agent === "copilot" && { writesLate: true }),
      ...(agent === "gemini" && { tellsNoOutput: true }),
      ...((agent === "copilot" || agent === "gemini") && { asksNothing: true }),
      ...(agent === "opencode" && { brief: build(instance, binary) }),
      elsewhere: build(away[agent], binary),
      rival: build(instance, binary, rivals),
      unreachable: build(
        { ...instance, binary: "/bin/false", ...(instance.command && { command: ["/bin/false"] }) },
        "/bin/false"
      ),
      directories: Layer.provide(WorkingDirectory.layer, NodeServices.layer),
      places: { repo, tree, other, alias: `${tree}/../alias/` },
      isWritten: (path) => Effect.orDie(fs.exists(path)),
      sessions: store.sessions,
      processes: Effect.map(processes(brief), (pids) => pids.length),
      faults: {
        lose: store.lose,
        ...(store.corrupt && { corrupt: store.corrupt }),
        // One may end with another, before it is its turn.
        crash: Effect.flatMap(Effect.all([processes(brief), processes(lasting)]), (pids) =>
          Effect.forEach(pids.flat(), (pid) => sendSignal(pid, "SIGKILL"), { discard: true })
        )
      }
    }
    return harness
  })
  return { harness }
})
