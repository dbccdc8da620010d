import { InvalidInput } from "@rejoin/contracts/Errors"
import { type Answer, Decision } from "@rejoin/contracts/Request"
import { Effect, Schema } from "effect"
import { Argument, Command } from "effect/cli"
import { threadArgument, threadOf } from "./Addressed.ts"
import { after } from "./Output.ts"

const isDecision = Schema.is(Decision.fields.decision)

export const answer = Command.make(
  "answer",
  {
    thread: threadArgument,
    answers: Argument.String("answer").pipe(
      Argument.withDescription("accept, decline or cancel; to a question what you choose or say, one each"),
      Argument.variadic({ min: 1 })
    )
  },
  Effect.fn(function* ({ answers, thread: named }) {
    const { client, thread } = yield* threadOf(named)
    const { items } = yield* client.threads.requests({ params: { id: thread.id } })
    const [request] = items
    if (request === undefined) {
      return yield* new InvalidInput({ field: "thread", message: `${thread.id} waits for no answer.` })
    }
    const [first = ""] = answers
    const decision = isDecision(first) ? first : undefined
    if (request.ask.kind === "approval" && decision === undefined) {
      return yield* new InvalidInput({
        field: "answer",
        message: "It is answered with accept, decline or cancel."
      })
    }
    const payload: Answer =
      decision !== undefined && (request.ask.kind === "approval" || decision === "cancel")
        ? { decision }
        : { answers: answers.map((text) => [text]) }
    yield* client.threads.answer({ params: { id: thread.id, requestId: request.id }, payload })
    yield* after(client, thread.id, "Answered.")
  })
).pipe(Command.withDescription("Answer what the agent waits for"))
