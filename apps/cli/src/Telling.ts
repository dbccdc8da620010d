import { Failure } from "@rejoin/contracts/Failure"
import { Item } from "@rejoin/contracts/Item"
import { Receipt } from "@rejoin/contracts/Receipt"
import { PendingRequest } from "@rejoin/contracts/Request"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Option, Schema } from "effect"
import { counted, countedText } from "@rejoin/shown/Changes"
import { brief, printed, visible } from "@rejoin/shown/Visible"
import { limitEnd } from "@rejoin/shown/Words"
import { startText, timeOf } from "./Text.ts"

const decode = <S extends Schema.Decoder<unknown>>(schema: S) => Schema.decodeUnknownOption(schema)
const withItem = decode(Schema.Struct({ item: Item }))
const withDelta = decode(Schema.Struct({ delta: Schema.String, field: Schema.String }))
const withReceipt = decode(Schema.Struct({ receipt: Receipt }))
const withError = decode(Schema.Struct({ error: Failure }))
const withRequest = decode(Schema.Struct({ request: PendingRequest }))
const withdrawn = decode(Schema.Struct({ withdrawn: Schema.Literal(true) }))
const withMessage = decode(Schema.Struct({ message: Schema.String }))

/** What has been told so far: how much of each answer, which one stands in a line without an end, and what has begun. */
export interface Told {
  readonly lengths: ReadonlyMap<string, number>
  /** The answer at whose end the cursor is; undefined where a line begins. */
  readonly within: string | undefined
  readonly begun: ReadonlySet<string>
}

export const nothing: Told = { lengths: new Map(), within: undefined, begun: new Set() }

/** What is told of one event: the agent's answer, which programs read, and after it what a person wants to know. */
export interface Telling {
  readonly answer: string
  readonly around: string
  readonly tone: "soft" | "warn" | "bad"
}

const silence: Telling = { answer: "", around: "", tone: "soft" }

const line = (told: Told, text: string, tone: Telling["tone"] = "soft"): readonly [Told, Telling] => [
  { ...told, within: undefined },
  { answer: told.within === undefined ? "" : "\n", around: `${text}\n`, tone }
]

/** More of an answer, in a line of its own where another one was being told. */
const more = (told: Told, id: string, text: string): readonly [Told, Telling] => {
  const lengths = new Map(told.lengths).set(id, (told.lengths.get(id) ?? 0) + text.length)
  if (text === "") return [{ ...told, lengths }, silence]
  const apart = told.within === undefined || told.within === id ? "" : "\n"
  return [
    { ...told, lengths, within: id },
    { ...silence, answer: `${apart}${text}` }
  ]
}

/** The rest of an answer: what came in pieces is there already. */
const rest = (told: Told, id: string, text: string): readonly [Told, Telling] => {
  const [next, telling] = more(told, id, text.slice(told.lengths.get(id) ?? 0))
  const lengths = new Map(next.lengths)
  lengths.delete(id)
  const ends = next.within === id
  return [
    { ...next, lengths, within: ends ? undefined : next.within },
    { ...telling, answer: `${telling.answer}${ends ? "\n" : ""}` }
  ]
}

/** The first line of what is done beside talking. */
const headline = ({ changes, command, kind, title, toolName }: Item): string | undefined => {
  if (kind === "command") return `$ ${command ?? title ?? ""}`
  if (kind === "file-change")
    return `± ${changes?.map(({ diff, path }) => `${path} ${countedText(counted(diff))}`.trim()).join(", ") ?? title ?? ""}`
  if (kind === "tool-call") return `· ${title ?? toolName ?? "tool"}`
  return undefined
}

/** In lines. The rest of a longer change is on the page. */
const most = 40

const shortened = (diff: string): string => {
  const lines = diff.trimEnd().split("\n")
  const shown = lines.slice(0, most).map((line) => `  ${line}`)
  return [...shown, ...(lines.length > most ? [`  … ${lines.length - most} more lines`] : [])]
    .join("\n")
    .trimEnd()
}

const begins = (told: Told, item: Item): readonly [Told, Telling] | undefined => {
  if (item.kind === "assistant-message") return more(told, item.id, item.text ?? "")
  const first = headline(item)
  if (first === undefined || told.begun.has(item.id)) return undefined
  return line({ ...told, begun: new Set([...told.begun, item.id]) }, brief(first, 200))
}

