import type { StoreFailed } from "@rejoin/contracts/Errors"
import { Clock, Effect, Metric, Option, Struct } from "effect"
import { attemptToken } from "./Attempt.ts"
import type { Attempt, Outgoing } from "./ChannelAdapter.ts"
import * as ChannelMetrics from "./ChannelMetrics.ts"
import type { ChannelFailure } from "./ChannelFailure.ts"
import type { Part } from "./ChannelStore.ts"
import type { ChatKey } from "./Inbound.ts"
import type { Previews } from "./Previews.ts"
import { type Channel, Later } from "./Room.ts"
import { againText, pending } from "./Words.ts"

/** The same for the same attempt, in every life. */
const attemptOf = ({ item, part }: Part, since: number): Attempt => ({
  since,
  token: attemptToken(`${item}:${part}:${since}`)
})

/** In ms. */
const givenUp = 24 * 3_600_000

/**
 * Brings what is to be said to the platform, part by part and in order within a chat (T12). That a send begins is written
 * before it begins: after a crash, and after an answer that never came, it is in doubt, and whether it is sent again
 * depends on what the platform can tell. An edit can be repeated.
 */
export const makeDelivery = (channel: Channel, previews: Previews) => {
  const { adapter, config, report, store } = channel
  const lastEdit = new Map<ChatKey, number>()

  const change = (part: Part, to: (before: Part) => Part) =>
    store.transaction(store.changePart(config.id, part, to))
  const count = (what: "arrived" | "failed") =>
    Metric.update(Metric.withAttributes(ChannelMetrics.delivered, { channel: config.id, what }), 1)
  const fail = (part: Part, why: string) =>
    Effect.andThen(
      Effect.andThen(report(`A message could not be delivered: ${why}`), count("failed")),
      change(part, (before) => ({ ...before, state: "final", failed: why }))
    )
  /** Not before the platform lets us edit in this chat once more. */
  const paced = (chat: ChatKey) =>
    Effect.gen(function* () {
      const wait = (lastEdit.get(chat) ?? 0) + adapter.pace(chat) - (yield* Clock.currentTimeMillis)
      if (wait > 0) yield* Effect.sleep(wait)
      lastEdit.set(chat, yield* Clock.currentTimeMillis)
    })

  /** What is sent first, where that is not all that it is to say. */
  const firstOf = (part: Part, isAgain: boolean): Outgoing => {
    const { buttons, kind, text } = part
    if (text === null || (kind === "answer" && adapter.beginsEmpty)) return { text: pending, silent: true }
    const told =
      isAgain && text.length + againText.length < adapter.limits.text ? `${againText}${text}` : text
    return { text: told, ...(buttons && { buttons }) }
  }

  const send = Effect.fnUntraced(function* (part: Part) {
    const { chat, file, text, to } = part
    const since = part.since ?? (yield* Clock.currentTimeMillis)
    const attempt = attemptOf(part, since)
    const arrived = (remote: string, isWhole: boolean) =>
      change(part, (before) => ({
        ...before,
        remote,
        // It may have been given another text meanwhile.
        state: isWhole && before.text === text ? "final" : "sent"
      })).pipe(Effect.tap(isWhole ? count("arrived") : Effect.void))
    const isEditable = file === undefined && adapter.edit !== undefined
    let isAgain = false
    if (part.state === "sending") {
      const doubt = yield* adapter.doubt(chat, to, firstOf(part, false), attempt)
      if (doubt === "unknown") isAgain = true
      else if ("wait" in doubt) return yield* Effect.sleep(doubt.wait)
      // What it said then, nobody knows: it is made to say what it is to say now.
      else if (doubt.sent !== null) return yield* arrived(doubt.sent, !isEditable)
    }
    yield* change(part, (before) => ({ ...before, state: "sending", since }))
    const first = firstOf(part, isAgain)
    const remote =
      file === undefined
        ? yield* adapter.send(chat, to, first, attempt)
        : yield* adapter.upload(
            chat,
            to,
            { name: file, bytes: new TextEncoder().encode(text ?? "") },
            attempt
          )
    const isWhole = part.state === "planned" && text !== null && first.text !== pending
    yield* arrived(remote, !isEditable || isWhole)
  })

  const edit = Effect.fnUntraced(function* (part: Part) {
    const { buttons, chat, remote, text } = part
    if (text !== null && remote !== null && adapter.edit !== undefined) {
      yield* paced(chat)
      yield* adapter.edit(chat, remote, { text, ...(buttons && { buttons }) })
    }
    yield* change(part, (before) => ({ ...before, state: before.text === text ? "final" : "sent" }))
    yield* count("arrived")
  })

  /** It was not done, or it cannot be known. */
  const failing =
    (part: Part) =>
    (failure: ChannelFailure): Effect.Effect<void, Later | StoreFailed> => {
      const isEdit = part.state === "sent"
      // This time it was not. What an earlier attempt did is as much in doubt as before.
      const undone =
        part.state === "planned" ? change(part, (before) => ({ ...before, state: "planned" })) : Effect.void
      switch (failure._tag) {
        case "TooFast":
          return Effect.andThen(undone, Effect.sleep(failure.retryAfter))
        case "Refused": {
          if (failure.movedTo !== undefined) {
            const to = failure.movedTo
            return undone.pipe(
              Effect.andThen(store.transaction(store.rename(config.id, part.chat, to))),
              Effect.andThen(channel.wakeIn(to)),
              Effect.andThen(channel.wakeOut(to))
            )
          }
          if (!isEdit || part.failed !== undefined) return fail(part, failure.message)
          // The message is gone, or too old: it is said in another one, once.
          return change(part, (before) =>
            Struct.omit({ ...before, state: "planned", remote: null, failed: failure.message } as const, [
              "since"
            ])
          )
        }
        case "NotLetIn":
          return undone.pipe(
            Effect.andThen(report(failure.message)),
            Effect.andThen(channel.notLetIn(failure)),
            Effect.andThen(Effect.fail(new Later({ message: failure.message })))
          )
        default:
          // What no platform takes in a day does not hold up what comes behind it.
          return Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<void, Later | StoreFailed> =>
            now - (part.since ?? now) > givenUp
              ? fail(part, failure.message)
              : Effect.fail(new Later({ message: failure.message }))
          )
      }
    }

  /** Shows how far an answer has come; that it does not work is no harm. */
  const preview = Effect.fnUntraced(function* (chat: ChatKey) {
    const shown = previews.take(chat)
    if (shown === undefined || adapter.edit === undefined) return false
    const [part] = yield* store.parts(config.id, shown.item)
    if (part?.state !== "sent" || part.text !== null || part.remote === null) return true
    yield* paced(chat)
    // It may be whole by now.
    if (previews.isOver(shown.item)) return true
    yield* adapter.edit(chat, part.remote, { text: shown.text }).pipe(
      Effect.catchTag("TooFast", ({ retryAfter }) => Effect.sleep(retryAfter)),
      Effect.ignore
    )
    return true
  })

  return Effect.fnUntraced(function* (chat: ChatKey) {
    const due = yield* store.due(config.id, chat)
    if (Option.isNone(due)) return yield* preview(chat)
    const part = due.value
    yield* (part.state === "sent" ? edit(part) : send(part)).pipe(
      Effect.catchTags({
        NotLetIn: failing(part),
        Refused: failing(part),
        TakenElsewhere: failing(part),
        TooFast: failing(part),
        Unanswered: failing(part)
      })
    )
    return true
  })
}
