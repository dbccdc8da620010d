import type { Thread } from "@rejoin/contracts/Thread"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { type Attachment, isSettled } from "@rejoin/contracts/Turn"
import { Effect, Schedule } from "effect"
import type { Answering } from "./Answering.ts"
import { Connection } from "./Connection.ts"
import type { Screen } from "./Screen.ts"
import { watchTurn } from "./TurnWatch.ts"

interface Said {
  readonly input: string
  readonly attachments?: ReadonlyArray<Attachment>
  readonly steer?: boolean
  /** ISO 8601. */
  readonly notBefore?: string
}

/** The same turn is sent once, however often the way to the server breaks. */
const sent = Effect.fnUntraced(function* (
  thread: Thread,
  { attachments = [], input, notBefore, steer = false }: Said
) {
  const connection = yield* Connection
  const idempotencyKey = yield* Effect.sync(() => globalThis.crypto.randomUUID())
  return yield* connection.find.pipe(
    Effect.flatMap(({ turns }) =>
      turns.send({
        params: { id: thread.id },
        payload: {
          input,
          idempotencyKey,
          ...(notBefore !== undefined && { notBefore }),
          ...(attachments.length > 0 && { attachments }),
          ...(steer && { delivery: "steer" })
        }
      })
    ),
    Effect.retry({
      while: ({ _tag }) => _tag === "HttpClientError" || _tag === "ServerAway" || _tag === "StoreUnavailable",
      schedule: Schedule.spaced("500 millis"),
      times: 20
    })
  )
})

/** Says something at a later moment, and does not wait for it. */
export const later = (thread: Thread, said: Said & { readonly notBefore: string }) => sent(thread, said)

/** Says something in a thread and stays with it to its end. `late`: it had ended before it could be watched. */
export const saying = Effect.fnUntraced(function* (
  thread: Thread,
  said: Said,
  shows: {
    readonly how: Answering
    readonly shown: Screen
    readonly onEvent?: (event: RuntimeEvent) => Effect.Effect<void>
  }
) {
  const connection = yield* Connection
  const { input, steer = false } = said
  const { shown } = shows
  const turn = yield* sent(thread, said)
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
