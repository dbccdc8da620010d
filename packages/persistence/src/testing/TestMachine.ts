import { ProviderInstanceId, type ThreadId } from "@rejoin/contracts/Ids"
import { PgClient } from "@effect/sql-pg"
import { BundleSpool } from "@rejoin/core/bundle/BundleSpool"
import * as Core from "@rejoin/core/Core"
import { ThreadEvents } from "@rejoin/core/events/ThreadEvents"
import { Draining } from "@rejoin/core/life/Draining"
import { Recovery } from "@rejoin/core/life/Recovery"
import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
import { ProviderService } from "@rejoin/core/ProviderService"
import { LiveSessions } from "@rejoin/core/sessions/LiveSessions"
import { defaults, Settings } from "@rejoin/core/Settings"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { TerminalHost } from "@rejoin/core/terminal/TerminalHost"
import { layerInMemoryAdapter } from "@rejoin/core/testing/InMemoryAdapter"
import { InMemoryUpstream } from "@rejoin/core/testing/InMemoryUpstream"
import { Threads } from "@rejoin/core/threads/Threads"
import { WorkingDirectory } from "@rejoin/core/threads/WorkingDirectory"
import { TranscriptKeeper } from "@rejoin/core/transcripts/TranscriptKeeper"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import * as Postgres from "../Postgres.ts"
import * as SqlThreadStore from "../SqlThreadStore.ts"
import { makeCutLink } from "./CutLink.ts"
import type { freshSchema } from "./FreshPostgres.ts"

const memory = ProviderInstanceId.make("memory")

export type Config = Effect.Success<typeof freshSchema>

/** In seconds: whoever is silent for so long is gone. */
export const lease = 1

/** A server on its own machine: its agent's sessions are there alone. */
export const machine = Effect.fnUntraced(function* (
  config: Config,
  id: string,
  {
    keepsCopies = true,
    upstream = new InMemoryUpstream()
  }: {
    readonly keepsCopies?: boolean
    /** Its agent's, which outlives its servers. */
    readonly upstream?: InMemoryUpstream
  } = {}
) {
  upstream.storeId = `store of ${id}`
  upstream.ids = Math.max(upstream.ids, 1000 * (id.codePointAt(0) ?? 0))
  const link = yield* makeCutLink(config.url)
  const scope = yield* Effect.flatMap(Effect.scope, Scope.fork)
  yield* Effect.addFinalizer(() => link.heal)
  const stored = Postgres.layer({
    ...config,
    url: link.url,
    connections: 5,
    machine: { id, name: id, version: "0", lease }
  })
  const context = yield* Core.layerManual.pipe(
    Layer.provide(
      Layer.mergeAll(WorkingDirectory.layerAnything, TerminalHost.layerNone, BundleSpool.layerMemory)
    ),
    Layer.provide(
      Layer.succeed(Settings, {
        ...defaults,
        onLost: "refuse",
        transcripts: { ...defaults.transcripts, keep: keepsCopies }
      })
    ),
    Layer.provideMerge(Layer.provideMerge(SqlThreadStore.layer, stored)),
    Layer.fresh,
    Layer.build,
    Scope.provide(scope)
  )
  yield* Context.get(context, ProviderRegistry).add(layerInMemoryAdapter(upstream))
  const service = Context.get(context, ProviderService)
  const say = (thread: ThreadId, input: string) =>
    Effect.flatMap(service.send(thread, { input }), ({ id }) => service.awaitSettled(thread, id))
  return {
    id,
    /** It hears nothing and is not heard, as if it were frozen. */
    cut: link.cut,
    loseCommit: link.loseCommit,
    heal: link.heal,
    upstream,
    service,
    say,
    store: Context.get(context, ThreadStore),
    events: Context.get(context, ThreadEvents),
    sessions: Context.get(context, LiveSessions),
    threads: Context.get(context, Threads),
    draining: Context.get(context, Draining),
    keep: Context.get(context, TranscriptKeeper).keep,
    reconcile: Context.get(context, Recovery).reconcile,
    open: Effect.map(
      Context.get(context, Threads).create({ provider: memory, cwd: "/work" }),
      ({ thread }) => thread.id
    ),
    /** As an operator ends it. */
    stop: Scope.close(scope, Exit.void)
  }
})

/** What stands in the database, past all machines. */
export const beside = ({ schema, url }: Config) =>
  Effect.provide(PgClient.makeClient({ url, startupParameters: { search_path: schema } }), Reactivity.layer)

export type Machine = Effect.Success<ReturnType<typeof machine>>