const ends = (told: Told, item: Item, watching: boolean): readonly [Told, Telling] | undefined => {
  if (item.kind === "assistant-message") return rest(told, item.id, item.text ?? "")
  if (item.kind === "user-message") {
    return watching ? line(told, `> ${(item.text ?? "").replaceAll("\n", "\n> ")}`) : undefined
  }
  if (item.kind === "error") return line(told, item.text ?? "error", "bad")
  const first = headline(item)
  if (first === undefined) return undefined
  const ended = item.exitCode === undefined || item.exitCode === 0 ? "" : `exit ${item.exitCode}`
  const output = item.output?.trim() ? printed(item.output).trim().replaceAll(/^/gm, "  ") : ""
  const begun = told.begun.has(item.id)
  const head = begun ? ended && `  (${ended})` : `${brief(first, 200)}${ended && ` (${ended})`}`
  const changed = (item.changes ?? []).map(({ diff }) => shortened(diff)).filter((diff) => diff !== "")
  const text = [head, ...changed, output].filter((part) => part !== "").join("\n")
  return text === "" ? undefined : line(told, text)
}

const alarming = new Set<Receipt["outcome"]>(["replaced", "refused"])

/** What the agent asks, for those who cannot answer here, and how they can. */
const asks = ({ ask, threadId }: PendingRequest): string =>
  ask.kind === "approval"
    ? `The agent asks: ${ask.command ?? ask.title}\n  rejoin answer ${threadId} accept`
    : `The agent asks: ${ask.questions.map(({ question }) => question).join(" ")}\n  rejoin answer ${threadId} "…"`

/**
 * What a person is told of an event, and what has been told then. Text comes as it streams; a start says what it did
 * with the conversation, above all where it began anew. Who watches is also told what others say and are asked. Whoever wrote it, all of it is to be seen: nothing of it is a terminal's command.
 */
export const tell = (told: Told, event: RuntimeEvent, watching: boolean): readonly [Told, Telling] => {
  const [next, telling] = said(told, event, watching)
  return [next, { ...telling, answer: visible(telling.answer), around: visible(telling.around) }]
}

const said = (told: Told, event: RuntimeEvent, watching: boolean): readonly [Told, Telling] => {
  const silent = [told, silence] as const
  const { data, itemId, type } = event
  switch (type) {
    case "item.updated": {
      const delta = Option.getOrUndefined(withDelta(data))
      if (delta === undefined || delta.field !== "text" || itemId === undefined) return silent
      // Only of what has begun as an answer: reasoning is told by nobody but `--json`.
      return told.lengths.has(itemId) ? more(told, itemId, delta.delta) : silent
    }
    case "item.started": {
      const item = Option.getOrUndefined(withItem(data))?.item
      return (item && begins(told, item)) ?? silent
    }
    case "item.completed": {
      const item = Option.getOrUndefined(withItem(data))?.item
      return (item && ends(told, item, watching)) ?? silent
    }
    case "session.started":
    case "session.refused": {
      const receipt = Option.getOrUndefined(withReceipt(data))?.receipt
      if (receipt === undefined) return silent
      const tone = receipt.outcome === "refused" ? "bad" : alarming.has(receipt.outcome) ? "warn" : "soft"
      // Why it was refused is said with the turn that failed of it.
      if (receipt.outcome === "refused" && receipt.turnId !== undefined) return silent
      return line(told, startText(receipt), tone)
    }
    case "turn.failed":
    case "turn.interrupted": {
      const error = Option.getOrUndefined(withError(data))?.error
      if (Option.isSome(withdrawn(data))) return line(told, "withdrawn")
      const end = limitEnd(error)
      const over = end === undefined ? [] : [`It is over at ${timeOf(end)}.`]
      const why =
        error === undefined
          ? ""
          : `: ${[error.message, ...over, ...(error.hint ? [error.hint] : [])].join("\n")}`
      return line(told, `${type === "turn.failed" ? "failed" : "interrupted"}${why}`, "bad")
    }
    case "request.opened":
    case "user-input.opened": {
      const request = Option.getOrUndefined(withRequest(data))?.request
      return watching && request !== undefined ? line(told, asks(request), "warn") : silent
    }
    case "warning":
    case "session.stalled": {
      const message = Option.getOrUndefined(withMessage(data))?.message
      return line(told, message ?? type, "warn")
    }
    case "session.exited":
    case "session.reaped":
      return line(told, type === "session.reaped" ? "(the idle session was ended)" : "(the session ended)")
    default:
      return silent
  }
}
