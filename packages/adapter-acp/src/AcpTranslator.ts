import { diffBetween } from "@rejoin/agent-kit/Diff"
import { cutOff, wholeItem } from "@rejoin/agent-kit/ItemEvents"
import { ItemId } from "@rejoin/contracts/Ids"
import type { FileChange } from "@rejoin/contracts/Item"
import { planText } from "@rejoin/core/plan/PlanText"
import { AdapterEvent, type AdapterItem } from "@rejoin/core/providers/AdapterEvent"
import { known } from "@rejoin/contracts/Fact"
import { Predicate } from "effect"
import { createHash } from "node:crypto"
import type { AcpProfile } from "./AcpProfile.ts"
import type { Content, ToolCall, Update } from "./AcpSchema.ts"

const textOf = (content: ReadonlyArray<Content> | null | undefined): string =>
  (content ?? [])
    .flatMap((each) =>
      each.type === "content" && "content" in each && "text" in each.content ? [each.content.text] : []
    )
    .join("\n")

/** What is changed, as far as a call tells it. */
export const changesIn = ({ content }: ToolCall): ReadonlyArray<FileChange> =>
  (content ?? []).flatMap((each) =>
    each.type === "diff" && "newText" in each
      ? [{ path: each.path, diff: diffBetween(each.oldText ?? "", each.newText) }]
      : []
  )

export const changedPaths = ({ content }: ToolCall): ReadonlyArray<string> =>
  (content ?? []).flatMap((each) => (each.type === "diff" && "newText" in each ? [each.path] : []))

export const commandOf = ({ kind, rawInput, title }: ToolCall): string | undefined => {
  if (kind !== "execute") return undefined
  return Predicate.hasProperty(rawInput, "command") && Predicate.isString(rawInput.command)
    ? rawInput.command
    : (title ?? undefined)
}

const isEmpty = (input: unknown): boolean =>
  input === undefined || (Predicate.isObject(input) && Object.keys(input).length === 0)

/** A call as it is by now: each of its parts is told when it is known, and some agents begin with an update. */
const merged = (before: ToolCall | undefined, told: ToolCall): ToolCall => ({
  ...before,
  ...Object.fromEntries(Object.entries(told).filter(([, value]) => value !== null && value !== undefined)),
  toolCallId: told.toolCallId
})

/** What an agent tells of a turn, as events. Pure but for what it remembers of the turn. */
export class AcpTranslator {
  private readonly profile: AcpProfile
  private readonly directory: string
  private turn = ""
  private pieces = 0
  private speaking:
    | { readonly id: string; readonly kind: "assistant-message" | "reasoning"; text: string }
    | undefined
  private readonly calls = new Map<
    string,
    { call: ToolCall; item: AdapterItem; open: boolean; told: boolean }
  >()
  /** What was said last, after all that was done. */
  output = ""

  constructor(profile: AcpProfile, directory: string) {
    this.profile = profile
    this.directory = directory
  }

  begin(messageId: string): void {
    this.turn = messageId
    this.pieces = 0
    this.output = ""
    this.speaking = undefined
    this.calls.clear()
  }

  feed(update: Update): ReadonlyArray<AdapterEvent> {
    switch (update.sessionUpdate) {
      case "agent_message_chunk":
      case "agent_thought_chunk": {
        const text = "text" in update.content ? update.content.text : ""
        const used = this.profile.usedIn?.(update)
        const isOwn = this.profile.isNoise?.(text) === true || this.profile.announced?.(text) !== undefined
        const kind = update.sessionUpdate === "agent_message_chunk" ? "assistant-message" : "reasoning"
        return [
          ...(text === "" || isOwn ? [] : this.say(kind, text)),
          ...(used === undefined ? [] : [AdapterEvent.Used({ ...used, costUsd: 0 })])
        ]
      }
      case "tool_call":
      case "tool_call_update":
        return this.call(update)
      case "plan": {
        if (update.entries.length === 0) return []
        const id = ItemId.make(`${this.turn}-plan-${this.pieces++}`)
        return wholeItem({ id, kind: "plan", status: "completed", text: planText(update.entries) })
      }
      default:
        return []
    }
  }

