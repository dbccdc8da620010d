import type { Answer } from "@rejoin/contracts/Request"
import { ItemId } from "@rejoin/contracts/Ids"
import { timestampOf } from "@rejoin/contracts/Time"
import { Clock, Deferred, Effect, Fiber, Scope } from "effect"
import { AdapterEvent, type AdapterItem } from "../providers/AdapterEvent.ts"
import type { TurnInput } from "../providers/ProviderAdapter.ts"
import type { InMemoryUpstream, UpstreamSession } from "./InMemoryUpstream.ts"

/**
 * The turns of one connection. What the model does follows from the input's first word:
 *
 * - `run pwd` runs a command that prints the session's directory
 * - `run touch <path>` runs a command that writes, as far as the mode allows, and asks where the mode asks
 * - `write <path>` edits a file, as far as the mode allows, and asks where the mode asks
 * - `think <text>` reasons before it answers
 * - `stumble` fails once, tries again and answers
 * - `ask` asks a question and answers with what was chosen
 * - `password` answers with the word after "The password is" in the system prompt
 * - `hold` works until it is interrupted or its connection breaks
 * - `fail` fails as a model error does
 * - anything else is answered with all that was said in the conversation, joined by ` | `
 */
export class InMemoryTurns {
  readonly upstream: InMemoryUpstream
  readonly session: UpstreamSession
  readonly scope: Scope.Scope
  readonly tell: (event: AdapterEvent) => void
  dead = false
  private running: Fiber.Fiber<void> | undefined
  private readonly asked = new Map<string, Deferred.Deferred<Answer>>()
  private ids = 0

  constructor(
    upstream: InMemoryUpstream,
    session: UpstreamSession,
    scope: Scope.Scope,
    tell: (event: AdapterEvent) => void
  ) {
    this.upstream = upstream
    this.session = session
    this.scope = scope
    this.tell = tell
  }

