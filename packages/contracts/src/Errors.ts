import { Schema } from "effect"
import type { Failure } from "./Failure.ts"
import { Timestamp } from "./Time.ts"
import { Brought } from "./Trust.ts"

// One class a failure that a caller can act on. `message` says what happened, `hint` what to do about it.
const said = { message: Schema.String, hint: Schema.optionalKey(Schema.String) }

export class InvalidInput extends Schema.TaggedError<InvalidInput>()(
  "InvalidInput",
  { ...said, field: Schema.optionalKey(Schema.String) },
  { httpApiStatus: 400 }
) {}

export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", said, {
  httpApiStatus: 401
}) {}

/** A device that was let in for less: its owner may, and it may not. */
export class DeviceNotAllowed extends Schema.TaggedError<DeviceNotAllowed>()(
  "DeviceNotAllowed",
  { ...said, device: Schema.String },
  { httpApiStatus: 403 }
) {}

/** The directory lies outside the allowed roots, or within our own data directory. */
export class CwdNotAllowed extends Schema.TaggedError<CwdNotAllowed>()(
  "CwdNotAllowed",
  { ...said, cwd: Schema.String },
  { httpApiStatus: 403 }
) {}

/** The request's Host or Origin is not this server's own. */
export class OriginNotAllowed extends Schema.TaggedError<OriginNotAllowed>()("OriginNotAllowed", said, {
  httpApiStatus: 403
}) {}

export class ThreadNotFound extends Schema.TaggedError<ThreadNotFound>()(
  "ThreadNotFound",
  { ...said, threadId: Schema.String },
  { httpApiStatus: 404 }
) {}

export class TurnNotFound extends Schema.TaggedError<TurnNotFound>()(
  "TurnNotFound",
  { ...said, turnId: Schema.String },
  { httpApiStatus: 404 }
) {}

/** It does not wait any more. */
export class TurnBegun extends Schema.TaggedError<TurnBegun>()(
  "TurnBegun",
  { ...said, turnId: Schema.String },
  { httpApiStatus: 409 }
) {}

export class RequestNotFound extends Schema.TaggedError<RequestNotFound>()(
  "RequestNotFound",
  { ...said, requestId: Schema.String },
  { httpApiStatus: 404 }
) {}

export class RuleNotFound extends Schema.TaggedError<RuleNotFound>()(
  "RuleNotFound",
  { ...said, ruleId: Schema.String },
  { httpApiStatus: 404 }
) {}

export class ChannelNotFound extends Schema.TaggedError<ChannelNotFound>()(
  "ChannelNotFound",
  { ...said, channel: Schema.String },
  { httpApiStatus: 404 }
) {}

/** Nobody of this number was let in by a code. */
export class PeerNotFound extends Schema.TaggedError<PeerNotFound>()(
  "PeerNotFound",
  { ...said, peer: Schema.String },
  { httpApiStatus: 404 }
) {}

/** No device that was let in has this id. */
export class DeviceNotFound extends Schema.TaggedError<DeviceNotFound>()(
  "DeviceNotFound",
  { ...said, device: Schema.String },
  { httpApiStatus: 404 }
) {}

/** Somebody else answers it, or has just answered it. */
export class RequestAnswered extends Schema.TaggedError<RequestAnswered>()(
  "RequestAnswered",
  { ...said, requestId: Schema.String },
  { httpApiStatus: 409 }
) {}

export class ProviderNotFound extends Schema.TaggedError<ProviderNotFound>()(
  "ProviderNotFound",
  { ...said, provider: Schema.String },
  { httpApiStatus: 404 }
) {}

/** The agent has no session of this id in its own store. */
export class SessionNotFound extends Schema.TaggedError<SessionNotFound>()(
  "SessionNotFound",
  { ...said, providerSessionId: Schema.String },
  { httpApiStatus: 404 }
) {}

export class ThreadBusy extends Schema.TaggedError<ThreadBusy>()(
  "ThreadBusy",
  { ...said, threadId: Schema.String },
  { httpApiStatus: 409 }
) {}

export class StartInProgress extends Schema.TaggedError<StartInProgress>()(
  "StartInProgress",
  { ...said, threadId: Schema.String },
  { httpApiStatus: 409 }
) {}

/** The thread has no live session to act on. */
export class SessionNotRunning extends Schema.TaggedError<SessionNotRunning>()(
  "SessionNotRunning",
  { ...said, threadId: Schema.String },
  { httpApiStatus: 409 }
) {}

