import type { Failure } from "@rejoin/contracts/Failure"
import { ItemId } from "@rejoin/contracts/Ids"
import { type Timestamp, timeTold } from "@rejoin/contracts/Time"
import { known } from "@rejoin/contracts/Fact"
import { AdapterEvent, type AdapterItem } from "@rejoin/core/providers/AdapterEvent"
import { Predicate, Schema } from "effect"
import { cutOff, wholeItem } from "@rejoin/agent-kit/ItemEvents"
import { modelFailure, refusalOf } from "@rejoin/agent-kit/ModelFailure"
import { itemOf } from "./OpenCodeItems.ts"
import {
  type BusEvent,
  type ErrorInfo,
  type MessageInfo,
  type Part,
  type RetryStatus,
  StepFinishPart,
  TextPart,
  ToolPart
} from "./OpenCodeSchema.ts"

interface Turn {
  /** Our message, and those that were steered in. */
  readonly messages: Set<string>
  /** Those that were steered in and that no answer has begun for yet. */
  readonly steers: Set<string>
  /** Messages of OpenCode's own under which the turn goes on. */
  readonly continued: Set<string>
  /** When our message was stored, by the server's clock in ms. */
  since: number | undefined
  readonly assistants: Map<
    string,
    { completed: boolean; cwd: string | undefined; readonly texts: Map<string, string> }
  >
  readonly parts: Map<string, { item: AdapterItem; done: boolean }>
  /** The last tool whose diff was only told with its approval, by call. */
  readonly diffs: Map<string, string>
  /** OpenCode works on it: before that an abort comes to nothing, and the message is run all the same. */
  begun: boolean
  idle: boolean
  interrupted: boolean
  error: ErrorInfo | undefined
}

// By all of its shape: a part that only says of itself what it is was read as another one.
const isTool = Schema.is(ToolPart)
const isText = Schema.is(TextPart)
const isStepFinish = Schema.is(StepFinishPart)

export const retryingOf = ({ attempt, message, next }: RetryStatus): AdapterEvent =>
  AdapterEvent.Retrying({ attempt, message, ...(next !== undefined && { until: next }) })

/** What a refused request says of when to come back: so many seconds after its own date, or a date. */
const resetIn = (headers: Readonly<Record<string, string>>): Timestamp | undefined => {
  const after = headers["retry-after"] ?? ""
  const at = /^\d+$/.test(after)
    ? Date.parse(headers["date"] ?? "") + Number(after) * 1000
    : Date.parse(after)
  return timeTold(at)
}

const isAborted = (error: ErrorInfo | undefined) => error?.name === "MessageAbortedError"

/** What a bus tells of one session, as the events of its turns. Pure but for what it remembers of the running one. */
export class OpenCodeTranslator {
  readonly provider: string
  private turn: Turn | undefined

  constructor(provider: string) {
    this.provider = provider
  }

  get isRunning(): boolean {
    return this.turn !== undefined
  }

  /** Whether there is something that an abort can end; also when it has ended already. */
  get hasBegun(): boolean {
    return this.turn?.begun !== false
  }

  /** Before the prompt is sent: its events may come before its answer. */
  begin(messageId: string): void {
    this.turn = {
      messages: new Set([messageId]),
      steers: new Set(),
      continued: new Set(),
      since: undefined,
      assistants: new Map(),
      parts: new Map(),
      diffs: new Map(),
      begun: false,
      idle: false,
      interrupted: false,
      error: undefined
    }
  }

  /** The prompt did not go out. */
  forget(): void {
    this.turn = undefined
  }

  /** False where no turn runs any more: then there is nothing to join. */
  steer(messageId: string): boolean {
    this.turn?.messages.add(messageId)
    this.turn?.steers.add(messageId)
    return this.turn !== undefined
  }

