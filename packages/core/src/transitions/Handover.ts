import * as E from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { Effect } from "effect"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { SessionDirectory } from "../sessions/SessionDirectory.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { ProviderCall } from "../providers/ProviderCall.ts"
import { ConversationSource } from "../threads/ConversationSource.ts"
import { lacking, Terminals } from "../terminal/Terminals.ts"
import { threadBusy } from "../threads/Threads.ts"
import { makeTransition } from "./Transition.ts"

/** A session goes to the terminal of its user, and comes back. */
export const makeHandover = Effect.gen(function* () {
  const sessions = yield* LiveSessions
  const directory = yield* SessionDirectory
  const registry = yield* ProviderRegistry
  const call = yield* ProviderCall
  const sources = yield* ConversationSource
  const terminals = yield* Terminals
  const { idle, transition, receiptOf } = yield* makeTransition

  const release = Effect.fn("ProviderService.release")(function* (
    id: ThreadId,
    flags: ReadonlyArray<string>
  ) {
    return yield* transition(id, (thread) =>
      Effect.gen(function* () {
        const adapter = yield* registry.get(thread.provider)
        const { terminal } = yield* call.within(adapter, "detect", adapter.capabilities)
        if (!terminal) return yield* lacking
        const binding = yield* directory.get(id)
        const { binding: spoken } = yield* sources.of(thread, binding)
        // An agent keeps no session in which nothing was said: there is none to open (E2).
        if (spoken.prior === "none") {
          return yield* new E.InvalidInput({
            field: "id",
            message: "Nothing was said in this thread yet: there is no session to open.",
            hint: "Send something first."
          })
        }
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
    return yield* transition(id, (thread) => receiptOf(thread, thread.cwd, { claim: true }))
  })

  return { release, claim }
})
