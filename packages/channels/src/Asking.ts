import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { RequestId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { Answer, PendingRequest } from "@rejoin/contracts/Request"
import { Effect, Option, Struct } from "effect"
import { randomBytes } from "node:crypto"
import type { Button, ChannelLimits } from "./ChannelAdapter.ts"
import type { Ask } from "./ChannelStore.ts"
import { refusing } from "./Refusal.ts"
import type { Channel } from "./Room.ts"
import { cutText } from "./Splitter.ts"
import { approvalText, questionText, settledText } from "./Words.ts"

/** What a button means: of which question, and which answer. */
export interface Choice {
  readonly ask: string
  readonly question: number
  readonly at: number
}

export const choiceIn = (button: string): Choice | undefined => {
  const found = /^a:([\w-]{1,24}):(\d{1,3}):(\d{1,3})$/.exec(button)
  return found === null
    ? undefined
    : { ask: found[1] ?? "", question: Number(found[2]), at: Number(found[3]) }
}

const decisions = ["accept", "decline", "cancel"] as const
const labels = ["Accept", "Decline", "Stop"] as const
const past = { accept: "accepted", decline: "declined", cancel: "stopped" } as const

/** The question that is to be answered next. */
export const nextQuestion = ({ answers, asked }: Ask) =>
  asked.kind === "user-input" ? asked.questions[answers.length] : undefined

const textOf = (ask: Ask, { asking, text }: ChannelLimits): string => {
  const limit = asking ?? text
  return cutText(
    ask.asked.kind === "approval"
      ? approvalText(ask.asked, limit)
      : questionText(nextQuestion(ask) ?? { question: "", options: [] }),
    limit
  )
}

const buttonsOf = (ask: Ask, limits: ChannelLimits): ReadonlyArray<Button> => {
  const all =
    ask.asked.kind === "approval" ? labels : (nextQuestion(ask)?.options ?? []).map(({ label }) => label)
  // What is not offered can be written. Labels that are alike when they are cut have a number.
  return all.slice(0, limits.buttons).map((label, at) => {
    const cut = cutText(label, limits.label)
    const isPlain = cut === label && cut.trim() !== ""
    return {
      id: `a:${ask.id}:${ask.answers.length}:${at}`,
      label: isPlain ? cut : cutText(`${at + 1}. ${label}`, limits.label)
    }
  })
}

type Given = { readonly question: number; readonly at: number } | { readonly text: string }

/** What an answer is, and what it says; the rest of the questions is asked first. Undefined for what answers nothing. */
export const answerOf = (
  ask: Ask,
  given: Given
): { readonly said: string; readonly answer: Answer | undefined; readonly ask: Ask } | undefined => {
  if (ask.asked.kind === "approval") {
    const decision = "at" in given ? decisions[given.at] : undefined
    return decision && { said: past[decision], answer: { decision }, ask }
  }
  // A press that comes twice answers no other question.
  if ("at" in given && given.question !== ask.answers.length) return undefined
  const chosen = "at" in given ? nextQuestion(ask)?.options[given.at]?.label : given.text
  if (chosen === undefined) return undefined
  const answers = [...ask.answers, [chosen]]
  const isLast = answers.length >= ask.asked.questions.length
  return { said: chosen, answer: isLast ? { answers } : undefined, ask: { ...ask, answers } }
}

/** Puts approvals and questions into the chat of their turn, and shows there what became of them (T17). */
export const makeAsking = (channel: Channel) => {
  const { adapter, config, rejoin, store } = channel
  /** Who is answering one from here: by that its end is told. */
  const deciding = new Map<RequestId, string>()

  const show = (ask: Ask) =>
    store.addPart(config.id, {
      item: ask.requestId,
      part: ask.answers.length,
      kind: "ask",
      chat: ask.chat,
      to: ask.to,
      threadId: ask.threadId,
      state: "planned",
      remote: null,
      text: textOf(ask, adapter.limits),
      buttons: buttonsOf(ask, adapter.limits)
    })

  const open = Effect.fnUntraced(function* (request: PendingRequest) {
    const [first] = yield* store.parts(config.id, request.turnId)
    if (first === undefined || Option.isSome(yield* store.askOf(config.id, request.id))) return
    const ask: Ask = {
      id: randomBytes(9).toString("base64url"),
      chat: first.chat,
      to: first.to,
      threadId: request.threadId,
      turnId: request.turnId,
      requestId: request.id,
      asked: request.ask,
      answers: [],
      open: true
    }
    yield* store.transaction(Effect.andThen(store.addAsk(config.id, ask), show(ask)))
    yield* channel.wakeOut(ask.chat)
  })

  /** The message of a question says what became of it, and has no buttons any more. A platform that edits none is told. */
  const close = (ask: Ask, told: string) =>
    adapter.edit === undefined
      ? store.addPart(config.id, {
          item: `end:${ask.requestId}`,
          part: ask.answers.length,
          kind: "word",
          chat: ask.chat,
          to: ask.to,
          threadId: ask.threadId,
          state: "planned",
          remote: null,
          text: told
        })
      : store.changePart(config.id, { item: ask.requestId, part: ask.answers.length }, (before) => ({
          ...Struct.omit(before, ["buttons"]),
          text: cutText(`${textOf(ask, adapter.limits)}\n\n${told}`, adapter.limits.text),
          state: before.state === "final" ? "sent" : before.state
        }))

  const settle = Effect.fnUntraced(function* (requestId: RequestId, said?: string) {
    const found = yield* store.askOf(config.id, requestId)
    if (Option.isNone(found) || !found.value.open) return
    const ask = found.value
    yield* store.transaction(
      Effect.andThen(
        store.changeAsk(config.id, ask.id, (before) => ({ ...before, open: false })),
        close(ask, said ?? deciding.get(requestId) ?? settledText)
      )
    )
    yield* channel.wakeOut(ask.chat)
  })

  /** What is asked now in a turn of ours; and what is not asked any more. */
  const look = Effect.fnUntraced(function* (threadId: ThreadId, turnId: TurnId) {
    const { items } = yield* refusing(
      rejoin.threads
        .requests({ params: { id: threadId } })
        .pipe(Effect.catchTag("ThreadNotFound", () => Effect.succeed({ items: [] })))
    )
    for (const request of items) if (request.turnId === turnId) yield* open(request)
    for (const ask of yield* store.openAsks(config.id)) {
      if (ask.turnId === turnId && !items.some(({ id }) => id === ask.requestId)) yield* settle(ask.requestId)
    }
  })

  /**
   * Gives the server an answer, and tells what it said; undefined where it was answered before, or answers nothing. `done`
   * is written with it.
   */
  const decide = Effect.fnUntraced(function* (
    ask: Ask,
    given: Given,
    by: string,
    done: Effect.Effect<void, StoreFailed> = Effect.void
  ) {
    const result = ask.open ? answerOf(ask, given) : undefined
    if (result === undefined) return undefined
    const { answer, said } = result
    const told = `→ ${said}, by ${by}`
    if (answer === undefined) {
      yield* store.transaction(
        Effect.gen(function* () {
          yield* store.changeAsk(config.id, ask.id, (before) => ({ ...before, answers: result.ask.answers }))
          yield* close(ask, told)
          yield* show(result.ask)
          yield* done
        })
      )
      yield* channel.wakeOut(ask.chat)
      return said
    }
    deciding.set(ask.requestId, told)
    return yield* refusing(
      rejoin.threads.answer({ params: { id: ask.threadId, requestId: ask.requestId }, payload: answer }).pipe(
        Effect.as(Option.some(said)),
        Effect.catchTags({
          RequestAnswered: () => Effect.succeedNone,
          RequestNotFound: () => Effect.succeedNone,
          ThreadNotFound: () => Effect.succeedNone
        })
      )
    ).pipe(
      Effect.map(Option.getOrUndefined),
      Effect.tap((said) => settle(ask.requestId, said === undefined ? settledText : told)),
      Effect.tap((said) => (said === undefined ? Effect.void : done)),
      Effect.ensuring(Effect.sync(() => deciding.delete(ask.requestId)))
    )
  })

  return { look, settle, decide }
}

export type Asking = ReturnType<typeof makeAsking>
