import type { ThreadId } from "@rejoin/contracts/Ids"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import type { InMemoryUpstream } from "@rejoin/core/testing/InMemoryUpstream"
import type { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { Effect } from "effect"

/** What outlives the lives of a run, and what was asked and seen in them. */
export const makeWitness = (store: ThreadStore["Service"], upstream: InMemoryUpstream) => ({
  store,
  upstream,
  /** Laws that were seen broken while it ran. */
  told: [] as Array<string>,
  accepted: [] as Array<{ readonly id: string; readonly input: string; readonly thread: ThreadId }>,
  seen: [] as Array<RuntimeEvent>,
  removed: new Set<ThreadId>(),
  /** Threads that may have come in from outside: their earlier events are those of where they were. */
  carried: new Set<ThreadId>(),
  /** How often a thread's conversation was cut on purpose. */
  breaks: new Map<ThreadId, number>(),
  recalled: new Map<ThreadId, string>(),
  where: new Map<ThreadId, string>(),
  /** Threads that were opened read-only, and what they tried to write; those whose mode was ever changed. */
  forbidden: new Map<ThreadId, Array<string>>(),
  widened: new Set<ThreadId>()
})

export type Witness = ReturnType<typeof makeWitness>

export const knownThreads = ({ store }: Witness) =>
  Effect.map(store.listThreads({ limit: 100 }), (rows) => rows.map(({ id }) => id))

/** Cut: what was said before need not be known any more. */
export const broke = ({ breaks }: Witness, id: ThreadId) => breaks.set(id, (breaks.get(id) ?? 0) + 1)
