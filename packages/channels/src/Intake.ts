import type { StoreFailed } from "@rejoin/contracts/Errors"
import { Clock, Effect, type FileSystem, Option, Struct } from "effect"
import type { Answers } from "./Answers.ts"
import { type Asking, choiceIn, nextQuestion } from "./Asking.ts"
import type { Arrived } from "./ChannelStore.ts"
import { commandIn } from "./Command.ts"
import { makeCommandRun } from "./CommandRun.ts"
import type { ChatKey, Edited, Pressed, Said } from "./Inbound.ts"
import { hearing, isLetIn } from "./Policy.ts"
import { type Refusal, refusing } from "./Refusal.ts"
import type { Channel, Later } from "./Room.ts"
import { say } from "./Saying.ts"
import { clean, submit } from "./Submitting.ts"
import { inGroup, lateText, notLetInText, strangerPressText, tooLateToEditText, waitsText } from "./Words.ts"

/** How long after the last picture of an album another one may come, in ms. */
const albumMs = 1000
/** More do not belong to one. */
const albumAtMost = 30

const isSaid = (arrived: Arrived): arrived is Arrived<Said> => arrived.inbound._tag === "Said"

/**
 * Deals with what came in a chat, one after the other. It is done with when that is written; what is done twice, because
 * we died between, is the same turn, the same answer, the same word.
 */
