import { Failure } from "@rejoin/contracts/Failure"
import { Item } from "@rejoin/contracts/Item"
import { Receipt } from "@rejoin/contracts/Receipt"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Option, Schema } from "effect"
import { brief, receiptText } from "./Text.ts"

const decode = <S extends Schema.Decoder<unknown>>(schema: S) => Schema.decodeUnknownOption(schema)
const withItem = decode(Schema.Struct({ item: Item }))
const withDelta = decode(Schema.Struct({ delta: Schema.String, field: Schema.String }))
const withReceipt = decode(Schema.Struct({ receipt: Receipt }))
const withError = decode(Schema.Struct({ error: Failure }))
const withMessage = decode(Schema.Struct({ message: Schema.String }))

/** What has been told so far of the item that is being told. */
export interface Told {
  readonly itemId: string | undefined
  readonly length: number
}

export const nothing: Told = { itemId: undefined, length: 0 }

const line = (told: Told, text: string): readonly [Told, string] => [
  nothing,
  `${told.length > 0 ? "\n" : ""}${text}\n`
]

/** The first line of what is done beside talking. */
const headline = ({ changes, command, kind, title, toolName }: Item): string | undefined => {
  if (kind === "command") return `$ ${command ?? title ?? ""}`
  if (kind === "file-change") return `± ${changes?.map(({ path }) => path).join(", ") ?? title ?? ""}`
  if (kind === "tool-call") return `· ${title ?? toolName ?? "tool"}`
  return undefined
}

const itemText = (told: Told, item: Item): readonly [Told, string] | undefined => {
  if (item.kind === "assistant-message") {
    // What came in pieces is there already; the rest, or all of it, is told now.
    const rest = (item.text ?? "").slice(told.itemId === item.id ? told.length : 0)
    return [nothing, `${told.itemId === item.id || told.length === 0 ? "" : "\n"}${rest}\n`]
  }
  const first = headline(item)
  if (first === undefined) return item.kind === "error" ? line(told, item.text ?? "error") : undefined
  const ended = item.exitCode === undefined || item.exitCode === 0 ? "" : ` (exit ${item.exitCode})`
  const output = item.output?.trim() ? `\n${item.output.trim().replaceAll(/^/gm, "  ")}` : ""
  return line(told, `${brief(first, 200)}${ended}${output}`)
}

/**
 * What a person who watches a thread is told of an event, and what has been told then. Text comes as it streams;
 * a start says what it did with the conversation, above all where it began anew.
 */
export const tell = (told: Told, event: RuntimeEvent): readonly [Told, string] => {
  const silent = [told, ""] as const
  const { data, itemId, type } = event
  switch (type) {
    case "item.updated": {
      const delta = Option.getOrUndefined(withDelta(data))
      if (delta === undefined || delta.field !== "text" || itemId === undefined) return silent
      if (told.itemId === itemId) {
        return [{ itemId, length: told.length + delta.delta.length }, delta.delta]
      }
      // Only of what has begun as an answer: reasoning is told by nobody but `--json`.
      return silent
    }
    case "item.started": {
      const item = Option.getOrUndefined(withItem(data))?.item
      if (item?.kind !== "assistant-message") return silent
      const text = item.text ?? ""
      return [{ itemId: item.id, length: text.length }, `${told.length > 0 ? "\n" : ""}${text}`]
    }
    case "item.completed": {
      const item = Option.getOrUndefined(withItem(data))?.item
      return (item && itemText(told, item)) ?? silent
    }
    case "session.started":
    case "session.refused": {
      const receipt = Option.getOrUndefined(withReceipt(data))?.receipt
      return receipt === undefined ? silent : line(told, receiptText(receipt))
    }
    case "turn.failed":
    case "turn.interrupted": {
      const error = Option.getOrUndefined(withError(data))?.error
      const why = error === undefined ? "" : `: ${error.message}${error.hint ? `\n${error.hint}` : ""}`
      return line(told, `${type === "turn.failed" ? "failed" : "interrupted"}${why}`)
    }
    case "warning":
    case "session.stalled": {
      const message = Option.getOrUndefined(withMessage(data))?.message
      return line(told, message ?? type)
    }
    case "session.exited":
    case "session.reaped":
      return line(told, type === "session.reaped" ? "(the idle session was ended)" : "(the session ended)")
    default:
      return silent
  }
}
