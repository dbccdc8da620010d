import type { RejoinClient } from "@rejoin/client/Client"
import type { Answer, Approval, PendingRequest, Question } from "@rejoin/contracts/Request"
import { Console, Effect, Option, type Terminal } from "effect"
import { Prompt } from "effect/cli"
import { visible } from "@rejoin/shown/Visible"
import { readAnswer, setAside } from "./Line.ts"
import type { ServerAway } from "./ServerAway.ts"

/** How the agent is answered when it asks: at the prompt, or always the same, or not at all. */
export type Answering = "ask" | "accept" | "decline" | "wait"

const asked = ({ command, diff, paths, permission, title }: Approval) => {
  const what = command ?? title
  const lines = [
    `The agent asks (${permission}):`,
    ...what.split("\n").map((line) => `  ${command === undefined ? "" : "$ "}${line}`),
    ...(paths ?? []).filter((path) => !what.includes(path)).map((path) => `  ± ${path}`),
    ...(diff === undefined ? [] : [diff.replaceAll(/^/gm, "  ")])
  ]
  return visible(lines.join("\n"))
}

/** By a line that says just that: a message that was being typed when it was asked allows nothing, nor does Enter alone. */
const decide: Effect.Effect<boolean, Terminal.QuitError> = Effect.suspend(() =>
  Effect.flatMap(readAnswer("Allow it? (y or n; Ctrl-C ends the turn) "), (said) => {
    const word = said.trim().toLowerCase()
    if (word === "y" || word === "yes") return Effect.succeed(true)
    return word === "" || word === "n" || word === "no" ? Effect.succeed(false) : decide
  })
)

const choose = ({ header, multiple, options, question }: Question) => {
  const message = visible(header === undefined ? question : `${header}: ${question}`)
  const choices = options.map(({ description, label }) => ({
    title: visible(label),
    value: label,
    ...(description !== undefined && { description: visible(description) })
  }))
  if (choices.length === 0) return Effect.map(Prompt.run(Prompt.String({ message })), (text) => [text])
  return multiple === true
    ? Prompt.run(Prompt.MultiSelect({ message, choices }))
    : Effect.map(Prompt.run(Prompt.Select({ message, choices })), (label) => [label])
}

const answerTo = Effect.fnUntraced(function* ({ ask, threadId }: PendingRequest, how: Answering) {
  if (ask.kind === "approval") {
    yield* Console.error(asked(ask))
    if (how === "accept" || how === "decline") {
      yield* Console.error(`Answered: ${how}.`)
      return Option.some<Answer>({ decision: how })
    }
    if (how === "ask") {
      yield* setAside
      return Option.some<Answer>({ decision: (yield* decide) ? "accept" : "decline" })
    }
  } else if (how === "ask") {
    yield* setAside
    return Option.some<Answer>({ answers: yield* Effect.forEach(ask.questions, choose) })
  } else {
    // Nobody can choose for a person: without one, the turn that asks ends where approvals are declined.
    for (const { question } of ask.questions) yield* Console.error(`The agent asks: ${visible(question)}`)
    if (how === "decline") return Option.some<Answer>({ decision: "cancel" })
  }
  yield* Console.error(`It waits for an answer: rejoin answer ${threadId} …, or the page.`)
  return Option.none<Answer>()
})

/**
 * Answers one request. What somebody else answers meanwhile (`elsewhere`), and what cannot be answered any more, is told
 * and is no error: what becomes of the turn is seen in its events.
 */
export const answer = Effect.fn("answer")(function* (
  find: Effect.Effect<RejoinClient, ServerAway>,
  request: PendingRequest,
  how: Answering,
  elsewhere: Effect.Effect<void>
) {
  const late = Effect.as(Console.error("\nIt was answered elsewhere."), Option.none<Answer>())
  const given = yield* Effect.raceFirst(answerTo(request, how), Effect.andThen(elsewhere, late))
  if (Option.isNone(given)) return
  const params = { id: request.threadId, requestId: request.id }
  yield* find.pipe(
    Effect.flatMap(({ threads }) => threads.answer({ params, payload: given.value })),
    Effect.catch((error) =>
      Console.error(
        error._tag === "RequestNotFound"
          ? "It was answered elsewhere meanwhile."
          : `It could not be answered: ${visible(error.message)}`
      )
    )
  )
})