  /** It is not waited for any more. Where it may have arrived all the same, an answer to it is still the turn's. */
  unsteer(messageId: string, mayHaveArrived: boolean): void {
    if (!mayHaveArrived) this.turn?.messages.delete(messageId)
    this.turn?.steers.delete(messageId)
  }

  interrupting(): void {
    if (this.turn !== undefined) this.turn.interrupted = true
  }

  /** The turn is given up with this error, whatever the abort that follows says. */
  failing(error: ErrorInfo): void {
    if (this.turn !== undefined) this.turn.error = error
  }

  feed(event: BusEvent): ReadonlyArray<AdapterEvent> {
    const { turn } = this
    if (turn === undefined) return []
    return [...this.translate(turn, event), ...this.settle(turn)]
  }

  private translate(turn: Turn, event: BusEvent): ReadonlyArray<AdapterEvent> {
    switch (event.type) {
      case "session.status": {
        const { status } = event.properties
        turn.idle = status.type === "idle"
        turn.begun ||= status.type !== "idle"
        if (status.type !== "retry") return []
        return [retryingOf(status)]
      }
      case "session.error":
        this.erred(turn, event.properties.error)
        return []
      case "message.updated":
        return this.message(turn, event.properties.info)
      case "message.part.updated":
        return this.part(turn, event.properties.part)
      case "message.part.delta":
        return this.delta(turn, event.properties.partID, event.properties.delta)
      case "permission.asked": {
        const { metadata, tool } = event.properties
        if (tool && Predicate.isString(metadata?.["diff"])) turn.diffs.set(tool.callID, metadata["diff"])
        return []
      }
      default:
        return []
    }
  }

  private message(turn: Turn, info: MessageInfo): ReadonlyArray<AdapterEvent> {
    if (info.role === "user") {
      if (turn.messages.has(info.id)) turn.since ??= info.time.created
      // After a compaction OpenCode goes on under a message of its own.
      else if (turn.since !== undefined && info.time.created > turn.since) turn.continued.add(info.id)
      return []
    }
    const { parentID } = info
    if (parentID === undefined || !(turn.messages.has(parentID) || turn.continued.has(parentID))) return []
    turn.begun = true
    turn.steers.delete(parentID)
    const message = turn.assistants.get(info.id) ?? { completed: false, cwd: undefined, texts: new Map() }
    turn.assistants.set(info.id, message)
    message.completed = info.time.completed !== undefined || info.error !== undefined
    this.erred(turn, info.error)
    if (info.path === undefined || message.cwd !== undefined) return []
    message.cwd = info.path.cwd
    // Told with the first word of the answer, before any tool runs (law 3).
    return [AdapterEvent.Checked({ what: "cwd", stage: "submit", found: known(info.path.cwd, "answer") })]
  }

  /** An abort is reported as an error too, whoever asked for it. Otherwise what failed first is what failed. */
  private erred(turn: Turn, error: ErrorInfo | undefined): void {
    if (error !== undefined) turn.begun = true
    if (isAborted(error)) turn.interrupted = true
    else turn.error ??= error
  }

  private part(turn: Turn, part: Part): ReadonlyArray<AdapterEvent> {
    if (isText(part) && turn.messages.has(part.messageID)) {
      if (part.synthetic === true || turn.parts.has(part.id)) return []
      return this.whole(turn, {
        id: ItemId.make(part.id),
        kind: "user-message",
        status: "completed",
        text: part.text
      })
    }
    const assistant = turn.assistants.get(part.messageID)
    if (assistant === undefined) return []
    if (isText(part)) return this.text(turn, part, assistant.texts)
    if (isTool(part)) return this.tool(turn, part, assistant.cwd)
    if (!isStepFinish(part)) return []
    const { cache, input, output, reasoning } = part.tokens
    const used = {
      inputTokens: input + cache.read + cache.write,
      outputTokens: output + reasoning,
      costUsd: part.cost
    }
    return [AdapterEvent.Used(used)]
  }

