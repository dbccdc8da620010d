import { StoreFailed } from "@rejoin/contracts/Errors"
import { ProcessOwner } from "@rejoin/agent-kit/ProcessOwner"
import { Recovery } from "@rejoin/core/life/Recovery"
import { TurnDispatcher } from "@rejoin/core/turns/TurnDispatcher"
import { Effect, Layer } from "effect"
import { register } from "./Instances.ts"

/**
 * What must be over before anybody is served, in this order: orphans of earlier lives are dead, what they left half
 * done is undone or settled. The data directory is locked and the database migrated by then.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const owner = yield* ProcessOwner
    const dispatcher = yield* TurnDispatcher
    // Nothing is run by a server that cannot listen: `serving` in Server.ts lets turns begin.
    yield* dispatcher.pause
    const recovery = yield* Recovery
    const orphans = yield* owner.sweepEarlier
    if (orphans.length > 0) yield* Effect.logInfo("Ended processes that an earlier server left.", { orphans })
    yield* register({ prepare: true }).pipe(
      Effect.catchTag("PlatformError", (error) =>
        Effect.fail(new StoreFailed({ message: `The data directory cannot be used: ${error.message}` }))
      )
    )
    const reconciled = yield* recovery.reconcile
    yield* Effect.logInfo("Reconciled.", reconciled)
  })
)
