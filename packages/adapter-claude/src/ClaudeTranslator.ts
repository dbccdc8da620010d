import { known } from "@rejoin/contracts/Fact"
import { ItemId } from "@rejoin/contracts/Ids"
import { AdapterEvent, type AdapterItem } from "@rejoin/core/providers/AdapterEvent"
import { itemOf } from "./ClaudeItems.ts"
import { modelFailure, refusalOf } from "@rejoin/agent-kit/ModelFailure"
import { cutOff, userMessage } from "@rejoin/agent-kit/ItemEvents"
import { ClaudeTasks } from "./ClaudeTasks.ts"
import { type ClaudeResult, resultOf } from "./ClaudeResult.ts"
import { limitOf, limitReached, windowsOf } from "./ClaudeLimits.ts"
import { type Frame, type LimitInfo, ToolResult, ToolUse } from "./ClaudeSchema.ts"
import { Schema } from "effect"

interface Turn {
  readonly id: string
  /** Ours; otherwise work that Claude began by itself, when something in the background had ended. */
  readonly own: boolean
  /** Our messages that no result has answered yet, the turn's own and those that were steered in. */
  readonly waiting: Map<string, string>
  readonly tools: Map<string, ToolUse>
  /** The block that streams, by its index in the message. */
  readonly blocks: Map<number, AdapterItem>
  items: number
  interrupted: boolean
  /** That it met, and what is known of it. A sub-agent's is none of the turn's. */
  limit: LimitInfo | undefined
}

const turnOf = (id: string, waiting: ReadonlyArray<readonly [string, string]>): Turn => ({
  id,
  own: waiting.length > 0,
  waiting: new Map(waiting),
  tools: new Map(),
  blocks: new Map(),
  items: 0,
  interrupted: false,
  limit: undefined
})

/** The first of what it says by itself. What trails behind the end of a turn begins nothing. */
const begins = (frame: Frame): boolean =>
  frame.type === "stream_event" && !frame.parent_tool_use_id && frame.event.type === "content_block_start"

// By all of its shape: a block that only says of itself what it is was read as another one.
const isToolUse = Schema.is(ToolUse)
const isToolResult = Schema.is(ToolResult)

/** What a process tells, as the events of its turns. Pure but for what it remembers of the running one. */
export class ClaudeTranslator {
  readonly provider: string
  readonly directory: string
  private turn: Turn | undefined
  private late = 0
  private readonly tasks = new ClaudeTasks()

  constructor(provider: string, directory: string) {
    this.provider = provider
    this.directory = directory
  }

  get isRunning(): boolean {
    return this.turn?.own === true
  }

  /** Also on what it began by itself. */
  get isWorking(): boolean {
    return this.turn !== undefined
  }

  /** What it worked on by itself is over with this, as far as we tell of it. */
  begin(messageId: string, input: string): ReadonlyArray<AdapterEvent> {
    const late = this.turn === undefined ? [] : cutOff(this.open(this.turn))
    this.turn = turnOf(messageId, [[messageId, input]])
    return late
  }

  forget(): void {
    this.turn = undefined
  }

  /** False where no turn runs any more: then there is nothing to join. */
  steer(messageId: string, input: string): boolean {
    // One that is being interrupted takes nothing any more: what came would run as a turn of nobody's.
    if (this.turn === undefined || !this.turn.own || this.turn.interrupted) return false
    this.turn.waiting.set(messageId, input)
    return true
  }

  isSteer(messageId: string): boolean {
    return this.turn?.id !== messageId && this.turn?.waiting.has(messageId) === true
  }

  /** Withdrawn, or never sent. */
  unsteer(messageId: string): void {
    this.turn?.waiting.delete(messageId)
  }

  interrupting(is = true): void {
    if (this.turn !== undefined) this.turn.interrupted = is
  }

  feed(frame: Frame): ReadonlyArray<AdapterEvent> {
    if (frame.type === "rate_limit_event") {
      const windows = windowsOf(frame.rate_limit_info)
      return windows.length > 0 ? [AdapterEvent.UsageTold({ windows })] : []
    }
    if (this.turn === undefined && begins(frame)) this.turn = turnOf(`late-${++this.late}`, [])
    const { turn } = this
    if (turn === undefined) return []
    switch (frame.type) {
      case "command_lifecycle":
        return frame.state === "started" ? this.taken(turn, frame.command_uuid) : []
      case "stream_event":
        // What a sub-agent does within is its own; only what it asks reaches the thread.
        return frame.parent_tool_use_id ? [] : this.stream(turn, frame.event)
      case "assistant":
        if (frame.api_error === limitReached && !frame.parent_tool_use_id)
          turn.limit = frame.api_error_params?.rate_limit_info ?? {}
        return frame.parent_tool_use_id
          ? []
          : frame.message.content.filter(isToolUse).map((use) => {
              turn.tools.set(use.id, use)
              return AdapterEvent.ItemStarted({ item: itemOf(use, this.directory) })
            })
      case "user":
        return frame.parent_tool_use_id || typeof frame.message.content === "string"
          ? []
          : frame.message.content
              .filter(isToolResult)
              .flatMap((block) => this.toolDone(turn, block, frame.tool_use_result))
      case "system":
        return this.system(turn, frame)
      case "result":
        return this.result(turn, resultOf(frame))
      default:
        return []
    }
  }

