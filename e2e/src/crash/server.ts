// The server, ended by kill -9 at one arrival at a point: the one that CRASH_AT counts. Where it was, is written to
// the file CRASH_LOG first.
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import * as Core from "@rejoin/core/Core"
import { ProviderAdapter } from "@rejoin/core/providers/ProviderAdapter"
import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import * as Announcement from "@rejoin/server/Announcement"
import * as Failing from "@rejoin/server/Failing"
import * as Server from "@rejoin/server/Server"
import { crashingAdapter } from "@rejoin/testkit/crash/CrashingAdapter"
import { crashingStore } from "@rejoin/testkit/crash/CrashingStore"
import type { Reach } from "@rejoin/testkit/crash/CrashPoint"
import { Effect, Layer } from "effect"
import { appendFileSync } from "node:fs"

const at = Number(process.env["CRASH_AT"])
const log = process.env["CRASH_LOG"] ?? "/dev/null"
let arrivals = 0

const reach: Reach = (point, when) =>
  Effect.suspend(() => {
    if (++arrivals !== at) return Effect.void
    appendFileSync(log, `${when} ${point}\n`)
    process.kill(process.pid, "SIGKILL")
    return Effect.never
  })

const store = Layer.effect(
  ThreadStore,
  Effect.map(ThreadStore, (store) => crashingStore(store, reach))
).pipe(Layer.provideMerge(Server.store))

// Every adapter that is registered is told of too.
const core = Layer.effectDiscard(
  Effect.map(ProviderRegistry, (registry) => {
    const { add } = registry
    const telling: typeof add = (adapter) =>
      add(
        Layer.effect(
          ProviderAdapter,
          Effect.map(ProviderAdapter, (own) => crashingAdapter(own, reach))
        ).pipe(Layer.provide(adapter))
      )
    Object.assign(registry, { add: telling })
  })
).pipe(Layer.provideMerge(Core.layer))

Announcement.layer.pipe(
  Layer.provideMerge(Server.layerOn({ store, core })),
  Layer.provide(NodeServices.layer),
  Layer.launch,
  Effect.tapCause(Failing.tell),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: Failing.exitCode })
)
