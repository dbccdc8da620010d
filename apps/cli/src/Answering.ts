import type { RejoinClient } from "@rejoin/client/Client"
import type { Answer, Approval, PendingRequest, Question } from "@rejoin/contracts/Request"
import { Console, Effect, Option } from "effect"
import { Prompt } from "effect/cli"

/** How the agent is answered when it asks: at the prompt, or always the same, or not at all. */
export type Answering = "ask" | "accept" | "decline" | "wait"

const asked = ({ command, diff, paths, permission, title }: Approval) =>
  [
    `The agent asks (${permission}): ${title}`,
    ...(command === undefined ? [] : [`  $ ${command}`]),
    ...(paths ?? []).map((path) => `  ± ${path}`),
    ...(diff === undefined ? [] : [diff.replaceAll(/^/gm, "  ")])
  ].join("\n")

const decide = Prompt.Select({
  message: "May it?",
  choices: [
    { title: "yes", value: "accept" as const },
    { title: "no", value: "decline" as const },
    { title: "no, and end the turn", value: "cancel" as const }
  ]
})

const choose = ({ header, multiple, options, question }: Question) => {
  const message = header === undefined ? question : `${header}: ${question}`
  const choices = options.map(({ description, label }) => ({
    title: label,
    value: label,
    ...(description !== undefined && { description })
  }))
  if (choices.length === 0) return Effect.map(Prompt.run(Prompt.String({ message })), (text) => [text])
  return multiple === true
    ? Prompt.run(Prompt.MultiSelect({ message, choices }))
    : Effect.map(Prompt.run(Prompt.Select({ message, choices })), (label) => [label])
}

const answerTo = Effect.fnUntraced(function* ({ ask }: PendingRequest, how: Answering) {
  if (ask.kind === "approval") {
    yield* Console.error(asked(ask))
    if (how === "accept" || how === "decline") {
      yield* Console.error(`Answered: ${how}.`)
      return Option.some<Answer>({ decision: how })
    }
    if (how === "ask") return Option.some<Answer>({ decision: yield* Prompt.run(decide) })
  } else if (how === "ask") {
    return Option.some<Answer>({ answers: yield* Effect.forEach(ask.questions, choose) })
  } else {
    // Nobody can choose for a person: without one, a question is declined where approvals are.
    for (const { question } of ask.questions) yield* Console.error(`The agent asks: ${question}`)
    if (how === "decline") return Option.some<Answer>({ decision: "decline" })
  }
  yield* Console.error("It waits for an answer from elsewhere.")
  return Option.none<Answer>()
})

/** Answers what is open on the thread. What somebody else has answered meanwhile is no error. */
export const answerAll = Effect.fn("answerAll")(function* (
  client: RejoinClient,
  id: string,
  how: Answering,
  done: Set<string>
) {
  const { items } = yield* client.threads.requests({ params: { id } })
  for (const request of items.filter((item) => !done.has(item.id))) {
    done.add(request.id)
    const answer = yield* answerTo(request, how)
    if (Option.isNone(answer)) continue
    yield* client.threads
      .answer({ params: { id, requestId: request.id }, payload: answer.value })
      .pipe(Effect.catchTag("RequestNotFound", () => Console.error("It was answered elsewhere meanwhile.")))
  }
})
