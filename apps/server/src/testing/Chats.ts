import type { ChannelAdapter } from "@rejoin/channels/ChannelAdapter"
import { type Channels, runChannels } from "@rejoin/channels/Channels"
import { makeSqlChannelStore } from "@rejoin/channels/SqlChannelStore"
import type { ChannelAllow, ChannelConfig } from "@rejoin/contracts/Channel"
import type { StoreFailed } from "@rejoin/contracts/Errors"
import { memory } from "@rejoin/core/testing/World"
import * as Database from "@rejoin/persistence/Database"
import { NodeServices } from "@effect/platform-node"
import { Effect, Exit, Layer, Schedule, Scope } from "effect"
import { SqlClient } from "effect/sql"
import type { Served } from "./Served.ts"

/** Waits until something is so; the test's own time limit is the end of the wait. */
export const until = <A>(look: () => A | undefined | false): Effect.Effect<A> =>
  Effect.sync(look).pipe(
    Effect.filterOrFail(
      (found): found is Exclude<A, false> & A => found !== undefined && found !== false,
      () => "not yet" as const
    ),
    Effect.retry(Schedule.spaced("10 millis")),
    Effect.orDie
  )

/** Waits until no thread works: a preview may show an answer whole before its turn has ended. */
export const untilAtRest = ({ client }: Served) =>
  client.threads.list({ query: {} }).pipe(
    Effect.repeat({
      schedule: Schedule.spaced("10 millis"),
      until: ({ items }) => items.every(({ status }) => status === "done" || status === "error")
    }),
    Effect.asVoid
  )

/** Channels on a served core, with a memory that outlives their lives. */
export const makeChats = Effect.fnUntraced(function* (
  { client, cwd }: Served,
  kind: "telegram" | "discord" | "slack" | "whatsapp",
  make: () => ChannelAdapter,
  {
    durable = Effect.void,
    ...options
  }: {
    readonly allow?: ChannelAllow
    readonly runtimeMode?: ChannelConfig["runtimeMode"]
    /** Brings what was written onto the disk. */
    readonly durable?: Effect.Effect<void, StoreFailed>
  } = {}
) {
  const database = yield* Layer.build(Database.layer(":memory:"))
  const sql = yield* Effect.provide(SqlClient.SqlClient, database)
  const store = makeSqlChannelStore({ sql, durable })
  const config = {
    id: "chat",
    kind,
    token: { env: "NONE" },
    provider: memory,
    cwd,
    allow: { users: ["7"] },
    ...options
  } as ChannelConfig
  // A platform's patience is its own business: what it does with it is tested beside this.
  /** One life of them: begins, and what ends it. */
  const lasting = yield* Effect.scope
  const start = Effect.gen(function* () {
    const scope = yield* Scope.fork(lasting)
    const channels: Channels = yield* runChannels(
      [config],
      () => Effect.sync(() => ({ ...make(), pace: () => 0 })),
      store,
      client
    ).pipe(Effect.provideService(Scope.Scope, scope), Effect.provide(NodeServices.layer))
    return { channels, stop: Scope.close(scope, Exit.void) }
  })
  return { store, config, start }
})