/** A later start of the thread has happened; what this one would write is refused. */
export class StaleGeneration extends Schema.TaggedError<StaleGeneration>()(
  "StaleGeneration",
  { ...said, threadId: Schema.String, generation: Schema.Int },
  { httpApiStatus: 409 }
) {}

/** What was to be imported is here already, and ours is newer, or has gone on otherwise. */
export class ThreadExists extends Schema.TaggedError<ThreadExists>()(
  "ThreadExists",
  { ...said, threadId: Schema.String },
  { httpApiStatus: 409 }
) {}

/** Not a thread that was exported, or not all of it, or not as it was exported: nothing of it was taken. */
export class InvalidBundle extends Schema.TaggedError<InvalidBundle>()(
  "InvalidBundle",
  { ...said, line: Schema.NullOr(Schema.Int) },
  { httpApiStatus: 400 }
) {}

export class IdempotencyConflict extends Schema.TaggedError<IdempotencyConflict>()(
  "IdempotencyConflict",
  {
    ...said,
    idempotencyKey: Schema.String,
    /** The turn that was sent with it. */
    turnId: Schema.optionalKey(Schema.String)
  },
  { httpApiStatus: 409 }
) {}

/** Another server works on this data directory. */
export class DataDirectoryHeld extends Schema.TaggedError<DataDirectoryHeld>()(
  "DataDirectoryHeld",
  { ...said, directory: Schema.String, pid: Schema.NullOr(Schema.Int), url: Schema.NullOr(Schema.String) },
  { httpApiStatus: 409 }
) {}

/** The upstream session belongs to another thread, or another process works on it. */
export class SessionHeldElsewhere extends Schema.TaggedError<SessionHeldElsewhere>()(
  "SessionHeldElsewhere",
  { ...said, providerSessionId: Schema.NullOr(Schema.String) },
  { httpApiStatus: 409 }
) {}

export class DirectoryMismatch extends Schema.TaggedError<DirectoryMismatch>()(
  "DirectoryMismatch",
  { ...said, asked: Schema.String, found: Schema.NullOr(Schema.String) },
  { httpApiStatus: 422 }
) {}

export class PermissionMismatch extends Schema.TaggedError<PermissionMismatch>()(
  "PermissionMismatch",
  { ...said, asked: Schema.String, found: Schema.NullOr(Schema.String) },
  { httpApiStatus: 422 }
) {}

/** The upstream session does not contain the last message that we know it had. */
export class HistoryMismatch extends Schema.TaggedError<HistoryMismatch>()(
  "HistoryMismatch",
  { ...said, found: Schema.String },
  { httpApiStatus: 422 }
) {}

export class CwdUnavailable extends Schema.TaggedError<CwdUnavailable>()(
  "CwdUnavailable",
  { ...said, cwd: Schema.String },
  { httpApiStatus: 422 }
) {}

/**
 * The directory brings what would run code, choose an endpoint or widen powers, its owner has not trusted that, and the
 * agent cannot be kept from it.
 */
export class DirectoryNotTrusted extends Schema.TaggedError<DirectoryNotTrusted>()(
  "DirectoryNotTrusted",
  { ...said, path: Schema.String, found: Schema.Array(Brought) },
  { httpApiStatus: 422 }
) {}

export class RelocationUnsupported extends Schema.TaggedError<RelocationUnsupported>()(
  "RelocationUnsupported",
  { ...said, from: Schema.NullOr(Schema.String), to: Schema.String },
  { httpApiStatus: 422 }
) {}

export class CapabilityMissing extends Schema.TaggedError<CapabilityMissing>()(
  "CapabilityMissing",
  { ...said, capability: Schema.String },
  { httpApiStatus: 422 }
) {}

/** The upstream conversation is gone and the thread's policy is to refuse rather than to start anew. */
export class UpstreamLost extends Schema.TaggedError<UpstreamLost>()(
  "UpstreamLost",
  { ...said, providerSessionId: Schema.NullOr(Schema.String) },
  { httpApiStatus: 424 }
) {}

export class UpstreamCorrupt extends Schema.TaggedError<UpstreamCorrupt>()("UpstreamCorrupt", said, {
  httpApiStatus: 424
}) {}

