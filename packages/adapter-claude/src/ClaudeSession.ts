import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { AdapterEvent } from "@rejoin/core/AdapterEvent"
import {
  type AdapterFailure,
  type AdapterSession,
  SendFailure,
  type TurnInput
} from "@rejoin/core/ProviderAdapter"
import { Deferred, Effect, Queue, Schema, Stream } from "effect"
import type { ClaudeCursor } from "./ClaudeCursor.ts"
import { ClaudeGate, type Mismatch } from "./ClaudeGate.ts"
import { frameOf } from "./ClaudeInput.ts"
import type { ClaudeProcess, StartupFailure } from "./ClaudeProcess.ts"
import { askOf, replyOf } from "./ClaudeRequests.ts"
import { type CanUseTool, type Frame, Interrupted, type Result } from "./ClaudeSchema.ts"
import { ClaudeTranslator } from "./ClaudeTranslator.ts"

interface Options {
  readonly provider: string
  readonly cursor: ClaudeCursor
  readonly directory: string
  readonly mode: RuntimeMode
  /** Whether the transcript holds the message: a success without one is a conversation that is lost at the end. */
  readonly isKept: (messageId: string) => Effect.Effect<boolean>
}

/** What hears the frames of a process from its first one on, before there is a session to tell. */
export class ClaudeListener {
  readonly events = Queue.unbounded<AdapterEvent>().pipe(Effect.runSync)
  private hear: ((frame: Frame) => void) | undefined
  private readonly early: Array<Frame> = []

  readonly onFrame = (frame: Frame): void => {
    if (this.hear === undefined) this.early.push(frame)
    else this.hear(frame)
  }

  attach(hear: (frame: Frame) => void): void {
    this.hear = hear
    for (const frame of this.early.splice(0)) hear(frame)
  }
}