  private system(
    turn: Turn,
    frame: Extract<Frame, { readonly type: "system" }>
  ): ReadonlyArray<AdapterEvent> {
    switch (frame.subtype) {
      case "session_state_changed":
        if (frame.state !== "idle" || turn.own) return []
        this.turn = undefined
        return cutOff(this.open(turn))
      case "init":
        // Where it was started: unlike its shell's directory it does not change.
        return frame.original_cwd === undefined
          ? []
          : [
              AdapterEvent.Checked({
                what: "cwd",
                stage: "submit",
                found: known(frame.original_cwd, "answer")
              })
            ]
      case "api_retry":
        return [
          AdapterEvent.Retrying({
            attempt: frame.attempt,
            ...(frame.retry_delay_ms !== undefined && { after: frame.retry_delay_ms }),
            message: `${frame.error ?? "the model failed"}${frame.error_status ? ` (${frame.error_status})` : ""}`
          })
        ]
      default:
        return []
    }
  }

  /** Our message is in the model's input now, and not before. */
  private taken(turn: Turn, messageId: string): ReadonlyArray<AdapterEvent> {
    const text = turn.waiting.get(messageId)
    return text === undefined ? [] : userMessage(messageId, text)
  }

  private stream(
    turn: Turn,
    event: Extract<Frame, { readonly type: "stream_event" }>["event"]
  ): ReadonlyArray<AdapterEvent> {
    switch (event.type) {
      case "content_block_start": {
        const { type } = event.content_block
        if (type !== "text" && type !== "thinking") return []
        const item: AdapterItem = {
          id: ItemId.make(`${turn.id}-${++turn.items}`),
          kind: type === "text" ? "assistant-message" : "reasoning",
          status: "started",
          text: ""
        }
        turn.blocks.set(event.index, item)
        return [AdapterEvent.ItemStarted({ item })]
      }
      case "content_block_delta": {
        const item = turn.blocks.get(event.index)
        const delta = event.delta.text ?? event.delta.thinking ?? ""
        if (item === undefined || delta === "") return []
        turn.blocks.set(event.index, { ...item, text: (item.text ?? "") + delta })
        return [AdapterEvent.ItemDelta({ itemId: item.id, field: "text", delta })]
      }
      case "content_block_stop": {
        const item = turn.blocks.get(event.index)
        turn.blocks.delete(event.index)
        return item === undefined
          ? []
          : [AdapterEvent.ItemCompleted({ item: { ...item, status: "completed" } })]
      }
      default:
        return []
    }
  }

  private toolDone(turn: Turn, block: ToolResult, detail: unknown): ReadonlyArray<AdapterEvent> {
    const use = turn.tools.get(block.tool_use_id)
    if (use === undefined) return []
    turn.tools.delete(use.id)
    const item = itemOf(use, this.directory, { block, detail })
    const plan = item.status === "failed" ? undefined : this.tasks.done(use, item.output ?? "")
    return [AdapterEvent.ItemCompleted({ item: plan === undefined ? item : { ...item, ...plan } })]
  }

  /**
   * A result answers the messages that it names. A steer that came too late for the running answer gets one of its
   * own; work that Claude began by itself names none of ours (docs/providers/claude.md: One turn).
   */
  private result(turn: Turn, result: ClaudeResult): ReadonlyArray<AdapterEvent> {
    const ours = result.answered.filter((id) => turn.waiting.delete(id))
    const used = result.usage === null ? [] : [AdapterEvent.Used(result.usage)]
    // What still waited when the turn was interrupted is withdrawn.
    const more = turn.waiting.size > 0 && !turn.interrupted
    if (turn.own && (ours.length === 0 || more)) return used
    this.turn = undefined
    return [...used, ...cutOff(this.open(turn)), ...(turn.own ? [this.settled(turn, result)] : [])]
  }

  /** What had begun and was not ended. */
  private open(turn: Turn): ReadonlyArray<AdapterItem> {
    return [...turn.blocks.values(), ...[...turn.tools.values()].map((use) => itemOf(use, this.directory))]
  }

  private settled(
    turn: Turn,
    { apiError, errors, isError, reason, status, subtype, text }: ClaudeResult
  ): AdapterEvent {
    const output = isError ? "" : text
    if (reason?.startsWith("aborted") === true || turn.interrupted) {
      return AdapterEvent.TurnSettled({ status: "interrupted", output })
    }
    // An error of the API calls itself a success (docs/providers/claude.md: Errors).
    if (!isError) return AdapterEvent.TurnSettled({ status: "completed", output })
    const error = modelFailure({
      provider: this.provider,
      agent: "Claude Code",
      message: text || errors || "Claude failed.",
      refusal: apiError === limitReached ? "limit" : refusalOf(status),
      limit: turn.limit && limitOf(turn.limit),
      detail: { reason: reason ?? subtype, ...(status !== null && { statusCode: status }) }
    })
    return AdapterEvent.TurnSettled({ status: "failed", output, error })
  }
}
