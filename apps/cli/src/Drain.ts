import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { Connection } from "./Connection.ts"
import { print } from "./Output.ts"
import { ServerAway } from "./ServerAway.ts"

const threads = (count: number) => (count === 1 ? "1 thread" : `${count} threads`)

/** Brings the server to rest, before an update or for good. */
export const drain = Command.make(
  "drain",
  {
    handOver: Flag.Boolean("hand-over").pipe(
      Flag.withDescription("Give its threads up: the other machines go on with them from our copies"),
      Flag.withDefault(false)
    ),
    seconds: Flag.Int("seconds").pipe(
      Flag.withDescription("For how long turns that are under way may go on; 60"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ handOver, seconds }) {
    const client = yield* Effect.flatMap(Connection, ({ find }) => find)
    const drained = yield* client.runners.drain({
      payload: { handOver, ...(Option.isSome(seconds) && { seconds: seconds.value }) }
    })
    const { handedOver, running } = drained
    if (running > 0) {
      return yield* new ServerAway({
        message: `No turn begins there any more, and ${running} ${running === 1 ? "is" : "are"} still under way.`,
        hint: "Say it again to wait longer; rejoin serve --stop ends them as interrupted."
      })
    }
    yield* print(drained, () =>
      handOver
        ? `It is at rest, and has given up ${threads(handedOver)}. rejoin serve --stop ends it.`
        : "It is at rest: no turn begins there. rejoin serve --stop ends it; what waits is run when it is back."
    )
  })
).pipe(Command.withDescription("Let no turn begin on the server any more, and wait for those under way"))
