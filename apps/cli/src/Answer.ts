import { InvalidInput } from "@rejoin/contracts/Errors"
import { type Answer, Decision } from "@rejoin/contracts/Request"
import { Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
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
    ),
    remember: Flag.Literals("remember", ["thread", "project"]).pipe(
      Flag.withDescription("Answer the same so from now on, in this thread or in its project: rejoin rules"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ answers, remember, thread: named }) {
    const { client, thread } = yield* threadOf(named)
    const { items } = yield* client.threads.requests({ params: { id: thread.id } })
    const [request] = items
    if (request === undefined) {
      return yield* new InvalidInput({ field: "thread", message: `${thread.id} waits for no answer.` })
    }
    if (Option.isSome(remember) && (items.length > 1 || request.ask.kind !== "approval")) {
      return yield* new InvalidInput({
        field: "remember",
        message:
          items.length > 1
            ? "More than one thing waits: which of them is meant is not told."
            : "What a question is answered with is not remembered.",
        hint: "Answer without --remember, or on the page."
      })
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
        ? { decision, ...(Option.isSome(remember) && { remember: remember.value }) }
        : { answers: answers.map((text) => [text]) }
    yield* client.threads.answer({ params: { id: thread.id, requestId: request.id }, payload })
    yield* after(client, thread.id, "Answered.")
  })
).pipe(Command.withDescription("Answer what the agent waits for"))
