import { Effect, Option } from "effect"
import type { ThreadEvents } from "../events/ThreadEvents.ts"
import type { Found } from "../plan/Probe.ts"
import type { ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import type { ProviderCall } from "../providers/ProviderCall.ts"
import type { ResumeCursor } from "../providers/ResumeCursor.ts"
import type { Binding } from "../store/Records.ts"
import type { ThreadStore } from "../store/ThreadStore.ts"
import { saveEarlier } from "./Earlier.ts"
import { pastTurn } from "./PastTurn.ts"

interface Needs {
  readonly store: ThreadStore["Service"]
  readonly events: ThreadEvents["Service"]
  readonly call: ProviderCall["Service"]
}

/**
 * What was said in the agent's own interface since our last message becomes turns of the thread, before the next one: the
 * binding with the mark that goes with it, and how many there were. Where it cannot be read, nothing has changed.
 */
export const makeImportSaid = ({ call, events, store }: Needs) =>
  Effect.fn("importSaid")(
    function* (
      binding: Binding,
      adapter: ProviderAdapterShape,
      cursor: ResumeCursor,
      { ahead = 0 }: Found,
      about: Parameters<ProviderAdapterShape["probe"]>[1]
    ) {
      const { own } = adapter
      const none = { binding, imported: 0 }
      if (ahead === 0 || own === undefined) return none
      const said = (yield* call.within(adapter, "sessions", own.history(cursor))).slice(-ahead)
      const mark = said.at(-1)?.messageId
      if (mark === undefined || said.length !== ahead) return none
      // Only what it can be told by from now on: else the same would come again.
      const again = yield* call.within(adapter, "probe", adapter.probe(cursor, { ...about, mark }))
      if (again._tag !== "Found" || again.history !== "same") return none
      const { generation, threadId } = binding
      // One of ours may have arrived in the moment in which we were killed.
      const foreign = yield* Effect.filter(said, ({ messageId }) =>
        Effect.map(store.findMessage(threadId, messageId), Option.isNone)
      )
      const turns = yield* Effect.forEach(foreign, (one) => pastTurn({ threadId, generation }, one))
      const next: Binding = { ...binding, mark, prior: "some" }
      yield* events.transact(binding, (emit) =>
        Effect.gen(function* () {
          yield* store.saveBinding(next)
          yield* saveEarlier(store, emit, turns)
          yield* store.openTurnsLast(threadId)
        })
      )
      return { binding: next, imported: turns.length }
    },
    (imported, binding) => {
      // Whatever stands in an agent's record: the turn goes on without it.
      const without = (error: unknown) =>
        Effect.as(
          Effect.logWarning("What was said in the agent's own interface could not be read.", error),
          nothingSaid(binding)
        )
      return imported.pipe(Effect.catch(without), Effect.catchDefect(without))
    }
  )

/** As it was where nothing was looked for. */
export const nothingSaid = (binding: Binding) => ({ binding, imported: 0 })
