import { Schema } from "effect"
import { ProviderInstanceId } from "./Ids.ts"
import { RuntimeMode } from "./RuntimeMode.ts"
import { ModelName, PathText } from "./Text.ts"
import { Timestamp } from "./Time.ts"

/** A secret is never in the configuration itself: it is read from a file, or from a variable of the server's. */
export const SecretSource = Schema.Union([
  Schema.Struct({ file: Schema.NonEmptyString }),
  Schema.Struct({ env: Schema.NonEmptyString })
])
export type SecretSource = typeof SecretSource.Type

/** The platform's own number of a person or a group, never a name: names can be taken over. */
const PlatformId = Schema.String.check(Schema.isPattern(/^[\w@.+-]{1,100}$/))

/** Who may talk, besides those who were paired. Nobody else is answered. */
export const ChannelAllow = Schema.Struct({
  users: Schema.optionalKey(Schema.Array(PlatformId)),
  /** Groups in which people who may talk are heard, where they address the bot. */
  groups: Schema.optionalKey(Schema.Array(PlatformId)),
  /** In these groups everybody is heard who addresses the bot. */
  openGroups: Schema.optionalKey(Schema.Array(PlatformId)),
  /** The most that a chat's thread may do; without it what `runtimeMode` says. */
  highestMode: Schema.optionalKey(RuntimeMode)
})
export type ChannelAllow = typeof ChannelAllow.Type

const common = {
  /** Part of its threads' keys: it stays the same. */
  id: Schema.String.check(Schema.isPattern(/^[a-z0-9][a-z0-9_-]{0,39}$/)),
  /** `beside`: not by the server, but by `rejoin channel serve`, a process of its own. */
  run: Schema.optionalKey(Schema.Literals(["server", "beside"])),
  token: SecretSource,
  /** Where the platform's interface is, where it is not the platform's own. */
  url: Schema.optionalKey(Schema.NonEmptyString),
  provider: ProviderInstanceId,
  cwd: PathText,
  runtimeMode: Schema.optionalKey(RuntimeMode),
  model: Schema.optionalKey(ModelName),
  allow: Schema.optionalKey(ChannelAllow)
}

/** A bot on a chat platform, each of whose chats is a thread. */
export const ChannelConfig = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("telegram"), ...common }),
  Schema.Struct({ kind: Schema.Literal("discord"), ...common }),
  Schema.Struct({
    kind: Schema.Literal("slack"),
    /** `xapp-…`, for the connection; `token` is the bot's, `xoxb-…`. */
    appToken: SecretSource,
    ...common
  }),
  Schema.Struct({
    kind: Schema.Literal("whatsapp"),
    phoneNumberId: PlatformId,
    /** Signs what Meta sends us. */
    appSecret: SecretSource,
    /** What Meta says when it is given our address. */
    verifyToken: SecretSource,
    ...common
  })
])
export type ChannelConfig = typeof ChannelConfig.Type

/** `up` receives; `down` says why, and is tried again by itself. */
export const ChannelState = Schema.Literals(["starting", "up", "down"])
export type ChannelState = typeof ChannelState.Type

export const ChannelInfo = Schema.Struct({
  id: Schema.String,
  kind: Schema.String,
  state: ChannelState,
  since: Timestamp,
  /** Why it is down. */
  reason: Schema.optionalKey(Schema.String),
  hint: Schema.optionalKey(Schema.String),
  /** The bot's own name there. */
  account: Schema.optionalKey(Schema.String),
  /** Messages that no turn was made of yet, and parts of answers that have not arrived. */
  waiting: Schema.Struct({ in: Schema.Int, out: Schema.Int }),
  /** How many were let in by a pairing code. */
  peers: Schema.Int,
  /** The last thing that could not be delivered. */
  lastError: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "Channel" })
export type ChannelInfo = typeof ChannelInfo.Type

/** Whoever types it in a direct chat with the bot may talk from then on; once, and until `expiresAt`. */
export const PairingCode = Schema.Struct({ code: Schema.String, expiresAt: Timestamp })
export type PairingCode = typeof PairingCode.Type

export const ChannelPeer = Schema.Struct({
  id: Schema.String,
  /** As the platform showed it when it was let in. */
  name: Schema.String,
  since: Schema.optionalKey(Timestamp),
  /** Not by a code, but by the operator's own list. */
  by: Schema.optionalKey(Schema.Literal("config.json"))
})
export type ChannelPeer = typeof ChannelPeer.Type
