import { known } from "@rejoin/contracts/Fact"
import type { Failure } from "@rejoin/contracts/Failure"
import type { UsageWindow } from "@rejoin/contracts/Provider"
import { ItemId } from "@rejoin/contracts/Ids"
import { AdapterEvent, type AdapterItem } from "@rejoin/core/providers/AdapterEvent"
import { isWithin } from "@rejoin/core/threads/Within"
import { modelFailure } from "@rejoin/agent-kit/ModelFailure"
import { refusalIn } from "./CodexErrors.ts"
import { cutOff, userMessage } from "@rejoin/agent-kit/ItemEvents"
import { itemOf } from "./CodexItems.ts"
import { reachedIn, windowsOf } from "./CodexLimits.ts"
import type { Item, Notification, RateLimits, TurnError } from "./CodexSchema.ts"

interface Turn {
  /** Codex's own id, known once it has answered. */
  id: string | undefined
  /** Our messages, the turn's own and those that were steered in, by id. */
  readonly inputs: Map<string, string>
  readonly open: Map<string, AdapterItem>
  output: string
  checked: boolean
  error: TurnError | undefined
}

/** What a server tells of one thread, as the events of its turns. Pure but for what it remembers of the running one. */
export class CodexTranslator {
  readonly provider: string
  readonly directory: string
  private turn: Turn | undefined
  private windows: ReadonlyArray<UsageWindow> = []
  private last: ReadonlyArray<UsageWindow> = []

  constructor(provider: string, directory: string) {
    this.provider = provider
    this.directory = directory
  }

  get isRunning(): boolean {
    return this.turn !== undefined
  }

  get turnId(): string | undefined {
    return this.turn?.id
  }

  begin(messageId: string, input: string): void {
    const inputs = new Map([[messageId, input]])
    this.turn = { id: undefined, inputs, open: new Map(), output: "", checked: false, error: undefined }
  }

  begun(turnId: string): void {
    if (this.turn !== undefined) this.turn.id = turnId
  }

  forget(): void {
    this.turn = undefined
  }

  steer(messageId: string, input: string): void {
    this.turn?.inputs.set(messageId, input)
  }

  /** What its account may use: told just before the error, where that is why a turn fails. */
  limits(told: RateLimits): ReadonlyArray<AdapterEvent> {
    const windows = windowsOf(told)
    // An answer that tells of none clears none, nor does one of another family of limits.
    if (windows.length === 0) return []
    const others = this.windows.filter(({ scope }) => windows.every((window) => window.scope !== scope))
    this.windows = [...windows, ...others]
    this.last = windows
    return [AdapterEvent.UsageTold({ windows })]
  }

  feed(notification: Notification): ReadonlyArray<AdapterEvent> {
    const { turn } = this
    switch (notification.method) {
      case "item/started":
      case "item/completed": {
        const { item, turnId } = notification.params
        return this.item(item, turnId, notification.method === "item/completed")
      }
      case "item/agentMessage/delta":
      case "item/reasoning/summaryTextDelta":
      case "item/reasoning/textDelta":
        return this.delta(notification.params, "text")
      case "item/commandExecution/outputDelta":
        return this.delta(notification.params, "output")
      case "thread/tokenUsage/updated": {
        // After a resume the last figures are told again: they are of no turn of ours.
        if (turn === undefined || notification.params.turnId !== turn.id) return []
        const { inputTokens, outputTokens } = notification.params.tokenUsage.last
        return [AdapterEvent.Used({ inputTokens, outputTokens, costUsd: 0 })]
      }
      case "error": {
        const { error, willRetry } = notification.params
        if (!willRetry) {
          if (turn !== undefined) turn.error = error
          return []
        }
        const attempt = Number(/(\d+)\/\d+/.exec(error.message)?.[1] ?? 1)
        return [AdapterEvent.Retrying({ attempt, message: error.message })]
      }
      case "turn/started":
        if (turn !== undefined) turn.id ??= notification.params.turn.id
        return []
      case "turn/completed":
        return turn?.id === notification.params.turn.id ? this.settle(turn, notification.params.turn) : []
      default:
        return []
    }
  }

  private item(from: Item, turnId: string, done: boolean): ReadonlyArray<AdapterEvent> {
    const { turn } = this
    if (from.type === "userMessage") return done ? this.taken(turn, from.clientId ?? "") : []
    const item = itemOf(from, turnId)
    if (item === undefined) return []
    const events: Array<AdapterEvent> = []
    if (from.type === "commandExecution" && turn !== undefined && !turn.checked) {
      turn.checked = true
      // The first command tells where tools really run; a model may choose another place for one (law 3).
      if (isWithin(this.directory, from.cwd)) {
        events.push(
          AdapterEvent.Checked({ what: "cwd", stage: "tool", found: known(this.directory, "tool") })
        )
      }
    }
    if (done) {
      turn?.open.delete(item.id)
      if (from.type === "agentMessage" && turn !== undefined) turn.output = from.text
      return [...events, AdapterEvent.ItemCompleted({ item })]
    }
    const started: AdapterItem = { ...item, status: "started" }
    turn?.open.set(item.id, started)
    return [...events, AdapterEvent.ItemStarted({ item: started })]
  }

  /** Our message is in the model's input now, and not before. */
  private taken(turn: Turn | undefined, messageId: string): ReadonlyArray<AdapterEvent> {
    const text = turn?.inputs.get(messageId)
    return text === undefined ? [] : userMessage(messageId, text)
  }

  private delta(
    { delta, itemId, turnId }: { readonly delta: string; readonly itemId: string; readonly turnId: string },
    field: "text" | "output"
  ): ReadonlyArray<AdapterEvent> {
    const id = ItemId.make(`${turnId}-${itemId}`)
    const item = this.turn?.open.get(id)
    if (item !== undefined) this.turn?.open.set(id, { ...item, [field]: (item[field] ?? "") + delta })
    return [AdapterEvent.ItemDelta({ itemId: id, field, delta })]
  }

  private settle(
    turn: Turn,
    { error, status }: { readonly status: string; readonly error?: TurnError | null | undefined }
  ): ReadonlyArray<AdapterEvent> {
    this.turn = undefined
    const { open, output } = turn
    // What was cut off never gets an end of its own (docs/providers/codex.md: Events).
    const cut = [...open.values()].filter((item) => status !== "completed" || item.kind !== "command")
    return [
      ...cutOff(cut),
      status === "failed"
        ? AdapterEvent.TurnSettled({ status, output, error: this.failureOf(error ?? turn.error) })
        : AdapterEvent.TurnSettled({
            status: status === "completed" ? "completed" : "interrupted",
            output
          })
    ]
  }

  private failureOf(error: TurnError | undefined): Failure {
    // What is told last before an error is why, unless another thread's answer came between.
    const reached = reachedIn(this.last) ?? reachedIn(this.windows)
    return modelFailure({
      provider: this.provider,
      agent: "Codex",
      message: error?.message ?? "Codex failed.",
      refusal: error && refusalIn(error),
      limit: { scope: reached?.scope, resetsAt: reached?.resetsAt ?? undefined },
      detail: { info: error?.codexErrorInfo ?? null }
    })
  }
}
