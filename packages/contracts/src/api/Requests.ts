import { Schema } from "effect"
import { ProviderInstanceId } from "../Ids.ts"
import { RuntimeMode } from "../RuntimeMode.ts"
import { SystemPrompt, ThreadKey } from "../Thread.ts"
import { Attachment, Delivery } from "../Turn.ts"

export const CreateThread = Schema.Struct({
  provider: ProviderInstanceId,
  cwd: Schema.NonEmptyString,
  runtimeMode: Schema.optionalKey(RuntimeMode),
  model: Schema.optionalKey(Schema.NonEmptyString),
  systemPrompt: Schema.optionalKey(SystemPrompt),
  title: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(500))),
  project: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(500))),
  key: Schema.optionalKey(ThreadKey),
  extraEnv: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  additionalDirectories: Schema.optionalKey(Schema.Array(Schema.NonEmptyString))
})
export type CreateThread = typeof CreateThread.Type

export const UpdateThread = Schema.Struct({
  title: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(500))),
  runtimeMode: Schema.optionalKey(RuntimeMode),
  model: Schema.optionalKey(Schema.NonEmptyString)
})
export type UpdateThread = typeof UpdateThread.Type

export const SendTurn = Schema.Struct({
  input: Schema.NonEmptyString,
  attachments: Schema.optionalKey(Schema.Array(Attachment)),
  delivery: Schema.optionalKey(Delivery),
  idempotencyKey: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(200)))
})
export type SendTurn = typeof SendTurn.Type
