import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, FileSystem } from "effect"
import { fileURLToPath } from "node:url"
import { reference } from "./Reference.ts"

/** Writes `docs/reference.md` anew. */
Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  yield* fs.writeFileString(
    fileURLToPath(new URL("../../../docs/reference.md", import.meta.url)),
    yield* reference
  )
}).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
