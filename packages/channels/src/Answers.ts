import type { TurnId } from "@rejoin/contracts/Ids"
import { isSettled, type Turn, waits } from "@rejoin/contracts/Turn"
import { Effect, FiberMap, Option } from "effect"
import type { Part } from "./ChannelStore.ts"
import type { Previews } from "./Previews.ts"
import { refusing } from "./Refusal.ts"
import type { Channel } from "./Room.ts"
import { split } from "./Splitter.ts"
import { answerText, deletedText, doneText, wholeInFileText } from "./Words.ts"

/** More parts than these are a file. */
const partsAtMost = 5

/** After so long nobody looks at the chat any more: an edit alone would not be noticed. In ms. */
const longTurn = 10_000

const tookMs = ({ settledAt, startedAt }: Turn): number =>
  startedAt === undefined || settledAt === undefined ? 0 : Date.parse(settledAt) - Date.parse(startedAt)

/** What is to be said of a turn, by what it is now: asked for as often as one likes, it is said once. */
export const makeAnswers = Effect.fnUntraced(function* (channel: Channel, previews: Previews) {
  const { adapter, config, rejoin, store } = channel
  const typing = yield* FiberMap.make<string>()

  const finish = Effect.fnUntraced(function* (
    first: Part,
    text: string,
    isLong: boolean,
    { continuedBy, status }: Pick<Turn, "continuedBy" | "status"> = { status: "completed" }
  ) {
    const { chat, item, threadId, to } = first
    const all = split(text, adapter.limits.text)
    const shown = all.length > partsAtMost ? [] : all.slice(1)
    const [head = "", ...rest] =
      all.length > partsAtMost
        ? split(`${wholeInFileText}\n\n${text}`, adapter.limits.text).slice(0, 1)
        : [all[0] ?? "", ...shown]
    const more = { item, kind: "answer", chat, to, threadId, state: "planned", remote: null } as const
    yield* store.transaction(
      Effect.gen(function* () {
        const [now] = yield* store.parts(config.id, item)
        // Somebody else has looked at the same moment.
        if (now?.text !== null) return
        yield* store.changePart(config.id, first, (before) => ({
          ...before,
          text: head,
          state: before.state === "held" ? "planned" : before.state
        }))
        for (const [at, text] of rest.entries())
          yield* store.addPart(config.id, { ...more, part: at + 1, text })
        if (all.length > partsAtMost)
          yield* store.addPart(config.id, { ...more, part: 1, text, file: "answer.md" })
        // What goes on with it is answered where it was asked.
        if (continuedBy !== undefined)
          yield* store.addPart(config.id, {
            ...more,
            item: continuedBy,
            part: 0,
            state: "held",
            text: null
          })
        // An edit makes no sound.
        if (isLong && adapter.edit !== undefined)
          yield* store.addPart(config.id, {
            ...more,
            item: `done:${item}`,
            kind: "word",
            part: 0,
            text: doneText(status)
          })
      })
    )
    previews.end(item)
    yield* FiberMap.remove(typing, item)
    yield* channel.wakeOut(chat)
  })

  /** Says of this turn what can be said by now. */
  const look = Effect.fnUntraced(function* (turnId: TurnId) {
    const [first] = yield* store.parts(config.id, turnId)
    if (first === undefined || first.text !== null || first.threadId === null) return
    const { chat, threadId: id } = first
    const turn = yield* refusing(
      rejoin.turns.get({ params: { id, turnId }, query: {} }).pipe(
        Effect.asSome,
        Effect.catchTags({
          ThreadNotFound: () => Effect.succeedNone,
          TurnNotFound: () => Effect.succeedNone
        })
      )
    )
    if (Option.isNone(turn)) return yield* finish(first, deletedText, false)
    if (isSettled(turn.value.status)) {
      const { items } = yield* refusing(rejoin.threads.receipts({ params: { id }, query: { limit: 1 } }))
      const receipt = items[0]?.turnId === turnId ? items[0] : undefined
      return yield* finish(first, answerText(turn.value, receipt), tookMs(turn.value) > longTurn, turn.value)
    }
    if (waits(turn.value)) return
    previews.begin(turnId, chat)
    yield* FiberMap.run(
      typing,
      turnId,
      Effect.forever(
        Effect.andThen(Effect.ignore(adapter.typing(chat, first.to)), Effect.sleep("4 seconds"))
      ),
      { onlyIfMissing: true }
    )
    // Nothing is begun that cannot be gone on with.
    if (adapter.edit === undefined) return
    yield* store.transaction(
      store.changePart(config.id, first, (before) => ({
        ...before,
        state: before.state === "held" ? "planned" : before.state
      }))
    )
    yield* channel.wakeOut(chat)
  })

  return { look } as const
})

export type Answers = Effect.Success<ReturnType<typeof makeAnswers>>