  start(turn: TurnInput): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.session.messages.push({ id: turn.messageId, input: turn.input })
      this.session.activity = "running"
      this.upstream.asked.push({ id: turn.messageId, input: turn.input })
      this.item({ id: this.id(), kind: "user-message", status: "completed", text: turn.input })
      return Effect.flatMap(Clock.currentTimeMillis, (at) => {
        const { limit } = this.upstream.faults
        return limit !== undefined && limit.until > at ? this.limited(limit) : this.work(turn.input)
      }).pipe(
        Effect.onInterrupt(() => Effect.sync(() => this.settle("interrupted", ""))),
        Effect.forkIn(this.scope, { startImmediately: true }),
        Effect.map((fiber) => {
          this.running = fiber
        })
      )
    })
  }

  steer(turn: TurnInput): Effect.Effect<boolean> {
    return Effect.sync(() => {
      if (this.running === undefined) return false
      this.session.messages.push({ id: turn.messageId, input: turn.input })
      this.item({ id: this.id(), kind: "user-message", status: "completed", text: turn.input })
      return true
    })
  }

  get interrupt(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { onInterrupt } = this.upstream.faults
      if (onInterrupt === "complete") this.say("all is done")
      if (onInterrupt === "exit") {
        this.dead = true
        this.tell(AdapterEvent.Exited({ reason: "it ended by the interrupt" }))
      }
      if (onInterrupt !== undefined) return Effect.void
      return this.running && !this.upstream.faults.ignoresInterrupt
        ? Fiber.interrupt(this.running)
        : Effect.void
    })
  }

  answer(id: string, answer: Answer): Effect.Effect<void> {
    return Effect.suspend(() => {
      const waiting = this.asked.get(id)
      this.asked.delete(id)
      this.tell(AdapterEvent.RequestResolved({ id }))
      return waiting ? Deferred.succeed(waiting, answer) : Effect.void
    })
  }

  private id(): ItemId {
    return ItemId.make(`${this.session.id}-${this.session.messages.length}-${++this.ids}`)
  }

  private item(item: AdapterItem): void {
    this.tell(AdapterEvent.ItemStarted({ item: { ...item, status: "started" } }))
    this.tell(AdapterEvent.ItemCompleted({ item }))
  }

  private settle(status: "completed" | "failed" | "interrupted", output: string, hint?: string): void {
    if (this.dead) return
    this.running = undefined
    this.session.activity = "idle"
    const error = {
      _tag: "ProviderFailed",
      message: "The model failed.",
      ...(hint !== undefined && { hint })
    }
    this.tell(AdapterEvent.TurnSettled({ status, output, ...(status === "failed" && { error }) }))
  }

  private limited({
    does,
    scope = "hourly",
    until
  }: NonNullable<InMemoryUpstream["faults"]["limit"]>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const message = "The usage limit is reached."
      if (does === "put-off" || does === "silent") {
        this.tell(AdapterEvent.Retrying({ attempt: 1, message, ...(does === "put-off" && { until }) }))
        return Effect.never
      }
      if (does === "forget") this.session.messages.pop()
      this.running = undefined
      this.session.activity = "idle"
      const error = {
        _tag: "UsageLimited",
        message,
        provider: "memory",
        scope,
        resetsAt: timestampOf(until)
      }
      this.tell(AdapterEvent.TurnSettled({ status: "failed", output: "", error }))
      return Effect.void
    })
  }

  /** As much of an answer as has come. */
  private begin(text: string): ItemId {
    const id = this.id()
    this.tell(
      AdapterEvent.ItemStarted({ item: { id, kind: "assistant-message", status: "started", text: "" } })
    )
    for (const delta of text.match(/.{1,8}/gs) ?? []) {
      this.tell(AdapterEvent.ItemDelta({ itemId: id, field: "text", delta }))
    }
    return id
  }

  private say(text: string): void {
    const id = this.begin(text)
    this.tell(
      AdapterEvent.ItemCompleted({ item: { id, kind: "assistant-message", status: "completed", text } })
    )
    this.tell(AdapterEvent.Used({ inputTokens: text.length, outputTokens: 1, costUsd: 0 }))
    this.settle("completed", text)
  }

  private wait(id: string, event: AdapterEvent): Effect.Effect<Answer> {
    return Effect.suspend(() => {
      const answer = Deferred.makeUnsafe<Answer>()
      this.asked.set(id, answer)
      this.session.activity = "waiting"
      this.tell(event)
      return Effect.tap(Deferred.await(answer), () =>
        Effect.sync(() => {
          this.session.activity = "running"
        })
      )
    })
  }

  private work(input: string): Effect.Effect<void> {
    const [verb, argument = ""] = input.split(" ", 2)
    if (this.upstream.history(this.session.id).some((said) => said.startsWith("poison"))) {
      return Effect.sync(() => this.settle("failed", "", "Then fork the thread from the turn before it."))
    }
    switch (verb) {
      case "run":
        return argument === "pwd"
          ? Effect.sync(() => this.ran("pwd", this.session.directory))
          : this.guarded("bash", input.slice(4), input.split(" ")[2] ?? "")
      case "write":
        return this.guarded("edit", input, argument)
      case "think":
        return Effect.sync(() => {
          this.item({ id: this.id(), kind: "reasoning", status: "completed", text: input.slice(6) })
          this.say(`thought: ${input.slice(6)}`)
        })
      case "stumble":
        return Effect.sync(() => {
          this.tell(AdapterEvent.Retrying({ attempt: 1, message: "The model failed." }))
          this.say("recovered")
        })
      case "ask": {
        const id = `question-${this.id()}`
        const questions = [{ question: "Which?", options: [{ label: "A" }, { label: "B" }] }]
        return Effect.map(
          this.wait(id, AdapterEvent.RequestOpened({ id, ask: { kind: "user-input", questions } })),
          (answer) => this.say("answers" in answer ? answer.answers.flat().join(",") : "no answer")
        )
      }
      case "password":
        return Effect.sync(() =>
          this.say(/The password is (\w+)/.exec(this.session.systemPrompt ?? "")?.[1] ?? "none")
        )
      case "hold":
        return Effect.suspend(() => {
          this.begin("holding")
          return Effect.never
        })
      case "fail":
        return Effect.sync(() =>
          this.settle("failed", "", argument === "401" ? "Log in with the provider." : undefined)
        )
      default:
        return Effect.sync(() => this.say(this.upstream.history(this.session.id).join(" | ")))
    }
  }

  private ran(command: string, output: string): void {
    const { directory: cwd } = this.session
    this.item({ id: this.id(), kind: "command", status: "completed", command, cwd, exitCode: 0, output })
    this.say(output)
  }

  private guarded(permission: "bash" | "edit", title: string, path: string): Effect.Effect<void> {
    const { mode } = this.session
    const done = () => {
      this.upstream.writes.push({ directory: this.session.directory, path })
      if (permission === "bash") return this.ran(title, "")
      this.item({ id: this.id(), kind: "file-change", status: "completed", changes: [{ path, diff: "+1" }] })
      this.say(`wrote ${path}`)
    }
    const inside =
      !path.startsWith("/") ||
      [this.session.directory, ...(this.session.beside ?? [])].some((at) => path.startsWith(`${at}/`))
    const free = mode === "full-access" || (mode === "auto-accept-edits" && permission === "edit" && inside)
    if (free) return Effect.sync(done)
    if (mode === "read-only") return Effect.sync(() => this.say("denied"))
    const id = `approval-${this.id()}`
    const ask = { kind: "approval", permission, title, paths: [path], covers: [path] } as const
    return Effect.flatMap(this.wait(id, AdapterEvent.RequestOpened({ id, ask })), (answer) => {
      if ("decision" in answer && answer.decision === "accept") return Effect.sync(done)
      if ("decision" in answer && answer.decision === "cancel") return Effect.interrupt
      return Effect.sync(() => this.say("declined"))
    })
  }
}
