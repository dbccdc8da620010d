import { Effect, Option } from "effect"
import { type Earlier, makeEarlier } from "../conversation/Earlier.ts"
import type { ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import type { ProviderCall } from "../providers/ProviderCall.ts"
import type { ResumeCursor } from "../providers/ResumeCursor.ts"
import type { Binding } from "../store/Records.ts"
import type { ThreadStore } from "../store/ThreadStore.ts"

interface Needs {
  readonly store: ThreadStore["Service"]
  readonly call: ProviderCall["Service"]
}

/** What was said in one session and then in another: one that is a copy of the first begins with the same. */
const together = (
  before: Earlier["turns"],
  after: { readonly turns: Earlier["turns"]; readonly isCopy: boolean }
): Earlier["turns"] => {
  const both = (at: number) => before[at]?.turn.input === after.turns[at]?.turn.input
  const shared = after.isCopy ? before.findIndex((_, at) => !both(at)) : 0
  return [...before, ...after.turns.slice(shared < 0 ? before.length : shared)]
}

/** What was said in a terminal that went on in another session: in the one that it was given, and then in that. */
export const makeSaidThere = ({ call, store }: Needs) => {
  const earlier = makeEarlier(call)

  /** A copy whose messages have other ids has our last message, and begins as the thread does. */
  const copiedUpTo = Effect.fnUntraced(function* ({ mark, threadId }: Binding, turns: Earlier["turns"]) {
    const last = mark === null ? Option.none() : yield* store.findMessage(threadId, mark)
    const at = turns.findLastIndex(({ turn }) => Option.exists(last, ({ input }) => input === turn.input))
    const [first] = yield* store.listTurns(threadId, { limit: 1 })
    return at > 0 && turns[0]?.turn.input === first?.input ? at + 1 : 0
  })

  /**
   * What was said in a session that the terminal had or went on in, and is not in the thread yet: a fork begins with what
   * is. Where it cannot be read the thread goes on without it.
   */
  const saidIn = Effect.fnUntraced(
    function* (binding: Binding, adapter: ProviderAdapterShape, cursor: ResumeCursor) {
      const { generation, mark, threadId } = binding
      if (adapter.own === undefined) return undefined
      const cwd = binding.cwd ?? ""
      const said = yield* earlier(adapter, adapter.own, cursor, { threadId, generation, cwd })
      const own = said.turns.findLastIndex(({ turn }) => mark !== null && turn.messageId === mark)
      const known = own >= 0 ? own + 1 : yield* copiedUpTo(binding, said.turns)
      const fresh = yield* Effect.filter(said.turns.slice(known), ({ turn }) =>
        Effect.map(
          turn.messageId === null ? Effect.succeedNone : store.findMessage(threadId, turn.messageId),
          Option.isNone
        )
      )
      return { mark: said.mark, turns: fresh, isCopy: known > 0 }
    },
    (said) => {
      // Whatever stands in an agent's record: the thread goes on.
      const without = (error: unknown) =>
        Effect.as(Effect.logWarning("What was said in a terminal could not be read.", error), undefined)
      return said.pipe(Effect.catch(without), Effect.catchDefect(without))
    }
  )

  return Effect.fnUntraced(function* (binding: Binding, adapter: ProviderAdapterShape, next: ResumeCursor) {
    const said = yield* saidIn(binding, adapter, next)
    if (said === undefined) return undefined
    const left = adapter.decodeCursor(binding.cursor)
    const before = Option.isNone(left) ? undefined : yield* saidIn(binding, adapter, left.value)
    return { mark: said.mark, turns: together(before?.turns ?? [], said) }
  })
}