/** The live connection to one session: its own process, and the gate before everything that it does. */
export const connect = Effect.fnUntraced(function* (
  { cursor, directory, isKept, mode, provider }: Options,
  process: ClaudeProcess,
  listener: ClaudeListener
) {
  const services = yield* Effect.context()
  const { events } = listener
  const translator = new ClaudeTranslator(provider, directory)
  const gate = new ClaudeGate(directory, mode)
  const asks = new Map<string, CanUseTool>()
  /** Messages that were sent and of which nothing is known yet. */
  const waiting = new Map<string, Deferred.Deferred<void, SendFailure>>()
  let mismatch: Mismatch | undefined
  let tasks = 0
  let kept: "unknown" | "yes" | "no" = "unknown"
  let closed = false

  const tell = (event: AdapterEvent) => void Queue.offerUnsafe(events, event)
  const respond = (request_id: string, response: unknown) =>
    process.write({ type: "control_response", response: { subtype: "success", request_id, response } })

  /** After the first result: a Claude that cannot write its transcript tells nobody (docs/providers/claude.md). */
  const checkKept = (messageId: string) => {
    if (kept !== "unknown") return
    kept = "yes"
    const message =
      "Claude does not write this conversation down: it is lost when the session ends. Its directory cannot be written, or its history is turned off."
    const check = Effect.map(isKept(messageId), (is) => {
      if (is) return
      kept = "no"
      tell(AdapterEvent.Warning({ message }))
    })
    Effect.runForkWith(services)(check)
  }

  const taken = (ids: ReadonlyArray<string>) => {
    for (const id of ids) {
      const sent = waiting.get(id)
      if (sent !== undefined) Deferred.doneUnsafe(sent, Effect.void)
    }
  }

  /**
   * Answered, and no model was asked: blocked at the gate, or a command that Claude answers by itself. Neither is a
   * message of the conversation.
   */
  const refuse = (id: string, { result }: Result) => {
    const sent = waiting.get(id)
    const message = `Claude answered this by itself, without a model: ${result ?? ""}`
    const failure = mismatch ?? new ProviderFailed({ provider, message })
    const refusal = new SendFailure({ failure, sent: mismatch === undefined ? "maybe" : "no" })
    if (sent !== undefined) Deferred.doneUnsafe(sent, Effect.fail(refusal))
  }

  listener.attach((frame) => {
    switch (frame.type) {
      case "control_request": {
        const { request, request_id } = frame
        if (request.subtype === "hook_callback") {
          const asked = gate.ask(request.input)
          const { answer, events } = asked
          mismatch = asked.mismatch
          for (const event of events) tell(event)
          respond(request_id, answer)
        } else {
          asks.set(request_id, request)
          tell(AdapterEvent.RequestOpened({ id: request_id, ask: askOf(request) }))
        }
        break
      }
      case "control_cancel_request":
        if (asks.delete(frame.request_id)) tell(AdapterEvent.RequestResolved({ id: frame.request_id }))
        break
      case "command_lifecycle":
        // A steer is taken when it stands in the queue: it may wait there for the end of a tool.
        if (frame.state === "queued" && translator.isSteer(frame.command_uuid)) taken([frame.command_uuid])
        break
      case "system":
        if (frame.subtype === "init" && frame.session_id !== cursor.providerSessionId) {
          tell(AdapterEvent.Exited({ reason: `Claude went on to another session (${frame.session_id})` }))
        }
        // A model is asked now: before that a message may still be blocked, and is in no transcript.
        if (frame.subtype === "status" && frame.status === "requesting") taken(frame.user_message_uuids ?? [])
        if (frame.subtype === "background_tasks_changed") tasks = frame.tasks.length
        if (frame.subtype === "session_writes_lost") {
          tell(AdapterEvent.Warning({ message: "Claude could not write all of this conversation down." }))
        }
        break
      case "result": {
        const answered = frame.user_message_uuids ?? []
        const untaken = answered.filter((id) => waiting.has(id))
        for (const id of untaken) refuse(id, frame)
        const [first] = answered
        if (first !== undefined && untaken.length === 0) checkKept(first)
        break
      }
      default:
    }
    for (const event of translator.feed(frame)) tell(event)
  })

  yield* Effect.addFinalizer(() => Effect.sync(() => (closed = true)))
  yield* Deferred.await(process.gone).pipe(
    Effect.flatMap((reason) =>
      Effect.sync(() => closed || tell(AdapterEvent.Exited({ reason: `Claude is gone: ${reason}` })))
    ),
    Effect.forkScoped
  )

  const control = <S extends Schema.ConstraintDecoder<unknown>>(
    answer: S,
    request: Readonly<Record<string, unknown>>
  ): Effect.Effect<S["Type"], AdapterFailure> =>
    process
      .control(answer, request)
      .pipe(
        Effect.catchTag("StartupFailure", ({ message }: StartupFailure) =>
          Effect.fail(new ProviderUnavailable({ provider, message }))
        )
      )

  /** Sends, and succeeds when the message is in what a model is asked, or, for a steer, in Claude's queue. */
  const prompt = Effect.fnUntraced(function* (turn: TurnInput) {
    const leaving = /^\/(clear|new|reset|resume|continue|branch|fork)\b/.exec(turn.input)?.[0]
    if (leaving !== undefined) {
      const message = `${leaving} would leave this conversation for another one: reset or fork the thread instead.`
      return yield* new SendFailure({ failure: new ProviderFailed({ provider, message }), sent: "no" })
    }
    const sending = frameOf(turn)
    if ("unfit" in sending) {
      const message = `Claude cannot take the attachment ${sending.unfit}.`
      return yield* new SendFailure({ failure: new ProviderFailed({ provider, message }), sent: "no" })
    }
    if (Deferred.isDoneUnsafe(process.gone)) {
      const failure = new ProviderUnavailable({ provider, message: "Claude has ended." })
      return yield* new SendFailure({ failure, sent: "no" })
    }
    const sent = Deferred.makeUnsafe<void, SendFailure>()
    waiting.set(turn.messageId, sent)
    process.write(sending.frame)
    yield* Deferred.await(sent).pipe(
      Effect.raceFirst(
        Effect.flatMap(Deferred.await(process.gone), (reason) => {
          const failure = new ProviderUnavailable({ provider, message: `Claude has ended: ${reason}.` })
          return Effect.fail(new SendFailure({ failure, sent: "maybe" }))
        })
      ),
      Effect.ensuring(Effect.sync(() => waiting.delete(turn.messageId)))
    )
  })

  /** Steers that wait in the queue would become turns of their own: they are withdrawn first. */
  const interrupt = Effect.gen(function* () {
    translator.interrupting()
    const { still_queued = [] } = yield* control(Interrupted, { subtype: "interrupt" })
    for (const message_uuid of still_queued) {
      yield* control(Schema.Unknown, { subtype: "cancel_async_message", message_uuid })
    }
  })

  const session: AdapterSession = {
    cursor,
    events: Stream.fromQueue(events),
    send: Effect.fnUntraced(function* (turn) {
      translator.begin(turn.messageId, turn.input)
      yield* prompt(turn).pipe(
        Effect.tapError(({ sent }) => Effect.sync(() => (sent === "no" ? translator.forget() : undefined)))
      )
      return cursor
    }),
    steer: Effect.fnUntraced(function* (turn) {
      if (!translator.steer(turn.messageId, turn.input)) return false
      yield* prompt(turn).pipe(Effect.tapError(() => Effect.sync(() => translator.unsteer(turn.messageId))))
      return true
    }),
    interrupt,
    answer: (id, answer) =>
      Effect.sync(() => {
        const asked = asks.get(id)
        if (asked === undefined) return
        asks.delete(id)
        if ("decision" in answer && answer.decision === "cancel") translator.interrupting()
        respond(id, replyOf(asked, answer))
        tell(AdapterEvent.RequestResolved({ id }))
      }),
    // One that is not written down would be lost with its process: it is kept as long as may be.
    background: Effect.sync(() => tasks > 0 || kept === "no")
  }
  return { session, isRunning: () => translator.isRunning, interrupt }
})