  private whole(turn: Turn, item: AdapterItem): ReadonlyArray<AdapterEvent> {
    turn.parts.set(item.id, { item, done: true })
    return wholeItem(item)
  }

  private text(turn: Turn, part: TextPart, texts: Map<string, string>): ReadonlyArray<AdapterEvent> {
    const kind = part.type === "text" ? ("assistant-message" as const) : ("reasoning" as const)
    const item: AdapterItem = { id: ItemId.make(part.id), kind, status: "started", text: part.text }
    const events: Array<AdapterEvent> = []
    const before = turn.parts.get(part.id)
    if (before === undefined) {
      turn.parts.set(part.id, { item, done: false })
      events.push(AdapterEvent.ItemStarted({ item }))
    }
    if (part.type === "text") texts.set(part.id, part.text)
    if (part.time?.end !== undefined && before?.done !== true) {
      turn.parts.set(part.id, { item, done: true })
      events.push(AdapterEvent.ItemCompleted({ item: { ...item, status: "completed" } }))
    }
    return events
  }

  private delta(turn: Turn, partId: string, delta: string): ReadonlyArray<AdapterEvent> {
    const part = turn.parts.get(partId)
    if (part === undefined || part.done) return []
    part.item = { ...part.item, text: (part.item.text ?? "") + delta }
    return [AdapterEvent.ItemDelta({ itemId: partId, field: "text", delta })]
  }

  private tool(turn: Turn, part: ToolPart, cwd: string | undefined): ReadonlyArray<AdapterEvent> {
    // A pending tool has no input yet: there is nothing to show.
    if (part.state.status === "pending") return []
    const before = turn.parts.get(part.id)
    if (before?.done === true) return []
    const item = itemOf(part, { cwd, diff: turn.diffs.get(part.callID) })
    const done = part.state.status === "completed" || part.state.status === "error"
    turn.parts.set(part.id, { item, done })
    const events: Array<AdapterEvent> = []
    if (before === undefined) events.push(AdapterEvent.ItemStarted({ item: { ...item, status: "started" } }))
    if (done) return [...events, AdapterEvent.ItemCompleted({ item })]
    // A running command tells all of its output each time.
    const shown = before?.item.output ?? ""
    const output = item.output ?? ""
    if (output.length > shown.length && output.startsWith(shown)) {
      events.push(
        AdapterEvent.ItemDelta({ itemId: part.id, field: "output", delta: output.slice(shown.length) })
      )
    }
    return events
  }

  /**
   * A turn ends when the session is idle and its answer is complete, not with the first idle: after an abort or an
   * error the final message comes later. With an error and no answer at all, idle is the end
   * (docs/providers/opencode.md: Events).
   */
  private settle(turn: Turn): ReadonlyArray<AdapterEvent> {
    if (!turn.idle) return []
    const assistants = [...turn.assistants.values()]
    if (assistants.some(({ completed }) => !completed)) return []
    const broken = turn.error !== undefined || turn.interrupted
    if (!broken && (assistants.length === 0 || turn.steers.size > 0)) return []
    this.turn = undefined
    const output = [...(assistants.at(-1)?.texts.values() ?? [])].join("\n\n")
    const open = [...turn.parts.values()].filter(({ done }) => !done)
    return [
      ...cutOff(open.map(({ item }) => item)),
      turn.error === undefined
        ? AdapterEvent.TurnSettled({ status: turn.interrupted ? "interrupted" : "completed", output })
        : AdapterEvent.TurnSettled({ status: "failed", output, error: this.failureOf(turn.error) })
    ]
  }

  private failureOf({ data, name }: ErrorInfo): Failure {
    return modelFailure({
      provider: this.provider,
      agent: "OpenCode",
      message: data?.message ?? name,
      refusal: refusalOf(data?.statusCode),
      limit: { resetsAt: resetIn(data?.responseHeaders ?? {}) },
      detail: { name, ...(data?.statusCode !== undefined && { statusCode: data.statusCode }) }
    })
  }
}