export const makeIntake = (channel: Channel, answers: Answers, asking: Asking) => {
  const { adapter, config, rejoin, store } = channel
  const run = makeCommandRun(channel, asking)

  const isPeer = (person: string) => store.isPeer(config.id, person)
  const mayDecide = (person: string) =>
    Effect.map(isPeer(person), (peer) => isLetIn(config.allow ?? {}, peer, person))

  const word = (chat: ChatKey, to: string | null, about: string, text: string) =>
    Effect.andThen(store.transaction(say(channel, { chat, to, about, text })), channel.wakeOut(chat))

  /** Those that belong together; as long as another one may come, how long to wait, in ms. */
  const album = Effect.fnUntraced(function* (first: Arrived<Said>) {
    const { album, chat } = first.inbound
    if (album === undefined) return [first] as const
    const all = yield* store.arrivals(config.id, chat, albumAtMost)
    const [, ...more] = all.filter(isSaid).filter(({ inbound }) => inbound.album === album)
    const last = more.at(-1) ?? first
    const wait = last.at + albumMs - (yield* Clock.currentTimeMillis)
    if (wait > 0) return wait
    return [first, ...more] as const
  })

  const saidOne = Effect.fnUntraced(function* (
    arrived: Arrived<Said>
  ): Effect.fn.Return<void, Later | Refusal | StoreFailed, FileSystem.FileSystem> {
    const { chat, message, sender, text } = arrived.inbound
    const command = commandIn(text, channel.bot)
    if (command !== undefined) {
      const mayDo = command._tag === "Help" || (yield* mayDecide(sender.id))
      yield* word(chat, message, "command", mayDo ? yield* run(arrived.inbound, command) : notLetInText)
      return yield* store.done(arrived.seq, null)
    }
    // A question that waits is answered by what is written: as a turn it would wait behind it, for ever.
    const before = Option.getOrUndefined(yield* store.askBy(config.id, chat, message))
    const question =
      before ??
      (yield* store.openAsks(config.id)).find((ask) => ask.chat === chat && nextQuestion(ask) !== undefined)
    // What comes with files is said to the agent.
    if (question !== undefined && text.trim() !== "" && arrived.inbound.files.length === 0) {
      const { id } = question
      const done = store.done(arrived.seq, null)
      yield* store.changeAsk(config.id, id, (ask) => ({ ...ask, by: message }))
      const told = yield* asking.decide(question, { text }, sender.name, done)
      if (told !== undefined) return
      // We died behind the answer, which was this one.
      if (before !== undefined) return yield* done
      // It is a message like any other.
      yield* store.changeAsk(config.id, id, (ask) => Struct.omit(ask, ["by"]))
    }
    const together = yield* album(arrived)
    if (typeof together === "number") return yield* Effect.sleep(together)
    const turn = yield* submit(channel, together)
    // It comes behind what waits for an answer, which is easily overlooked.
    const approval = (yield* store.openAsks(config.id)).find(
      (ask) => ask.chat === chat && ask.asked.kind === "approval"
    )
    if (approval !== undefined)
      yield* word(chat, null, `waits:${approval.id}`, waitsText(adapter.commandMark ?? "/"))
    yield* channel.wakeOut(chat)
    if (turn === undefined) return
    // It may have begun, asked or ended before we knew that it is ours. Where that cannot be told now, it is looked at again.
    yield* Effect.catch(
      Effect.andThen(answers.look(turn.id), asking.look(turn.threadId, turn.id)),
      () => channel.lookAgain
    )
  })

  const editedOne = Effect.fnUntraced(function* ({ inbound, seq }: Arrived<Edited>) {
    const { chat, groups, message, sender, text } = inbound
    const found = Option.getOrUndefined(yield* store.find(config.id, chat, message))
    const threadId =
      found?.turnId == null ? undefined : (yield* store.parts(config.id, found.turnId))[0]?.threadId
    // One whose words were taken away, all of them, says nothing new.
    if (found?.turnId != null && threadId != null && text.trim() !== "") {
      const turnId = found.turnId
      const isChanged = yield* refusing(
        rejoin.turns
          .update({
            params: { id: threadId, turnId },
            payload: { input: groups.length === 0 ? clean(text) : clean(inGroup(config.kind, sender, text)) }
          })
          .pipe(
            Effect.as(true),
            Effect.catchTags({
              ThreadNotFound: () => Effect.succeed(false),
              TurnBegun: () => Effect.succeed(false),
              TurnNotFound: () => Effect.succeed(false)
            })
          )
      )
      if (!isChanged) yield* word(chat, message, "edited", tooLateToEditText)
    }
    yield* store.done(seq, null)
  })

  const pressedOne = Effect.fnUntraced(function* ({ inbound, seq }: Arrived<Pressed>) {
    const { button, chat, receipt, sender } = inbound
    const choice = choiceIn(button)
    const found = choice && Option.getOrUndefined(yield* store.ask(config.id, choice.ask))
    // A button that was sent on into another chat is none.
    const mayPress = yield* mayDecide(sender.id)
    const done = store.done(seq, null)
    const told =
      mayPress && choice !== undefined && found?.chat === chat
        ? yield* asking.decide(found, choice, sender.name, done)
        : undefined
    yield* Effect.ignore(adapter.pressed(receipt, mayPress ? (told ?? lateText) : strangerPressText))
    yield* done
  })

  return Effect.fnUntraced(function* (chat: ChatKey) {
    const [arrived] = yield* store.arrivals(config.id, chat, 1)
    if (arrived === undefined) return false
    const { inbound, seq } = arrived
    // Who was let in when it came may not be any more.
    if (inbound._tag !== "Renamed" && inbound._tag !== "Undelivered") {
      const peer = yield* isPeer(inbound.sender.id)
      if (hearing(config.allow ?? {}, peer, { ...inbound, addressed: true }) !== "heard") {
        yield* store.done(seq, null)
        return true
      }
    }
    yield* Effect.gen(function* () {
      if (inbound._tag === "Said") yield* saidOne({ ...arrived, inbound })
      else if (inbound._tag === "Edited") yield* editedOne({ ...arrived, inbound })
      else if (inbound._tag === "Pressed") yield* pressedOne({ ...arrived, inbound })
    }).pipe(
      Effect.catchTag("Refusal", ({ message }) =>
        Effect.andThen(
          word(chat, "message" in inbound ? inbound.message : null, "refused", message),
          store.done(seq, null)
        )
      )
    )
    return true
  })
}
