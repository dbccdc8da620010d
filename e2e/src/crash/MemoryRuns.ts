import { NodeServices } from "@effect/platform-node"
import { layerMemory } from "@rejoin/core/store/MemoryThreadStore"
import * as Database from "@rejoin/persistence/Database"
import * as SqlThreadStore from "@rejoin/persistence/SqlThreadStore"
import { runInMemory, storeOf } from "@rejoin/testkit/crash/InMemoryRun"
import { scenarioOf } from "@rejoin/testkit/crash/Scenario"
import { Effect, FileSystem, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"

const sqlite = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "rejoin-crash-" })
  return yield* storeOf(Layer.provide(SqlThreadStore.layer, Database.layer(`${directory}/rejoin.db`)))
})

/** A run on the in-memory agent. Every fourth keeps its threads in SQLite, the others in memory. */
export const memoryRun = (seed: number) =>
  (seed % 4 === 0 ? Effect.orDie(sqlite) : storeOf(layerMemory)).pipe(
    Effect.flatMap((store) => runInMemory(scenarioOf(seed), { store })),
    Effect.scoped,
    Effect.provide([TestClock.layer(), Logger.layer([]), NodeServices.layer])
  )
