import type { RequestId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { Answer, PendingRequest } from "@rejoin/contracts/Request"
import { Effect, Option, Struct } from "effect"
import { randomBytes } from "node:crypto"
import type { Button, ChannelLimits } from "./ChannelAdapter.ts"
import type { Ask } from "./ChannelStore.ts"
import { refusing } from "./Refusal.ts"
import type { Channel } from "./Room.ts"
import { approvalText, questionText, settledText } from "./Words.ts"

/** What a button means. */
export interface Choice {
  readonly ask: string
  readonly at: number
}

export const choiceIn = (button: string): Choice | undefined => {
  const found = /^a:([\w-]{1,24}):(\d{1,3})$/.exec(button)
  return found === null ? undefined : { ask: found[1] ?? "", at: Number(found[2]) }
}

const decisions = ["accept", "decline", "cancel"] as const
const labels = ["Accept", "Decline", "Stop"] as const

/** The question that is to be answered next. */
export const nextQuestion = ({ answers, asked }: Ask) =>
  asked.kind === "user-input" ? asked.questions[answers.length] : undefined

const textOf = (ask: Ask, { asking, text }: ChannelLimits): string =>
  ask.asked.kind === "approval"
    ? approvalText(ask.asked, asking ?? text)
    : questionText(nextQuestion(ask) ?? { question: "", options: [] })

const buttonsOf = (ask: Ask, limits: ChannelLimits): ReadonlyArray<Button> => {
  const all =
    ask.asked.kind === "approval" ? labels : (nextQuestion(ask)?.options ?? []).map(({ label }) => label)
  // What is not offered can be written.
  return all
    .slice(0, limits.buttons)
    .map((label, at) => ({ id: `a:${ask.id}:${at}`, label: label.slice(0, limits.label) }))
}

/** The answer that a press gives, and what it says; the rest of the questions is asked first. */
export const answerOf = (
  ask: Ask,
  given: { readonly at: number } | { readonly text: string }
): { readonly said: string; readonly answer: Answer | undefined; readonly ask: Ask } | undefined => {
  if (ask.asked.kind === "approval") {
    const decision = "at" in given ? decisions[given.at] : undefined
    return (
      decision && {
        said: { accept: "accepted", decline: "declined", cancel: "stopped" }[decision],
        answer: { decision },
        ask
      }
    )
  }
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

  const show = (ask: Ask, to: string | null) => {
    const text = textOf(ask, adapter.limits)
    const part = {
      item: ask.requestId,
      part: 0,
      kind: "ask",
      chat: ask.chat,
      to,
      threadId: ask.threadId
    } as const
    return store.addPart(config.id, {
      ...part,
      state: "planned",
      remote: null,
      text: text.slice(0, adapter.limits.text),
      buttons: buttonsOf(ask, adapter.limits)
    })
  }

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
    yield* store.transaction(Effect.andThen(store.saveAsk(config.id, ask), show(ask, first.to)))
    yield* channel.wakeOut(ask.chat)
  })

  /** Its message says what became of it, and has no buttons any more. */
  const reword = (ask: Ask, text: string, buttons: ReadonlyArray<Button> = []) =>
    store.changePart(config.id, { item: ask.requestId, part: 0 }, (before) => ({
      ...Struct.omit(before, ["buttons"]),
      text: text.slice(0, adapter.limits.text),
      ...(buttons.length > 0 && { buttons }),
      state: before.state === "final" ? "sent" : before.state
    }))

  const settle = Effect.fnUntraced(function* (requestId: RequestId, said?: string) {
    const found = yield* store.askOf(config.id, requestId)
    if (Option.isNone(found) || !found.value.open) return
    const ask = found.value
    yield* store.transaction(
      Effect.andThen(
        store.saveAsk(config.id, { ...ask, open: false }),
        reword(ask, `${textOf(ask, adapter.limits)}\n\n${said ?? deciding.get(requestId) ?? settledText}`)
      )
    )
    yield* channel.wakeOut(ask.chat)
  })

  /** What is asked now in a thread of a turn of ours; and what is not asked any more. */
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

  /** Gives the server an answer, and tells what it said; undefined where it was answered before. */
  const decide = Effect.fnUntraced(function* (ask: Ask, given: Parameters<typeof answerOf>[1], by: string) {
    const result = ask.open ? answerOf(ask, given) : undefined
    if (result === undefined) return undefined
    const { answer, said } = result
    if (answer === undefined) {
      yield* store.transaction(
        Effect.andThen(
          store.saveAsk(config.id, result.ask),
          reword(result.ask, textOf(result.ask, adapter.limits), buttonsOf(result.ask, adapter.limits))
        )
      )
      yield* channel.wakeOut(ask.chat)
      return said
    }
    const told = `→ ${said}, by ${by}`
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
      Effect.ensuring(Effect.sync(() => deciding.delete(ask.requestId)))
    )
  })

  return { look, settle, decide }
}

export type Asking = ReturnType<typeof makeAsking>
