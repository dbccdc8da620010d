import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import type { ProcessOwner } from "@rejoin/agent-kit/ProcessOwner"
import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
import { ModelServer } from "@rejoin/model-server/ModelServer"
import { recall } from "@rejoin/model-server/Recall"
import { DataDirectory } from "@rejoin/persistence/DataDirectory"
import { acpAgents, acpCommand } from "@rejoin/providers/AcpPrograms"
import { packageOf } from "@rejoin/providers/Packages"
import { installedProgram, nativeProgram } from "@rejoin/providers/Programs"
import { ollamaListens } from "@rejoin/providers/OllamaListens"
import { adapterOf, type Instance, type Surroundings } from "@rejoin/providers/Providers"
import { Context, Effect, Layer, Predicate, Record } from "effect"
import type { FileSystem } from "effect"
import type { ChildProcessSpawner } from "effect/process"
import { Configuration, providersOf } from "./Configuration.ts"
import { bundledBinary, defaultInstance, openCodeBeside } from "./EmbeddedOpenCode.ts"

/** Our own environment, as it was when we were started. */
export const OwnEnvironment = Context.Reference<Readonly<Record<string, string>>>(
  "@rejoin/server/OwnEnvironment",
  {
    defaultValue: () => Record.filter(process.env as Record<string, string | undefined>, Predicate.isString)
  }
)

/** Where `rejoin agents add` puts agents. */
export const agentsDirectory = (home: string, environment: Readonly<Record<string, string>>) =>
  environment["REJOIN_AGENTS"] ?? `${home}/agents`

/** What was added there: the user's own of the PATH goes before it. */
const addedTo = Effect.fnUntraced(function* (directory: string) {
  const modules = `${directory}/node_modules`
  return {
    opencode: yield* openCodeBeside(`${directory}/package.json`),
    codex: yield* nativeProgram("codex", `${modules}/${packageOf.codex.name}/package.json`),
    claude: yield* nativeProgram("claude", `${modules}/${packageOf.claude.name}/package.json`)
  }
})

/** A command that only names an agent is started as one that is found is: without a wrapper that stays beside it. */
const unwrapped = Effect.fnUntraced(function* (instance: Instance, search: string) {
  const [name, flag, ...more] = instance.command ?? []
  const agent = acpAgents.find((known) => known === name)
  if (agent === undefined || flag !== "--acp" || more.length > 0) return instance
  const command = yield* acpCommand(agent, search)
  return command === undefined ? instance : { ...instance, command }
})

/** Builds the adapters of the configured instances, or of the agents that are installed, and registers them. */
export const register = Effect.fn("register")(function* ({ prepare }: { readonly prepare: boolean }) {
  const registry = yield* ProviderRegistry
  const configuration = yield* Configuration
  const { path } = yield* DataDirectory
  const scope = yield* Effect.scope
  const environment = yield* OwnEnvironment
  const services = yield* Effect.context<
    FileSystem.FileSystem | ChildProcessSpawner.ChildProcessSpawner | ProcessOwner
  >()
  const search = environment["PATH"] ?? ""
  const added = yield* addedTo(agentsDirectory(path, environment))
  const surroundings: Surroundings = {
    environment,
    dataDirectory: path,
    opencode: (yield* bundledBinary) ?? added.opencode,
    codex: (yield* installedProgram("codex", search)) ?? added.codex,
    claude: (yield* installedProgram("claude", search)) ?? added.claude
  }
  const recallUrl = Layer.buildWithScope(ModelServer.layer(recall, { keep: 1 }), scope).pipe(
    Effect.map((context) => Context.get(context, ModelServer).url),
    Effect.orDie
  )
  const acp: Array<Instance> = []
  for (const agent of acpAgents) {
    const command = yield* acpCommand(agent, search)
    if (command !== undefined) acp.push({ id: ProviderInstanceId.make(agent), driver: "acp", command })
  }
  const instances: ReadonlyArray<Instance> = providersOf(configuration) ?? [
    yield* defaultInstance(path, environment, recallUrl, prepare),
    ...(["codex", "claude"] as const).map((driver) => ({ id: ProviderInstanceId.make(driver), driver })),
    ...acp,
    ...((yield* ollamaListens(environment))
      ? [{ id: ProviderInstanceId.make("ollama"), driver: "ollama" }]
      : [])
  ]
  for (const configured of instances) {
    const instance = yield* unwrapped(configured, search)
    const layer = yield* adapterOf(surroundings, instance)
    yield* registry.add(Layer.provide(layer, Layer.succeedContext(services)))
  }
})
