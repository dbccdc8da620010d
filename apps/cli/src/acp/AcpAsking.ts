import type { Answer, PendingRequest } from "@rejoin/contracts/Request"
import { Effect } from "effect"
import { answersOf, chosenOf, decisionOf, elicitationOf, permissionOf, questionOf } from "./AcpAsks.ts"
import type { Front } from "./AcpSession.ts"

/** Asks by the client's own way; undefined where it has none for this, or has not answered. */
const asked = async (
  { client, forms }: Front,
  request: PendingRequest,
  elsewhere: AbortSignal
): Promise<Answer | undefined> => {
  const { ask, threadId } = request
  const options = { cancellationSignal: elsewhere, stopWaitingOnCancel: true }
  if (ask.kind === "approval") {
    const asks = permissionOf(threadId, request, ask)
    return decisionOf(await client.request("session/request_permission", asks, options))
  }
  if (forms) {
    return answersOf(ask, await client.request("elicitation/create", elicitationOf(threadId, ask), options))
  }
  const asks = questionOf(threadId, request, ask)
  return asks === undefined
    ? undefined
    : chosenOf(ask, await client.request("session/request_permission", asks, options))
}

/**
 * What the agent asks is asked of the client's user, until somebody answers: here, or elsewhere (`elsewhere` aborts, and
 * the client takes its dialog away). Without an answer it waits on.
 */
export const ask = Effect.fnUntraced(function* (
  front: Front,
  request: PendingRequest,
  elsewhere: AbortSignal
) {
  const answer = yield* Effect.promise(() => asked(front, request, elsewhere).catch(() => undefined))
  if (elsewhere.aborted) return
  const { id: requestId, threadId: id } = request
  if (answer === undefined) {
    return yield* front.note(`Not answered here; it waits: rejoin answer ${id}, or the page.`)
  }
  yield* front.open.pipe(
    Effect.flatMap(({ threads }) => threads.answer({ params: { id, requestId }, payload: answer })),
    // Somebody else was quicker.
    Effect.catchTag("RequestNotFound", () => Effect.void),
    Effect.catch(({ message }) => front.note(`It could not be answered: ${message}`))
  )
})
