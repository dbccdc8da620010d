import type { SessionConfigOption, SessionModeState } from "@agentclientprotocol/sdk"
import type { ProviderInfo, ProviderModel } from "@rejoin/contracts/Provider"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Thread } from "@rejoin/contracts/Thread"
import { modes } from "@rejoin/shown/Words"

// What a client may choose of a thread. Pure.

const names: Readonly<Record<RuntimeMode, string>> = {
  "read-only": "Read only",
  "approval-required": "Ask first",
  "auto-accept-edits": "Accept edits",
  "full-access": "Full access"
}

const rank = (mode: RuntimeMode): number => RuntimeMode.literals.indexOf(mode)

export const isWithin = (mode: RuntimeMode, ceiling: RuntimeMode): boolean => rank(mode) <= rank(ceiling)

export const lower = (mode: RuntimeMode, ceiling: RuntimeMode): RuntimeMode =>
  isWithin(mode, ceiling) ? mode : ceiling

/** What is known of a thread for its options. */
export interface Choices {
  readonly thread: Thread
  readonly ceiling: RuntimeMode
  readonly providers: ReadonlyArray<ProviderInfo>
  /** Undefined while the agent has not told. */
  readonly models: ReadonlyArray<ProviderModel> | undefined
}

/** Those that the agent can hold, up to the ceiling; the thread's own, whichever that is. */
const offered = ({ ceiling, providers, thread }: Choices): ReadonlyArray<RuntimeMode> => {
  const can = providers.find(({ id }) => id === thread.provider)?.capabilities.runtimeModes
  return RuntimeMode.literals.filter(
    (mode) =>
      mode === thread.runtimeMode ||
      (isWithin(mode, ceiling) && (can === undefined || can.length === 0 || can.includes(mode)))
  )
}

/** For clients that know no options. */
export const modesOf = (choices: Choices): SessionModeState => ({
  currentModeId: choices.thread.runtimeMode,
  availableModes: offered(choices).map((id) => ({ id, name: names[id], description: modes[id] }))
})

/** A thread that is begun goes on with its agent: a client that applies what it remembers must not carry it off. */
export const isBegun = ({ lastSeq, session, status, title }: Thread): boolean =>
  session.state !== "none" || status !== "idle" || (title !== "" && lastSeq > 0)

export const optionsOf = (choices: Choices): Array<SessionConfigOption> => {
  const { models, providers, thread } = choices
  const usable = providers.filter(
    ({ id, status }) => id === thread.provider || (status === "ready" && !isBegun(thread))
  )
  const known = models ?? []
  const own = known.find((model) => model.default === true)?.id
  const current = thread.model ?? own ?? "default"
  const listed = known.some(({ id }) => id === current)
    ? known
    : [{ id: current, name: thread.model ?? "The agent's own" }, ...known]
  return [
    {
      id: "mode",
      name: "Mode",
      category: "mode",
      description: "What the agent may do without asking",
      type: "select",
      currentValue: thread.runtimeMode,
      options: offered(choices).map((value) => ({ value, name: names[value], description: modes[value] }))
    },
    {
      id: "model",
      name: "Model",
      category: "model",
      type: "select",
      currentValue: current,
      options: listed.map(({ id, name }) => ({ value: id, name }))
    },
    {
      id: "provider",
      name: "Agent",
      category: "_agent",
      description: "Which agent works; until the first message",
      type: "select",
      currentValue: thread.provider,
      options: usable.map(({ id }) => ({ value: id, name: id }))
    }
  ]
}