  /** A call of which an approval was the first to tell. */
  call(told: ToolCall): ReadonlyArray<AdapterEvent> {
    const before = this.calls.get(told.toolCallId)
    if (before !== undefined && !before.open) return []
    const call = merged(before?.call, told)
    const ends = call.status === "completed" || call.status === "failed"
    const item = this.itemOf(call)
    // What it is to do is told by some agents a moment later: before that there is nothing to show.
    const isVague =
      !ends && call.status === "pending" && isEmpty(call.rawInput) && changesIn(call).length === 0
    const isTold = before?.told === true || !isVague
    this.calls.set(told.toolCallId, { call, item, open: !ends, told: isTold })
    const events: Array<AdapterEvent> = before === undefined ? [...this.silence()] : []
    if (isTold && before?.told !== true)
      events.push(AdapterEvent.ItemStarted({ item: { ...item, status: "started" } }))
    if (!ends) return events
    if (item.cwd !== undefined && this.profile.tool?.(call).cwd !== undefined) {
      events.push(AdapterEvent.Checked({ what: "cwd", stage: "tool", found: known(item.cwd, "tool") }))
    }
    events.push(AdapterEvent.ItemCompleted({ item }))
    return events
  }

  /** What had begun when the turn ended. */
  end(): ReadonlyArray<AdapterEvent> {
    const open = [...this.calls.values()].filter(({ open, told }) => open && told).map(({ item }) => item)
    const events = [...this.silence(), ...cutOff(open)]
    this.calls.clear()
    return events
  }

  private say(kind: "assistant-message" | "reasoning", text: string): ReadonlyArray<AdapterEvent> {
    const events: Array<AdapterEvent> = []
    if (this.speaking?.kind !== kind) {
      events.push(...this.silence())
      this.speaking = { id: `${this.turn}-${this.pieces++}`, kind, text: "" }
      events.push(AdapterEvent.ItemStarted({ item: this.spoken("started") }))
    }
    const { speaking } = this
    if (speaking === undefined) return events
    speaking.text += text
    if (kind === "assistant-message") this.output = speaking.text
    return [...events, AdapterEvent.ItemDelta({ itemId: speaking.id, field: "text", delta: text })]
  }

  private spoken(status: AdapterItem["status"]): AdapterItem {
    const { id = "", kind = "assistant-message", text = "" } = this.speaking ?? {}
    return { id: ItemId.make(id), kind, status, text }
  }

  /** What was being said has been said. */
  private silence(): ReadonlyArray<AdapterEvent> {
    if (this.speaking === undefined) return []
    const item = this.spoken("completed")
    this.speaking = undefined
    return [AdapterEvent.ItemCompleted({ item })]
  }

  private itemOf(call: ToolCall): AdapterItem {
    const { content, kind, name, rawInput, status, title, toolCallId, _meta } = call
    // An id of theirs may be of any length.
    const id = ItemId.make(
      `${this.turn}-${toolCallId.length > 80 ? createHash("sha256").update(toolCallId).digest("hex") : toolCallId}`
    )
    const told = this.profile.tool?.(call) ?? {}
    const output = told.output ?? textOf(content)
    const base = {
      id,
      status: status === "failed" ? ("failed" as const) : ("completed" as const),
      ...(title != null && { title })
    }
    const command = commandOf(call)
    if (command !== undefined) {
      const { cwd = this.directory, exitCode } = told
      return {
        ...base,
        // It came to its end, whatever that was.
        status: exitCode === undefined ? base.status : "completed",
        kind: "command",
        command,
        cwd,
        ...(exitCode !== undefined && { exitCode }),
        ...(output !== "" && { output })
      }
    }
    const changes = changesIn(call)
    if (kind === "edit" && changes.length > 0) return { ...base, kind: "file-change", changes }
    const tool =
      name ?? (Predicate.isString(_meta?.["toolName"]) ? _meta["toolName"] : (title ?? kind ?? "tool"))
    return {
      ...base,
      kind: "tool-call",
      toolName: tool,
      ...(rawInput !== undefined && { toolInput: rawInput }),
      ...(output !== "" && { output })
    }
  }
}
