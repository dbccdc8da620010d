import type { StoreId } from "@rejoin/contracts/Ids"
import { Probe, ProbeFailure } from "@rejoin/core/plan/Probe"
import type { AdapterFailure } from "@rejoin/core/providers/ResumeCursor"
import { Effect, FileSystem, type PlatformError } from "effect"
import { storeOf } from "./StoreIdentity.ts"

/** Fails with `WrongStore` where a cursor's data directory is not this one. It only looks: no mark is written. */
export const requireStore =
  (fs: FileSystem.FileSystem, directory: string) =>
  ({ storeId }: { readonly storeId: StoreId }): Effect.Effect<void, ProbeFailure> =>
    Effect.flatMap(storeOf(directory), (store) => {
      if (store.is(storeId)) return Effect.void
      const emptied = store.emptied(storeId)
      const probe = Probe.WrongStore({ expected: storeId, actual: store.id, ...(emptied && { emptied }) })
      return Effect.fail(new ProbeFailure({ probe }))
    }).pipe(Effect.provideService(FileSystem.FileSystem, fs))

const inconclusive = ({ message }: { readonly message: string }) =>
  Effect.succeed(Probe.Inconclusive({ evidence: { reason: message } }))

const unavailable = ({ message }: { readonly message: string }) =>
  Effect.succeed(Probe.Unavailable({ cause: message }))

/** A probe that failed proves nothing of the session (law 2): it says why, and nothing is absent by it. */
export const probed = (
  probe: Effect.Effect<Probe, ProbeFailure | AdapterFailure | PlatformError.PlatformError>
): Effect.Effect<Probe> =>
  Effect.catchTags(probe, {
    ProbeFailure: ({ probe }) => Effect.succeed(probe),
    ProviderUnavailable: unavailable,
    ProviderTimeout: unavailable,
    ProviderFailed: inconclusive,
    PlatformError: inconclusive
  })
