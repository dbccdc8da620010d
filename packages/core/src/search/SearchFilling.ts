import { Effect, Layer } from "effect"
import { ThreadStore } from "../store/ThreadStore.ts"

/** What an older version wrote becomes findable in the background: a start waits for none of it, and a stop neither. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { search } = yield* ThreadStore
    yield* search.fill.pipe(
      // Turns come first.
      Effect.tap(() => Effect.sleep("20 millis")),
      Effect.repeat({ while: (more) => more }),
      Effect.catch((error) =>
        Effect.logWarning("What was said before cannot all be searched yet; the next start goes on.", error)
      ),
      Effect.forkScoped
    )
  })
)
