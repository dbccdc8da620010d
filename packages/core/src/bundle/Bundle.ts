import { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { Item } from "@rejoin/contracts/Item"
import { Receipt } from "@rejoin/contracts/Receipt"
import { Timestamp } from "@rejoin/contracts/Time"
import { Schema, Struct } from "effect"
import { Binding, LineageEntry, ThreadRecord, TurnRecord } from "../store/Records.ts"
import { TranscriptHead } from "../store/TranscriptStore.ts"

// A thread outside of a database: a JSON document a line, so that neither side holds more than one of them in memory.

/** What is in no bundle: variables may be secrets, and the sequence of its events is a database's own. */
const portable = Struct.omit(ThreadRecord.fields, ["extraEnv"])

/** Where the agent's session was, and how far it went. Its cursor means nothing to another store. */
const session = Struct.pick(Binding.fields, [
  "storeId",
  "providerSessionId",
  "cwd",
  "mode",
  "model",
  "generation",
  "prior",
  "mark",
  "resetRequested"
])

/** What every version begins with: enough to say that a newer one is needed. */
export const Format = Schema.Struct({
  kind: Schema.Literal("header"),
  format: Schema.Literal("rejoin-thread"),
  version: Schema.Int
})

export const version = 1

export const Header = Schema.Struct({
  ...Format.fields,
  version: Schema.Literal(version),
  at: Timestamp,
  thread: Schema.Struct(portable),
  session: Schema.Struct(session),
  /** Names of the variables that its agent had, and that are not in the bundle. */
  variables: Schema.Array(Schema.String)
})
export type Header = typeof Header.Type

/** What an attachment of the turn before it holds, in base64. */
const BlobLine = Schema.Struct({
  kind: Schema.Literal("blob"),
  turnId: TurnId,
  hash: Schema.String,
  data: Schema.String.check(Schema.isBase64())
})

/** In this order; a `piece` is of the transcript before it. */
export const Line = Schema.Union([
  Header,
  Schema.Struct({ kind: Schema.Literal("turn"), turn: TurnRecord }),
  BlobLine,
  Schema.Struct({ kind: Schema.Literal("item"), item: Item }),
  Schema.Struct({ kind: Schema.Literal("receipt"), receipt: Receipt }),
  Schema.Struct({ kind: Schema.Literal("lineage"), entry: LineageEntry }),
  Schema.Struct({ kind: Schema.Literal("transcript"), head: TranscriptHead }),
  Schema.Struct({
    kind: Schema.Literal("piece"),
    file: Schema.String,
    from: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
    data: Schema.Uint8ArrayFromBase64
  }),
  Schema.Struct({
    kind: Schema.Literal("end"),
    threadId: ThreadId,
    /** How many lines came before it. */
    lines: Schema.Int,
    /** Over all of them, as they were written (`chained`). */
    hash: Schema.String
  })
])
export type Line = typeof Line.Type

export const encodeLine = (line: Line): string => JSON.stringify(Schema.encodeSync(Line)(line))

/** In bytes: more than the largest attachment that a turn can have. */
export const longestLine = 48 * 1024 * 1024

/** In bytes, over all lines. */
export const largestBundle = 1024 * 1024 * 1024
