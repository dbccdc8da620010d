import { ItemId, MessageId } from "@rejoin/contracts/Ids"
import { Timestamp } from "@rejoin/contracts/Time"
import type { Attachment } from "@rejoin/contracts/Turn"
import type { AdapterItem } from "@rejoin/core/providers/AdapterEvent"
import type { Past } from "@rejoin/core/providers/OwnSessions"
import { Option, Predicate, Result, Schema } from "effect"
import { itemOf } from "./ClaudeItems.ts"
import { type ToolResult, ToolUse } from "./ClaudeSchema.ts"
import { ClaudeTranscript, parseLine, promptOf } from "./ClaudeTranscripts.ts"

const Said = Schema.Struct({
  type: Schema.Literals(["user", "assistant"]),
  uuid: Schema.String,
  timestamp: Schema.optional(Schema.String),
  isMeta: Schema.optional(Schema.Boolean),
  isCompactSummary: Schema.optional(Schema.Boolean),
  cwd: Schema.optional(Schema.String),
  toolUseResult: Schema.optional(Schema.Unknown),
  /** Said by Claude in the model's place. */
  isApiErrorMessage: Schema.optional(Schema.Boolean),
  message: Schema.Struct({
    stop_reason: Schema.optional(Schema.NullOr(Schema.String)),
    content: Schema.Union([Schema.String, Schema.Array(Schema.Unknown)])
  })
})
type Said = typeof Said.Type
const decodeSaid = Schema.decodeUnknownOption(Said)
const isToolUse = Schema.is(ToolUse)

const isBlock = (block: unknown, type: string): block is Readonly<Record<string, unknown>> =>
  Predicate.hasProperty(block, "type") && block.type === type

const textIn = (content: Said["message"]["content"]): string =>
  Predicate.isString(content)
    ? content
    : content
        .flatMap((block) =>
          isBlock(block, "text") && Predicate.isString(block["text"]) ? [block["text"]] : []
        )
        // Attachments stand before what was said.
        .filter((text) => !/^<file name="[^"]*">/.test(text) && !text.startsWith("<system-reminder>"))
        .join("\n")

const isHeld = Schema.is(
  Schema.Struct({
    type: Schema.Literals(["image", "document"]),
    source: Schema.Struct({
      type: Schema.Literal("base64"),
      media_type: Schema.String,
      data: Schema.String.check(Schema.isBase64())
    })
  })
)

/** What went with a message; Claude keeps no names. */
const attachmentsIn = (content: Said["message"]["content"]): ReadonlyArray<Attachment> =>
  Predicate.isString(content)
    ? []
    : content.filter(isHeld).map(({ source, type }, i) => ({
        name: `${type} ${i + 1}`,
        mediaType: source.media_type,
        data: source.data
      }))

/** A command of the interface's own stands there in marks; it is shown as it was typed. */
const asTyped = (text: string): string => {
  const name = /<command-name>([^<]*)<\/command-name>/.exec(text)?.[1]
  if (name === undefined || !/^\s*<command-(?:name|message)>/.test(text)) return text
  const given = /<command-args>([^]*?)<\/command-args>/.exec(text)?.[1] ?? ""
  return `${name} ${given}`.trim()
}

/** What a command of the interface's own printed stands there as if its user had said it. */
const toldBy = (text: string): string | undefined =>
  /^<local-command-std(?:out|err)>([^]*?)<\/local-command-std(?:out|err)>\s*$/.exec(text)?.[1]?.trim()

const timeOf = ({ timestamp }: Said): Timestamp => Timestamp.make(timestamp ?? "1970-01-01T00:00:00.000Z")

/** Whoever wrote a transcript before prompts had a source: a message of its user's is no result of a tool. */
const isPrompt = ({ isMeta, message, type }: Said): boolean =>
  type === "user" &&
  isMeta !== true &&
  (Predicate.isString(message.content) || message.content.some((block) => isBlock(block, "text"))) &&
  textIn(message.content) !== ""

/** What the model sees of a transcript, by what its user said. */
export const historyOf = (path: string, text: string): ReadonlyArray<Past> => {
  const lines = text.split("\n").filter((line) => line !== "")
  const parsed = lines.flatMap((line) => parseLine(line) ?? [])
  const seen = new Set(new ClaudeTranscript(path, parsed).order)
  const sources = new Map(parsed.map((line) => [line.uuid, promptOf(line)]))
  const past: Array<Past & { items: Array<AdapterItem>; ended?: boolean }> = []
  const open = new Map<
    string,
    { readonly use: ToolUse; readonly at: number; readonly of: Array<AdapterItem> }
  >()
  for (const line of lines) {
    const json = Result.getOrUndefined(Result.try(() => JSON.parse(line) as unknown))
    const said = Option.getOrUndefined(decodeSaid(json))
    if (said === undefined || !seen.has(said.uuid)) continue
    const { message, type, uuid } = said
    const told = toldBy(textIn(message.content))
    if (type === "user" && told !== undefined) {
      const answer = { id: ItemId.make(uuid), kind: "assistant-message", status: "completed" } as const
      if (told !== "") past.at(-1)?.items.push({ ...answer, text: told })
      continue
    }
    if (said.isCompactSummary === true) {
      // Claude has it as a message of its user's, who said nothing of it.
      const summary = { toolName: "compact", title: "compact", output: textIn(message.content) }
      past.at(-1)?.items.push({ id: ItemId.make(uuid), kind: "tool-call", status: "completed", ...summary })
      continue
    }
    if (type === "user" && (sources.get(uuid) !== undefined || isPrompt(said))) {
      past.push({
        messageId: MessageId.make(uuid),
        input: asTyped(textIn(message.content)),
        attachments: attachmentsIn(message.content),
        at: timeOf(said),
        items: []
      })
      continue
    }
    const answered = past.at(-1)
    if (answered !== undefined)
      answered.ended =
        type === "assistant" && message.stop_reason === "end_turn" && said.isApiErrorMessage !== true
    const items = answered?.items
    if (items === undefined || Predicate.isString(message.content)) continue
    for (const [i, block] of message.content.entries()) {
      const base = { id: ItemId.make(`${uuid}-${i}`), status: "completed" as const }
      if (isBlock(block, "tool_result")) {
        const begun = open.get(String(block["tool_use_id"]))
        if (begun === undefined) continue
        const result = { block: block as unknown as ToolResult, detail: said.toolUseResult }
        begun.of[begun.at] = itemOf(begun.use, said.cwd ?? "", result)
      } else if (type === "assistant" && isToolUse(block)) {
        open.set(block.id, { use: block, at: items.length, of: items })
        items.push({ ...itemOf(block, said.cwd ?? ""), status: "failed" })
      } else if (type === "assistant" && isBlock(block, "text") && Predicate.isString(block["text"])) {
        items.push({ ...base, kind: "assistant-message", text: block["text"] })
      } else if (
        type === "assistant" &&
        isBlock(block, "thinking") &&
        Predicate.isString(block["thinking"])
      ) {
        items.push({ ...base, kind: "reasoning", text: block["thinking"] })
      }
    }
  }
  return past
}
