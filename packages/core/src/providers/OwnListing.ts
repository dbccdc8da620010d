import * as E from "@rejoin/contracts/Errors"
import type { ProviderInstanceId } from "@rejoin/contracts/Ids"
import type { OwnSession } from "@rejoin/contracts/OwnSession"
import { Effect, Option } from "effect"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import type { OwnQuery } from "./OwnSessions.ts"
import { ProviderCall } from "./ProviderCall.ts"
import { ProviderRegistry } from "./ProviderRegistry.ts"

/** What an agent has of its own, with the threads that have it and who works on it now. */
export const makeOwnListing = Effect.gen(function* () {
  const registry = yield* ProviderRegistry
  const store = yield* ThreadStore
  const sessions = yield* LiveSessions
  const call = yield* ProviderCall

  return Effect.fn("ProviderService.sessions")(function* (provider: ProviderInstanceId, query: OwnQuery) {
    const adapter = yield* registry.get(provider)
    const { driver, own } = adapter
    if (own === undefined) {
      return yield* new E.CapabilityMissing({
        capability: "sessions",
        message: `What ${adapter.id} has of its own is out of reach.`
      })
    }
    const { items, storeId, unreadable } = yield* call.within(adapter, "sessions", own.list(query))
    const ids = items.map(({ providerSessionId }) => providerSessionId)
    const held = own.held === undefined ? undefined : yield* call.within(adapter, "sessions", own.held(ids))
    const ours = new Set(
      sessions
        .list()
        .filter((live) => live.adapter.id === adapter.id)
        .map(({ session }) => session.cursor.providerSessionId)
    )
    const shown = yield* Effect.forEach(items, ({ ours: made, ...session }) => {
      const { providerSessionId } = session
      const holder = ours.has(providerSessionId) ? "ours" : held?.has(providerSessionId) ? "other" : "none"
      const told: OwnSession = { ...session, ...((held !== undefined || holder === "ours") && { holder }) }
      return Effect.map(
        store.findSession({ driver, storeId, providerSessionId }),
        Option.match({
          onSome: (threadId): ReadonlyArray<OwnSession> => [{ ...told, threadId }],
          // What a thread of ours left behind is nobody's.
          onNone: () => (made === true ? [] : [told])
        })
      )
    })
    const last = items.length === query.limit ? items.at(-1) : undefined
    return { items: shown.flat(), unreadable, ...(last && { next: last.providerSessionId }) }
  })
})
