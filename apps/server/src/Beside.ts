import * as Client from "@rejoin/client/Client"
import { runChannels } from "@rejoin/channels/Channels"
import { makeSqlChannelStore } from "@rejoin/channels/SqlChannelStore"
import { InvalidInput } from "@rejoin/contracts/Errors"
import { ServerFileJson } from "@rejoin/contracts/ServerFile"
import * as Database from "@rejoin/persistence/Database"
import { DatabaseFile } from "@rejoin/persistence/DatabaseFile"
import { DataDirectory } from "@rejoin/persistence/DataDirectory"
import { Console, Effect, FileSystem, Option, Redacted, Ref, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { adapterOf } from "./ChatChannels.ts"
import { Configuration } from "./Configuration.ts"

/** Where the memory is of channels that no server runs. */
export const besideDirectory = Effect.map(Configuration, ({ home }) => `${home}/channels`)

/** Those of the configuration that run beside the server. */
export const beside = Effect.map(Configuration, ({ file }) =>
  (file.channels ?? []).filter(({ run }) => run === "beside")
)

export const besideStore = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { durable } = yield* DatabaseFile
  return makeSqlChannelStore({ sql, durable })
})

const decodeServerFile = Schema.decodeUnknownEffect(ServerFileJson)

/** The server that works on our data directory now. */
const found = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const { home, token } = yield* Configuration
  const { url } = yield* Effect.flatMap(fs.readFileString(`${home}/server.json`), decodeServerFile)
  const secret = Option.isSome(token)
    ? token.value
    : Redacted.make((yield* fs.readFileString(`${home}/token`)).trim())
  return { url, token: secret }
})

/** A client of whichever server is there: one that was started again has another address. */
const current = Effect.gen(function* () {
  const first = yield* found.pipe(
    Effect.catch(() =>
      Effect.andThen(
        Console.log("No server works here yet: waiting for it."),
        Effect.retry(found, Schedule.spaced("1 second"))
      )
    )
  )
  let url = first.url
  let client: Client.RejoinClient = yield* Client.make(first)
  const look = Effect.gen(function* () {
    const now = yield* Effect.option(found)
    if (Option.isNone(now) || now.value.url === url) return
    client = yield* Client.make(now.value)
    url = now.value.url
  })
  yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced("500 millis")))
  return new Proxy(client, { get: (_, name) => Reflect.get(client, name) as unknown })
})

/**
 * Runs the channels that are to run beside the server, as a client of its. Another process that does so already is waited
 * for: one receives at a time.
 */
export const serve = Effect.gen(function* () {
  const configs = yield* beside
  if (configs.length === 0) {
    return yield* new InvalidInput({
      field: "channels",
      message: "No channel of config.json is to run beside the server.",
      hint: `Give it "run": "beside"; the others are run by the server itself.`
    })
  }
  if (configs.some(({ kind }) => kind === "whatsapp")) {
    return yield* new InvalidInput({
      field: "channels",
      message: "WhatsApp sends to the server, and so can only be run by that."
    })
  }
  const directory = yield* besideDirectory
  const fs = yield* FileSystem.FileSystem
  const told = yield* Ref.make(false)
  return yield* Effect.gen(function* () {
    const store = yield* besideStore
    const rejoin = yield* current
    const channels = yield* runChannels(
      configs,
      (config) => Effect.provideService(adapterOf(config), FileSystem.FileSystem, fs),
      store,
      rejoin
    )
    yield* Console.log(`Running ${configs.map(({ id }) => id).join(", ")} beside the server, until Ctrl-C.`)
    let before = ""
    const show = Effect.gen(function* () {
      const now = (yield* channels.list).map(
        ({ id, reason, state }) => `${id} is ${state}${reason === undefined ? "" : `: ${reason}`}`
      )
      if (now.join("\n") !== before) yield* Console.log(now.join("\n"))
      before = now.join("\n")
    })
    return yield* Effect.repeat(Effect.ignore(show), Schedule.spaced("1 second"))
  }).pipe(
    Effect.provide(Database.layer(`${directory}/rejoin.db`)),
    Effect.scoped,
    Effect.provide(DataDirectory.layer(directory)),
    Effect.tapErrorTag("DataDirectoryHeld", () =>
      Effect.flatMap(Ref.getAndSet(told, true), (before) =>
        before ? Effect.void : Console.log("Another process runs these channels: waiting for its end.")
      )
    ),
    Effect.retry({ while: ({ _tag }) => _tag === "DataDirectoryHeld", schedule: Schedule.spaced("1 second") })
  )
})
