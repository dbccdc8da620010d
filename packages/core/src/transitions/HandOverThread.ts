import * as E from "@rejoin/contracts/Errors"
import type { ProviderInstanceId, ThreadId } from "@rejoin/contracts/Ids"
import { Effect } from "effect"
import { ProviderCall } from "../providers/ProviderCall.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { SessionDirectory } from "../sessions/SessionDirectory.ts"
import type { ThreadRecord } from "../store/Records.ts"
import { WorkingDirectory } from "../threads/WorkingDirectory.ts"
import { TurnJournal } from "../turns/TurnJournal.ts"
import { makeTransition } from "./Transition.ts"

export interface HandOver {
  readonly provider: ProviderInstanceId
  readonly model?: string | undefined
  readonly cwd?: string | undefined
}

/** The thread as another agent is to have it; refused where that one cannot have it so. */
export const makeSuccessor = Effect.gen(function* () {
  const registry = yield* ProviderRegistry
  const call = yield* ProviderCall

  return Effect.fnUntraced(function* (thread: ThreadRecord, { model, provider }: HandOver) {
    const adapter = yield* registry.get(provider)
    if (adapter.id === thread.provider) {
      return yield* new E.InvalidInput({
        field: "provider",
        message: `The thread is with ${provider} already.`,
        hint: "Move it, or fork it."
      })
    }
    const can = yield* call.within(adapter, "detect", adapter.capabilities)
    const lacking = [
      ...(can.compose || adapter.driver === thread.driver ? [] : ["compose"]),
      ...(can.runtimeModes.includes(thread.runtimeMode) ? [] : [`runtimeMode:${thread.runtimeMode}`]),
      ...(thread.systemPrompt === undefined || can.systemPrompt ? [] : ["systemPrompt"]),
      ...(thread.additionalDirectories.length === 0 || can.additionalDirectories
        ? []
        : ["additionalDirectories"])
    ]
    const [capability] = lacking
    if (capability !== undefined) {
      return yield* new E.CapabilityMissing({
        capability,
        message: `${provider} cannot go on with this thread: it lacks ${lacking.join(", ")}.`
      })
    }
    // A model is one agent's own.
    const successor: ThreadRecord = {
      ...thread,
      provider: adapter.id,
      driver: adapter.driver,
      model: model ?? null
    }
    return successor
  })
})

/** A thread goes on with another agent, which has what was said as its own history. */
export const makeHandOver = Effect.gen(function* () {
  const directory = yield* SessionDirectory
  const directories = yield* WorkingDirectory
  const journal = yield* TurnJournal
  const successorOf = yield* makeSuccessor
  const { receiptOf, transition } = yield* makeTransition

  return Effect.fn("ProviderService.handOver")(function* (id: ThreadId, to: HandOver) {
    const cwd = to.cwd === undefined ? undefined : yield* directories.admit(to.cwd)
    return yield* transition(id, (thread) =>
      Effect.gen(function* () {
        const { providerSessionId, terminal } = yield* directory.get(id)
        if (terminal !== null) {
          return yield* new E.SessionHeldElsewhere({
            providerSessionId,
            message: "The conversation is open in a terminal: what is said there is not known here yet.",
            hint: "Leave it there, then `rejoin claim` it."
          })
        }
        const successor = yield* successorOf(thread, to)
        const receipt = yield* receiptOf(successor, cwd ?? thread.cwd, { handOver: true })
        // What waits for the other agent's limit waits for nothing any more.
        yield* journal.withdrawGoingOn({ threadId: id, generation: receipt.generation })
        return receipt
      })
    )
  })
})
