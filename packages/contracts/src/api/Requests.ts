import { Schema } from "effect"
import { ProviderInstanceId } from "../Ids.ts"
import { RuntimeMode } from "../RuntimeMode.ts"
import { ModelName, PathText, plain, WellFormed } from "../Text.ts"
import { SystemPrompt, ThreadKey } from "../Thread.ts"
import { Instant } from "../Time.ts"
import { OnLimit } from "../Unattended.ts"
import { Attachment, Delivery } from "../Turn.ts"

export const CreateThread = Schema.Struct({
  provider: ProviderInstanceId,
  /** Where it works; of a session that is adopted by default where that does. */
  cwd: Schema.optionalKey(PathText),
  /** A session of the agent's own, whoever began it: the thread goes on with it, and shows what was said in it. */
  session: Schema.optionalKey(plain(256).check(Schema.isNonEmpty())),
  runtimeMode: Schema.optionalKey(RuntimeMode),
  model: Schema.optionalKey(ModelName),
  systemPrompt: Schema.optionalKey(SystemPrompt),
  title: Schema.optionalKey(plain(500)),
  project: Schema.optionalKey(plain(500).check(Schema.isNonEmpty())),
  key: Schema.optionalKey(ThreadKey),
  /** All of it, names included, is part of each start of the agent: some systems take no more than 128 kB a variable. */
  extraEnv: Schema.optionalKey(Schema.Record(plain(200), plain(32_000)).check(Schema.isMaxProperties(100))),
  additionalDirectories: Schema.optionalKey(Schema.Array(PathText).check(Schema.isMaxLength(50))),
  onLimit: Schema.optionalKey(OnLimit)
})
export type CreateThread = typeof CreateThread.Type

export const UpdateThread = Schema.Struct({
  title: Schema.optionalKey(plain(500)),
  runtimeMode: Schema.optionalKey(RuntimeMode),
  model: Schema.optionalKey(ModelName),
  /** Null for what the settings say. */
  onLimit: Schema.optionalKey(Schema.NullOr(OnLimit))
})
export type UpdateThread = typeof UpdateThread.Type

export const SendTurn = Schema.Struct({
  input: WellFormed.check(Schema.isNonEmpty()),
  attachments: Schema.optionalKey(Schema.Array(Attachment)),
  delivery: Schema.optionalKey(Delivery),
  /** It waits for this time, and for the turns that wait then; what is past is now. */
  notBefore: Schema.optionalKey(Instant),
  idempotencyKey: Schema.optionalKey(plain(200).check(Schema.isNonEmpty()))
})
/** Of a turn that waits. */
export const UpdateTurn = Schema.Struct({
  input: Schema.optionalKey(WellFormed.check(Schema.isNonEmpty())),
  attachments: Schema.optionalKey(Schema.Array(Attachment)),
  /** It is to run before this one, which waits too. */
  before: Schema.optionalKey(Schema.String),
  /** It waits for this time; null to let it begin as soon as it can. */
  notBefore: Schema.optionalKey(Schema.NullOr(Instant))
})
export type UpdateTurn = typeof UpdateTurn.Type

export type SendTurn = typeof SendTurn.Type
