import { make as makeClient, type RejoinClient } from "@rejoin/client/Client"
import { ServerFileJson } from "@rejoin/contracts/ServerFile"
import {
  Config,
  Console,
  Context,
  Duration,
  Effect,
  FileSystem,
  Layer,
  Option,
  Path,
  Redacted,
  Schedule,
  Schema
} from "effect"
import { home as directory } from "./Home.ts"
import { lives, prove } from "./LocalServer.ts"
import { ServerAway } from "./ServerAway.ts"
import { startServer } from "./ServerProcess.ts"

const decodeServerFile = Schema.decodeUnknownEffect(ServerFileJson)

/** Two names of one address; which of the machine's own is meant, the server's file says. */
const isSame = (a: string, b: string): boolean => {
  const [one, other] = [a, b].map((url) => {
    const { hostname, port, protocol } = new URL(url)
    return `${protocol}//${["localhost", "[::1]"].includes(hostname) ? "127.0.0.1" : hostname}:${port}`
  })
  return one === other
}

/**
 * The way to the server: the one that REJOIN_URL names, with REJOIN_TOKEN, or the one that works on REJOIN_HOME
 * (`~/.rejoin`).
 */
export class Connection extends Context.Service<
  Connection,
  {
    /** The server that is there. Asked anew each time: a server that was started again has another address. */
    readonly find: Effect.Effect<RejoinClient, ServerAway>
    /** The process of the server that works on REJOIN_HOME and answers; not of one that REJOIN_URL names. */
    readonly process: Effect.Effect<number, ServerAway>
    /** As `find`; where REJOIN_URL names none and none is there, one is started, which stays. */
    readonly open: Effect.Effect<RejoinClient, ServerAway>
  }
>()("@rejoin/cli/Connection") {
  static readonly layer = Layer.effect(
    Connection,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { join } = yield* Path.Path
      const settings = yield* Config.all({
        url: Config.option(Config.NonEmptyString("REJOIN_URL")),
        token: Config.option(Config.Redacted("REJOIN_TOKEN"))
      }).pipe(Effect.mapError(({ message }) => new ServerAway({ message })))
      const home = yield* directory

      const nobody = new ServerAway({ message: `No server works on ${home}.` })
      const file = fs.readFileString(join(home, "server.json")).pipe(
        Effect.flatMap(decodeServerFile),
        Effect.mapError(() => nobody),
        // A server that was killed leaves its file.
        Effect.filterOrFail(
          ({ pid }) => lives(pid),
          () => nobody
        )
      )
      /** The one of our data directory; whoever is to be told it has to know it. */
      const ours = fs.readFileString(join(home, "token")).pipe(
        Effect.map((text) => Redacted.make(text.trim())),
        Effect.mapError(
          () =>
            new ServerAway({
              message: `There is no token in ${home}.`,
              hint: "Set REJOIN_TOKEN, or REJOIN_HOME to the server's directory."
            })
        )
      )
      const at = Effect.fnUntraced(function* (address: string, token: Redacted.Redacted) {
        const client = yield* makeClient({ url: address, token })
        yield* client.health.health({ query: {} }).pipe(
          Effect.timeout(Duration.seconds(5)),
          Effect.mapError(() => new ServerAway({ message: `Nobody answers on ${address}.` }))
        )
        return client
      })
      /** The server that wrote where it is; whoever answers there proves that it is that one. */
      const here = Effect.gen(function* () {
        const server = yield* file
        const token = Option.isSome(settings.token) ? settings.token.value : yield* ours
        yield* prove(server)
        return yield* at(server.url, token)
      })
      const named = Effect.fnUntraced(function* (url: string) {
        if (!URL.canParse(url)) return yield* new ServerAway({ message: `REJOIN_URL is no address: ${url}` })
        const address = url.replace(/\/+$/, "")
        if (Option.isSome(settings.token)) return yield* at(address, settings.token.value)
        // The token of our data directory is told to nobody but the server that works on it.
        const own = yield* Effect.option(file)
        if (Option.isSome(own) && isSame(own.value.url, address)) return yield* here
        return yield* new ServerAway({
          message: `REJOIN_URL names ${address}, which is not the server of ${home}: it is not told that one's token.`,
          hint: "Set REJOIN_TOKEN to the token of that server."
        })
      })
      const find = Option.match(settings.url, { onSome: named, onNone: () => here })

      const appears = find.pipe(
        Effect.retry(Schedule.spaced("50 millis")),
        Effect.timeoutOrElse({
          duration: Duration.seconds(60),
          orElse: () =>
            Effect.fail(new ServerAway({ message: "The server that was started does not answer." }))
        })
      )
      const open = find.pipe(
        Effect.catch((away) =>
          Option.isSome(settings.url)
            ? Effect.fail(away)
            : Effect.gen(function* () {
                const log = join(home, "logs", "serve.log")
                yield* Console.error(`Starting a server (its output: ${log}).`)
                const server = yield* startServer(log)
                // Where another command was quicker, its server holds the data directory, and is ours too.
                const ended = Effect.catchIf(
                  server.ended,
                  ({ held }) => held === true,
                  () => appears
                )
                return yield* Effect.raceFirst(appears, ended)
              })
        )
      )
      const process = Effect.flatMap(file, ({ pid }) => Effect.as(here, pid))
      return Connection.of({ find, open, process })
    })
  )
}
