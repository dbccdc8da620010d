import * as E from "@rejoin/contracts/Errors"
import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { Effect, Option } from "effect"
import { Threads } from "../threads/Threads.ts"
import { WorkingDirectory } from "../threads/WorkingDirectory.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { ProviderCall } from "../providers/ProviderCall.ts"
import type { ThreadRecord } from "../store/Records.ts"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { type HandOver, makeSuccessor } from "./HandOverThread.ts"
import { makeTransition } from "./Transition.ts"

/** A new thread from what was said in another one. */
export const makeFork = Effect.gen(function* () {
  const sessions = yield* LiveSessions
  const threads = yield* Threads
  const directories = yield* WorkingDirectory
  const registry = yield* ProviderRegistry
  const store = yield* ThreadStore
  const call = yield* ProviderCall
  const successorOf = yield* makeSuccessor
  const { transition, receiptOf } = yield* makeTransition

  const forkable = Effect.fnUntraced(function* (
    thread: ThreadRecord,
    turnId: TurnId | undefined,
    isOwn: boolean
  ) {
    const adapter = yield* registry.get(thread.provider)
    const { fork } = yield* call.within(adapter, "detect", adapter.capabilities)
    const what = turnId === undefined ? "whole" : "turn"
    if (isOwn && !fork.includes(what)) {
      return yield* new E.CapabilityMissing({
        capability: `fork:${what}`,
        message:
          what === "whole"
            ? "This provider cannot fork a conversation."
            : "This provider can fork a conversation only as it is now."
      })
    }
    if (turnId === undefined) return
    const turn = Option.filter(yield* store.getTurn(turnId), ({ threadId }) => threadId === thread.id)
    if (Option.isNone(turn)) {
      return yield* new E.TurnNotFound({ turnId, message: `There is no turn ${turnId} in this thread.` })
    }
    if (turn.value.messageId === null) {
      return yield* new E.InvalidInput({
        field: "turnId",
        message: "This turn never reached the provider: the conversation has no such point."
      })
    }
  })

  const fork = Effect.fn("ProviderService.fork")(function* (
    id: ThreadId,
    { cwd, model, provider, turnId }: { readonly turnId?: TurnId | undefined } & Partial<HandOver>
  ) {
    const real = cwd === undefined ? undefined : yield* directories.admit(cwd)
    return yield* transition(id, (origin) =>
      Effect.gen(function* () {
        const isOwn = provider === undefined || provider === origin.provider
        yield* forkable(origin, turnId, isOwn)
        const successor = isOwn
          ? { ...origin, model: model ?? origin.model }
          : yield* successorOf(origin, { provider, model })
        const { id: forkId } = yield* threads.fork(successor, { cwd: real ?? origin.cwd, turnId })
        const thread = yield* threads.record(forkId)
        yield* sessions
          .withLease(forkId)(receiptOf(thread, thread.cwd, { handOver: !isOwn }))
          // It was there to be seen: what somebody has said in it meanwhile is not lost with it.
          .pipe(Effect.onError(() => Effect.ignore(threads.remove(forkId, { unused: true }))))
        return yield* threads.get(forkId)
      })
    )
  })

  return fork
})
