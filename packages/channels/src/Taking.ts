import { now } from "@rejoin/contracts/Time"
import { Clock, Effect, Metric, Option, Struct } from "effect"
import * as ChannelMetrics from "./ChannelMetrics.ts"
import { alreadyInText, pairedText, strangerPressText } from "./Words.ts"
import type { ChatKey, Edited, Inbound, Pressed, Said, Undelivered } from "./Inbound.ts"
import { codeIn, guesses, hashOfCode, pairingMinutes } from "./Pairing.ts"
import { hearing, isLetIn } from "./Policy.ts"
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
    if (code === undefined || !mayGuess(sender.id, yield* Clock.currentTimeMillis)) return false
    const at = yield* now
    if (!(yield* store.take(config.id, hashOfCode(code), at))) return false
    guessed.delete(sender.id)
    used.add(hashOfCode(code))
    yield* store.letIn(config.id, { ...sender, since: at })
    yield* say(channel, { chat, to: message, about: "paired", text: pairedText })
    return true
  })

  /** What a message says now counts, as long as no turn was made of it. What is only about it changes nothing. */
  const edit = Effect.fnUntraced(function* (edited: Edited, at: number) {
    const found = yield* store.find(config.id, edited.chat, edited.message)
    if (found._tag === "None" || found.value.arrived.inbound.text === edited.text) return
    const { arrived, open } = found.value
    yield* store.reword(arrived.seq, { ...arrived.inbound, text: edited.text })
    if (!open) yield* store.arrive(config.id, edited, at)
  })

  /** Pictures that were sent together: one of them is addressed, and all are meant. */
  const heardAlbums = new Set<string>()
  const isOfAlbum = (inbound: Said | Edited | Pressed) =>
    inbound._tag === "Said" &&
    inbound.album !== undefined &&
    heardAlbums.has(`${inbound.chat} ${inbound.album}`)
  const used = new Set<string>()

  /** A code is for no agent: one who was let in has not to be let in again, and has shown it. */
  const isCode = Effect.fnUntraced(function* ({ chat, groups, message, text }: Said) {
    const code = groups.length === 0 ? codeIn(text) : undefined
    if (code === undefined) return false
    const hash = hashOfCode(code)
    if (!used.has(hash) && !(yield* store.take(config.id, hash, yield* now))) return false
    used.add(hash)
    yield* say(channel, { chat, to: message, about: "paired", text: alreadyInText })
    return true
  })

  const undelivered = Effect.fnUntraced(function* ({ later, remote, why }: Undelivered) {
    const part = yield* store.partOf(config.id, remote)
    if (Option.isNone(part)) return
    yield* store.changePart(config.id, part.value, (before) =>
      later
        ? Struct.omit({ ...before, state: "planned", remote: null } as const, ["since"])
        : { ...before, state: "final", failed: why }
    )
    yield* channel.report(`A message has not arrived: ${why}`)
  })

  /** The chat in which there is something to be done now. */
  const keep = Effect.fnUntraced(function* (inbound: Said | Edited | Pressed) {
    const { allow = {} } = config
    const { chat, sender } = inbound
    const isPeer = yield* store.isPeer(config.id, sender.id)
    const heard = hearing(allow, isPeer, isOfAlbum(inbound) ? { ...inbound, addressed: true } : inbound)
    if (inbound._tag === "Said" && heard === "stranger") return (yield* pair(inbound)) ? chat : undefined
    if (heard !== "heard") {
      // Who was let in wants something there, and its number is not to be seen in most platforms.
      if (inbound._tag === "Said" && inbound.addressed && isLetIn(allow, isPeer, sender.id))
        yield* channel.report(
          `The bot was spoken to in ${inbound.groups.join(", ")}, which allow.groups does not list.`
        )
      return undefined
    }
    const at = yield* Clock.currentTimeMillis
    if (inbound._tag === "Edited") yield* edit(inbound, at)
    else if (inbound._tag === "Said" && (yield* isCode(inbound))) return chat
    else if (yield* store.arrive(config.id, inbound, at)) {
      if (inbound._tag === "Said" && inbound.album !== undefined) {
        heardAlbums.add(`${chat} ${inbound.album}`)
        if (heardAlbums.size > 100) heardAlbums.delete([...heardAlbums][0] ?? "")
      }
      yield* Metric.update(Metric.withAttributes(ChannelMetrics.arrived, { channel: config.id }), 1)
    }
    return chat
  })

  return Effect.fnUntraced(function* (inbound: ReadonlyArray<Inbound>, cursor: string | null) {
    const awake = new Set<ChatKey>()
    const strangers: Array<Pressed> = []
    yield* store.transaction(
      Effect.gen(function* () {
        for (const one of inbound) {
          if (one._tag === "Renamed") {
            yield* store.rename(config.id, one.chat, one.to)
            awake.add(one.to)
            continue
          }
          if (one._tag === "Undelivered") {
            yield* undelivered(one)
            awake.add(one.chat)
            continue
          }
          const chat = yield* keep(one)
          if (chat !== undefined) awake.add(chat)
          else if (one._tag === "Pressed") strangers.push(one)
        }
        if (cursor !== null) yield* store.saveCursor(config.id, account, cursor)
      })
    )
    for (const chat of awake) {
      yield* channel.wakeIn(chat)
      yield* channel.wakeOut(chat)
    }
    // Nothing else is said to who may not talk.
    for (const { receipt } of strangers)
      yield* Effect.forkDetach(Effect.ignore(adapter.pressed(receipt, strangerPressText)))
  })
}
