import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { layerInMemoryAdapter } from "@rejoin/core/testing/InMemoryAdapter"
import { InMemoryUpstream } from "@rejoin/core/testing/InMemoryUpstream"
import { Probe } from "@rejoin/core/plan/Probe"
import { WorkingDirectory } from "@rejoin/core/threads/WorkingDirectory"
import { Effect, Layer } from "effect"
import { conformance } from "./Conformance.ts"
import type { Harness } from "./conformance/Harness.ts"

const places = { repo: "/repo", tree: "/tree", other: "/other", alias: "/tree/../repo" }

conformance(
  "in memory",
  Effect.succeed({
    harness: Effect.sync((): Harness => {
      const upstream = new InMemoryUpstream()
      const another = new InMemoryUpstream()
      another.storeId = "another-store"
      const away = new InMemoryUpstream()
      away.faults.probe = Probe.Unavailable({ cause: "it is away" })
      return {
        instance: ProviderInstanceId.make("memory"),
        adapter: layerInMemoryAdapter(upstream),
        elsewhere: layerInMemoryAdapter(another),
        unreachable: layerInMemoryAdapter(away),
        directories: Layer.succeed(WorkingDirectory, {
          admit: (path) => Effect.succeed(path === places.alias ? places.repo : path),
          unchanged: () => Effect.void
        }),
        places,
        isWritten: (path) =>
          Effect.sync(() =>
            upstream.writes.some(
              ({ directory, path: written }) =>
                path === (written.startsWith("/") ? written : `${directory}/${written}`)
            )
          ),
        sessions: Effect.sync(() => [...upstream.sessions.keys()]),
        processes: Effect.sync(() => upstream.open),
        faults: { lose: (id) => Effect.sync(() => upstream.delete(id)), crash: upstream.crash }
      }
    })
  })
)
