import { Effect, Schedule } from "effect"
import { Connection } from "./Connection.ts"
import { print } from "./Output.ts"
import { ServerAway } from "./ServerAway.ts"

const isGone = (pid: number) =>
  Effect.sync(() => {
    try {
      return !process.kill(pid, 0)
    } catch {
      return true
    }
  })

/** Ends the server that works on REJOIN_HOME, whoever started it, and waits until it has ended. */
export const end = Effect.gen(function* () {
  const connection = yield* Connection
  const pid = yield* connection.process
  const away = (message: string) => new ServerAway({ message: `The server (process ${pid}) ${message}` })
  yield* Effect.try({
    try: () => process.kill(pid, "SIGTERM"),
    catch: (cause) => away(`cannot be ended: ${String(cause)}`)
  })
  yield* isGone(pid).pipe(
    Effect.repeat({ until: (gone) => gone, schedule: Schedule.spaced("50 millis") }),
    Effect.timeoutOrElse({
      duration: "60 seconds",
      orElse: () => Effect.fail(away("was told to end, and has not ended yet."))
    })
  )
  yield* print({ pid }, () => `The server (process ${pid}) has ended. The threads stay.`)
})
