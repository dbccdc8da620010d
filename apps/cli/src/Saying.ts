import type { Thread } from "@rejoin/contracts/Thread"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { type Attachment, isSettled } from "@rejoin/contracts/Turn"
import { Effect, Schedule } from "effect"
import type { Answering } from "./Answering.ts"
import { Connection } from "./Connection.ts"
import type { Screen } from "./Screen.ts"
import { watchTurn } from "./TurnWatch.ts"

/** Says something in a thread and stays with it to its end. `late`: it had ended before it could be watched. */
export const saying = Effect.fnUntraced(function* (
  thread: Thread,
  said: {
    readonly input: string
    readonly attachments?: ReadonlyArray<Attachment>
    readonly steer?: boolean
  },
  shows: {
    readonly how: Answering
    readonly shown: Screen
    readonly onEvent?: (event: RuntimeEvent) => Effect.Effect<void>
  }
) {
  const connection = yield* Connection
  const { attachments = [], input, steer = false } = said
  const { shown } = shows
  // With its key the same turn is sent once, however often the way to the server breaks.
  const idempotencyKey = yield* Effect.sync(() => globalThis.crypto.randomUUID())
  const turn = yield* connection.find.pipe(
    Effect.flatMap(({ turns }) =>
      turns.send({
        params: { id: thread.id },
        payload: {
          input,
          idempotencyKey,
          ...(attachments.length > 0 && { attachments }),
          ...(steer && { delivery: "steer" })
        }
      })
    ),
    Effect.retry({
      while: ({ _tag }) => _tag === "HttpClientError" || _tag === "ServerAway",
      schedule: Schedule.spaced("500 millis"),
      times: 20
    })
  )
  const late = isSettled(turn.status)
  const joined = steer && turn.input !== input
  if (joined) yield* shown.note("It joined the turn that runs.")
  else if (thread.session.state === "running" || thread.session.state === "waiting") {
    yield* shown.note(
      "It waits until the running turn has ended; --steer would join that. Ctrl-C withdraws it."
    )
  }
  const receipt = late ? undefined : yield* watchTurn(thread, turn, { ...shows, joined })
  const settled = yield* Effect.flatMap(connection.find, ({ turns }) =>
    turns.get({ params: { id: thread.id, turnId: turn.id }, query: { wait: 60 } })
  )
  return { settled, receipt, late }
})
