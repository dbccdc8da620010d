import { now } from "@rejoin/contracts/Time"
import { Clock, Effect, Metric } from "effect"
import * as ChannelMetrics from "./ChannelMetrics.ts"
import { pairedText, strangerPressText } from "./Words.ts"
import type { Edited, Inbound, Pressed, Said } from "./Inbound.ts"
import { codeIn, guesses, hashOfCode, pairingMinutes } from "./Pairing.ts"
import { hearing } from "./Policy.ts"
import { say } from "./Saying.ts"
import type { Channel } from "./Room.ts"

/** So many strangers' guesses are counted at once; behind them nobody is let in before the time is over. */
const strangersAtMost = 1000

/**
 * Keeps what came, with how far it was received: in one transaction, and before the platform is told so (T11). What nobody
 * may say leaves nothing behind.
 */
export const makeTaking = (channel: Channel, account: string) => {
  const { adapter, config, store } = channel
  const guessed = new Map<string, { count: number; until: number }>()

  /** Whether a stranger may try another code. */
  const mayGuess = (person: string, at: number): boolean => {
    for (const [id, { until }] of guessed) if (until <= at) guessed.delete(id)
    const before = guessed.get(person)
    if (before === undefined && guessed.size >= strangersAtMost) return false
    const count = (before?.count ?? 0) + 1
    guessed.set(person, { count, until: before?.until ?? at + pairingMinutes * 60_000 })
    return count <= guesses
  }

  const pair = Effect.fnUntraced(function* ({ chat, message, sender, text }: Said) {
    const code = codeIn(text)
    if (code === undefined || !mayGuess(sender.id, yield* Clock.currentTimeMillis)) return
    const at = yield* now
    if (!(yield* store.take(config.id, hashOfCode(code), at))) return
    guessed.delete(sender.id)
    yield* store.letIn(config.id, { ...sender, since: at })
    yield* say(channel, { chat, to: message, about: "paired", text: pairedText })
  })

  /** What a message says now counts, as long as no turn was made of it. What is only about it changes nothing. */
  const edit = Effect.fnUntraced(function* (edited: Edited, at: number) {
    const found = yield* store.find(config.id, edited.chat, edited.message)
    if (found._tag === "None" || found.value.arrived.inbound.text === edited.text) return
    const { arrived, open } = found.value
    if (open) yield* store.reword(arrived.seq, { ...arrived.inbound, text: edited.text })
    else yield* store.arrive(config.id, edited, at)
  })

  const keep = Effect.fnUntraced(function* (inbound: Said | Edited | Pressed) {
    const { allow = {} } = config
    const isPeer = yield* store.isPeer(config.id, inbound.sender.id)
    const heard = hearing(allow, isPeer, inbound)
    if (inbound._tag === "Said" && heard === "stranger") return yield* pair(inbound)
    if (heard !== "heard") return
    const at = yield* Clock.currentTimeMillis
    if (inbound._tag === "Edited") yield* edit(inbound, at)
    else if (yield* store.arrive(config.id, inbound, at))
      yield* Metric.update(Metric.withAttributes(ChannelMetrics.arrived, { channel: config.id }), 1)
  })

  return Effect.fnUntraced(function* (inbound: ReadonlyArray<Inbound>, cursor: string | null) {
    yield* store.transaction(
      Effect.gen(function* () {
        for (const one of inbound) {
          if (one._tag === "Renamed") yield* store.rename(config.id, one.chat, one.to)
          else yield* keep(one)
        }
        if (cursor !== null) yield* store.saveCursor(config.id, account, cursor)
      })
    )
    for (const one of inbound) {
      const chat = one._tag === "Renamed" ? one.to : one.chat
      yield* channel.wakeIn(chat)
      yield* channel.wakeOut(chat)
      // Nothing else is said to who may not talk.
      if (one._tag === "Pressed") {
        const isPeer = yield* store.isPeer(config.id, one.sender.id)
        if (hearing(config.allow ?? {}, isPeer, one) !== "heard")
          yield* Effect.forkDetach(Effect.ignore(adapter.pressed(one.receipt, strangerPressText)))
      }
    }
  })
}
