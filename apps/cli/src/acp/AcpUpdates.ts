import type { SessionUpdate, ToolCall, ToolCallContent, ToolCallStatus } from "@agentclientprotocol/sdk"
import type { FileChange, Item } from "@rejoin/contracts/Item"
import type { Receipt } from "@rejoin/contracts/Receipt"
import { linesOf } from "@rejoin/shown/Changes"
import { fenced } from "@rejoin/shown/Fence"
import { brief } from "@rejoin/shown/Visible"
import { Predicate } from "effect"
import { startText } from "../Text.ts"

// How what is said and done in a thread looks to a client of the Agent Client Protocol. Pure.

export const textContent = (text: string): ToolCallContent => ({
  type: "content",
  content: { type: "text", text }
})

/** A change as the protocol has it: what stood there and what stands there now, place by place. */
export const diffsOf = ({ diff, path }: FileChange): ReadonlyArray<ToolCallContent> => {
  const places: Array<{ before: Array<string>; now: Array<string>; removed: boolean }> = []
  for (const { kind, text } of linesOf(diff)) {
    if (kind === "hunk" || places.length === 0) places.push({ before: [], now: [], removed: false })
    const place = places.at(-1)
    if (kind === "hunk" || place === undefined) continue
    if (kind !== "added") place.before.push(text.slice(1))
    if (kind !== "removed") place.now.push(text.slice(1))
    place.removed ||= kind === "removed"
  }
  return places.map(({ before, now }) => ({
    type: "diff",
    path,
    oldText: before.length === 0 ? null : `${before.join("\n")}\n`,
    newText: now.length === 0 ? "" : `${now.join("\n")}\n`
  }))
}

const statuses: Readonly<Record<Item["status"], ToolCallStatus>> = {
  started: "in_progress",
  completed: "completed",
  failed: "failed"
}

const outputOf = (output: string | undefined): ReadonlyArray<ToolCallContent> =>
  output === undefined || output.trim() === "" ? [] : [textContent(fenced(output.trimEnd()))]

/** What was done, as a whole: a client that was not told of its beginning understands it too. */
export const toolCallOf = (item: Item): ToolCall | undefined => {
  const {
    changes = [],
    command,
    cwd,
    exitCode,
    id,
    kind,
    output,
    status,
    text,
    title,
    toolInput,
    toolName
  } = item
  const base = { toolCallId: id, status: statuses[status] }
  switch (kind) {
    case "command":
      return {
        ...base,
        kind: "execute",
        title: brief(command ?? title ?? "Command", 200),
        rawInput: { command, ...(cwd !== undefined && { cwd }) },
        content: [...outputOf(output)],
        ...(exitCode !== undefined && { rawOutput: { exitCode } })
      }
    case "file-change":
      return {
        ...base,
        kind: "edit",
        title: brief(`Edit ${changes.map(({ path }) => path).join(", ")}`, 200),
        locations: changes.map(({ path }) => ({ path })),
        content: changes.flatMap(diffsOf)
      }
    case "tool-call":
      return {
        ...base,
        kind: "other",
        title: brief(title ?? toolName ?? "Tool", 200),
        ...(toolName !== undefined && { name: toolName }),
        ...(toolInput !== undefined && { rawInput: toolInput }),
        content: [...outputOf(output)]
      }
    case "error":
      return { ...base, kind: "other", status: "failed", title: brief(text ?? title ?? "Error", 200) }
    default:
      return undefined
  }
}

const mark = /^- \[(.)\] (.*)$/

/** The list that an agent ticks off (packages/core/src/plan/PlanText.ts). */
const planOf = (text: string): SessionUpdate => ({
  sessionUpdate: "plan",
  entries: text.split("\n").flatMap((line) => {
    const [, done, content] = mark.exec(line) ?? []
    return content === undefined
      ? []
      : [
          {
            content,
            priority: "medium" as const,
            status:
              done === "x"
                ? ("completed" as const)
                : done === "-"
                  ? ("in_progress" as const)
                  : ("pending" as const)
          }
        ]
  })
})

const chunks = {
  "user-message": "user_message_chunk",
  "assistant-message": "agent_message_chunk",
  reasoning: "agent_thought_chunk"
} as const

/** A piece of what an item says, where it says something. */
export const pieceOf = (kind: Item["kind"], id: string, text: string): ReadonlyArray<SessionUpdate> =>
  text !== "" && (kind === "user-message" || kind === "assistant-message" || kind === "reasoning")
    ? [{ sessionUpdate: chunks[kind], messageId: id, content: { type: "text", text } }]
    : []

/** An item that was not told of before. */
export const wholeItem = (item: Item): ReadonlyArray<SessionUpdate> => {
  if (item.kind === "plan") return [planOf(item.text ?? "")]
  const call = toolCallOf(item)
  return call === undefined
    ? pieceOf(item.kind, item.id, item.text ?? "")
    : [{ sessionUpdate: "tool_call", ...call }]
}

/** What was asked is answered, by whomever. */
export const endOfAsk = (requestId: string, data: unknown): ReadonlyArray<SessionUpdate> => {
  const answer = Predicate.hasProperty(data, "answer") ? data.answer : undefined
  const declined = Predicate.hasProperty(answer, "decision") && answer.decision !== "accept"
  return [
    {
      sessionUpdate: "tool_call_update",
      toolCallId: requestId,
      status: declined ? "failed" : "completed"
    }
  ]
}

/** After these the conversation is not just what it was: every client is to show it, and none has a word for it. */
const telling = new Set<Receipt["outcome"]>(["replaced", "forked", "moved", "handed-over", "rehydrated"])

/** What a start did with the conversation, where its user has to know it: as work, since it is not the agent's word. */
export const startOf = (receipt: Receipt): ReadonlyArray<SessionUpdate> => {
  if (!telling.has(receipt.outcome) && (receipt.undone ?? 0) === 0) return []
  const [title = "", ...more] = startText(receipt).split("\n")
  return [
    {
      sessionUpdate: "tool_call",
      toolCallId: receipt.id,
      kind: "other",
      status: receipt.outcome === "replaced" ? "failed" : "completed",
      title,
      content: more.length === 0 ? [] : [textContent(more.join("\n"))]
    }
  ]
}