/** The provider looks at another data directory than the one that holds the conversation. */
export class WrongStore extends Schema.TaggedError<WrongStore>()(
  "WrongStore",
  { ...said, expected: Schema.String, actual: Schema.String },
  { httpApiStatus: 424 }
) {}

export class ProbeInconclusive extends Schema.TaggedError<ProbeInconclusive>()("ProbeInconclusive", said, {
  httpApiStatus: 424
}) {}

export class PayloadTooLarge extends Schema.TaggedError<PayloadTooLarge>()("PayloadTooLarge", said, {
  httpApiStatus: 413
}) {}

export class TooManyRequests extends Schema.TaggedError<TooManyRequests>()("TooManyRequests", said, {
  httpApiStatus: 429
}) {}

/**
 * The database refused: nothing of the request was kept. `away`: it does not answer now, and may take the same later; where
 * that was in the moment of a commit, it may have been kept. `elsewhere`: the thread is run by this machine, not by ours.
 */
export class StoreFailed extends Schema.TaggedError<StoreFailed>()(
  "StoreFailed",
  {
    ...said,
    away: Schema.optionalKey(Schema.Literal(true)),
    elsewhere: Schema.optionalKey(Schema.NonEmptyString)
  },
  { httpApiStatus: 500 }
) {}

/** The database does not answer now. The same may be asked again, with the same idempotency key where there is one. */
export class StoreUnavailable extends Schema.TaggedError<StoreUnavailable>()("StoreUnavailable", said, {
  httpApiStatus: 503
}) {}

/** Another machine runs the thread, and lives: what only that one can do is to be asked there. */
export class ThreadOwnedElsewhere extends Schema.TaggedError<ThreadOwnedElsewhere>()(
  "ThreadOwnedElsewhere",
  { ...said, machine: Schema.String },
  { httpApiStatus: 409 }
) {}

/** The machine that has the conversation is away, and nothing can go on from a copy elsewhere. */
export class MachineAway extends Schema.TaggedError<MachineAway>()(
  "MachineAway",
  { ...said, machine: Schema.String },
  { httpApiStatus: 503 }
) {}

/** The server runs, and cannot do its work now: nothing should be sent to it. */
export class NotReady extends Schema.TaggedError<NotReady>()("NotReady", said, { httpApiStatus: 503 }) {}

export class ProviderFailed extends Schema.TaggedError<ProviderFailed>()(
  "ProviderFailed",
  { ...said, provider: Schema.String, detail: Schema.optionalKey(Schema.Unknown) },
  { httpApiStatus: 502 }
) {}

/** The agent's account has used what it may: `scope` is the agent's own name for what. */
export class UsageLimited extends Schema.TaggedError<UsageLimited>()(
  "UsageLimited",
  {
    ...said,
    provider: Schema.String,
    scope: Schema.String,
    /** When it is over; null where the agent does not tell. */
    resetsAt: Schema.NullOr(Timestamp),
    detail: Schema.optionalKey(Schema.Unknown)
  },
  { httpApiStatus: 429 }
) {}

export class ProviderUnavailable extends Schema.TaggedError<ProviderUnavailable>()(
  "ProviderUnavailable",
  { ...said, provider: Schema.String },
  { httpApiStatus: 503 }
) {}

export class ProviderTimeout extends Schema.TaggedError<ProviderTimeout>()(
  "ProviderTimeout",
  { ...said, provider: Schema.String, operation: Schema.String, millis: Schema.Finite },
  { httpApiStatus: 504 }
) {}

/** A failure that a start of a session can end with. */
export type StartFailure =
  | CwdNotAllowed
  | CapabilityMissing
  | CwdUnavailable
  | DirectoryMismatch
  | DirectoryNotTrusted
  | HistoryMismatch
  | MachineAway
  | PermissionMismatch
  | ProbeInconclusive
  | ProviderFailed
  | ProviderNotFound
  | ProviderTimeout
  | ProviderUnavailable
  | RelocationUnsupported
  | SessionHeldElsewhere
  | StaleGeneration
  | StoreFailed
  | UpstreamCorrupt
  | UpstreamLost
  | WrongStore

/** The error as it stands on a turn, a thread or a receipt. */
export const toFailure = (error: { readonly _tag: string; readonly message: string }): Failure => ({
  ...Object.fromEntries(Object.entries(error).filter(([name]) => name !== "stack" && name !== "cause")),
  _tag: error._tag,
  message: error.message
})
