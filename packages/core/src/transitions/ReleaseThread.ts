import * as E from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { Effect } from "effect"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { SessionDirectory } from "../sessions/SessionDirectory.ts"
import { heldAtTerminal, wentElsewhere } from "../plan/Plan.ts"
import type { ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { ProviderCall } from "../providers/ProviderCall.ts"
import type { ThreadRecord } from "../store/Records.ts"
import { ConversationSource } from "../threads/ConversationSource.ts"
import { lacking, noSession, type TakenBack, Terminals } from "../terminal/Terminals.ts"
import { threadBusy, Threads } from "../threads/Threads.ts"
import { makeTransition } from "./Transition.ts"

/** A session goes to the terminal of its user, and comes back. */
export const makeRelease = Effect.gen(function* () {
  const sessions = yield* LiveSessions
  const directory = yield* SessionDirectory
  const registry = yield* ProviderRegistry
  const call = yield* ProviderCall
  const sources = yield* ConversationSource
  const terminals = yield* Terminals
  const threads = yield* Threads
  const { idle, transition, receiptOf } = yield* makeTransition

  /** What was begun in a terminal before comes back first. */
  const back = Effect.fnUntraced(function* (
    thread: ThreadRecord,
    adapter: ProviderAdapterShape,
    claim: boolean
  ) {
    const binding = yield* directory.get(thread.id)
    if (binding.terminal?.begins === undefined) {
      const here: TakenBack = { binding, atTerminal: false }
      return here
    }
    const taken = yield* terminals.settle(thread, binding, adapter, claim)
    return taken.atTerminal ? yield* heldAtTerminal(binding.providerSessionId) : taken
  })

  const release = Effect.fn("ProviderService.release")(function* (
    id: ThreadId,
    flags: ReadonlyArray<string>
  ) {
    return yield* transition(id, (thread) =>
      Effect.gen(function* () {
        const adapter = yield* registry.get(thread.provider)
        const { terminal } = yield* call.within(adapter, "detect", adapter.capabilities)
        if (!terminal) return yield* lacking
        const { binding } = yield* back(thread, adapter, false)
        if (binding.moved !== null) return yield* wentElsewhere(binding.moved, binding.providerSessionId)
        const { binding: spoken } = yield* sources.of(thread, binding)
        // An agent keeps no session in which nothing was said: nothing is resumed (E2), one is begun.
        if (spoken.prior === "none") return yield* terminals.begin(thread, adapter, sessions.get(id), flags)
        const receipt = yield* receiptOf(thread, thread.cwd)
        // A conversation that began anew just now is not handed over as if it were the old one (law 1).
        const isNew = receipt.generation > binding.generation
        if (isNew && (receipt.outcome === "replaced" || receipt.outcome === "created")) {
          return yield* new E.UpstreamLost({
            providerSessionId: receipt.providerSessionIdBefore,
            message: `The conversation is not there any more: ${receipt.reason ?? receipt.outcome}. A new one was begun, and is empty.`,
            hint: "Send something first."
          })
        }
        const live = sessions.get(id)
        if (live === undefined) return yield* threadBusy(id)
        // Something may have been sent while it started: that comes first.
        yield* idle(id)
        return yield* terminals.release(thread, live, flags)
      })
    )
  })

  const claim = Effect.fn("ProviderService.claim")(function* (id: ThreadId) {
    return yield* transition(id, (thread) =>
      Effect.gen(function* () {
        const { terminal } = yield* directory.get(id)
        if (terminal?.begins === undefined) return yield* receiptOf(thread, thread.cwd, { claim: true })
        const { binding, untold } = yield* back(thread, yield* registry.get(thread.provider), true)
        if (binding.prior === "none") return yield* noSession(untold)
        const known = yield* threads.record(id)
        return yield* receiptOf(known, known.cwd, { claim: true })
      })
    )
  })

  return { release, claim }
})
