import { Schema } from "effect"
import * as E from "../Errors.ts"

/** What a list answers: one of its pages; with `next` there is another, after that. */
export const page = <S extends Schema.Top>(item: S) =>
  Schema.Struct({ items: Schema.Array(item), next: Schema.optionalKey(Schema.String) })

export const Limit = Schema.FiniteFromString.check(
  Schema.isInt(),
  Schema.isBetween({ minimum: 1, maximum: 500 })
)
export const paging = { after: Schema.optionalKey(Schema.String), limit: Schema.optionalKey(Limit) }

/** What a change of a session can fail with beyond what the endpoint itself can. */
export const startFailures = [
  E.CapabilityMissing,
  E.CwdNotAllowed,
  E.CwdUnavailable,
  E.DirectoryMismatch,
  E.DirectoryNotTrusted,
  E.HistoryMismatch,
  E.MachineAway,
  E.PermissionMismatch,
  E.ProbeInconclusive,
  E.ProviderFailed,
  E.ProviderTimeout,
  E.ProviderUnavailable,
  E.RelocationUnsupported,
  E.SessionHeldElsewhere,
  E.StaleGeneration,
  E.UpstreamCorrupt,
  E.UpstreamLost,
  E.WrongStore
] as const

export const id = { id: Schema.String }
export const thread = [E.ThreadNotFound, E.StoreFailed] as const
