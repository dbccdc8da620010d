import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"
import { type AdapterSession, SendFailure, type TurnInput } from "@rejoin/core/providers/ProviderAdapter"
import type { AdapterFailure } from "@rejoin/core/providers/ResumeCursor"
import { PendingAsks } from "@rejoin/agent-kit/PendingAsks"
import { tellWhenGone, untilIdle } from "@rejoin/agent-kit/SessionEnd"
import { Deferred, Effect, Queue, Schedule, Schema, Stream } from "effect"
import type { ClaudeCursor } from "./ClaudeCursor.ts"
import { ClaudeGate, type Mismatch } from "./ClaudeGate.ts"
import { currentText } from "./ClaudeEdits.ts"
import { type Command, sayingOf } from "./ClaudeCommands.ts"
import { frameOf } from "./ClaudeInput.ts"
import type { ClaudeProcess, StartupFailure } from "./ClaudeProcess.ts"
import { askOf, replyOf } from "./ClaudeRequests.ts"
import { resultOf } from "./ClaudeResult.ts"
import { type CanUseTool, type Frame, Interrupted } from "./ClaudeSchema.ts"
import type { ClaudeTail } from "./ClaudeTail.ts"
import { ClaudeTranslator } from "./ClaudeTranslator.ts"

interface Options {
  readonly provider: string
  readonly cursor: ClaudeCursor
  readonly directory: string
  readonly mode: RuntimeMode
  readonly beside: ReadonlyArray<string>
  /** The commands that it takes; none where they are turned off. */
  readonly commands: ReadonlyArray<Command>
  /** Of its transcript. */
  readonly tail: ClaudeTail
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
  { beside, commands, cursor, directory, mode, provider, tail }: Options,
  process: ClaudeProcess,
  listener: ClaudeListener
) {
  const { events } = listener
  const translator = new ClaudeTranslator(provider, directory)
  const gate = new ClaudeGate(directory, mode, beside)
  const asks = new PendingAsks<CanUseTool>((event) => tell(event))
  /** Messages that were sent and of which nothing is known yet. */
  const waiting = new Map<string, Deferred.Deferred<"asked" | "answered", SendFailure>>()
  let mismatch: Mismatch | undefined
  let tasks = 0
  let written = true
  let closed = false

  const tell = (event: AdapterEvent) => void Queue.offerUnsafe(events, event)
  const respond = (request_id: string, response: unknown) =>
    process.write({ type: "control_response", response: { subtype: "success", request_id, response } })

  const taken = (ids: ReadonlyArray<string>) => {
    for (const id of ids) {
      const sent = waiting.get(id)
      if (sent !== undefined) Deferred.doneUnsafe(sent, Effect.succeed("asked"))
    }
  }

  /** Answered, and no model was asked: blocked at the gate, or something that Claude does by itself. */
  const answered = (id: string) => {
    const sent = waiting.get(id)
    if (sent === undefined) return
    const blocked = mismatch && new SendFailure({ failure: mismatch, sent: "no" })
    Deferred.doneUnsafe(sent, blocked === undefined ? Effect.succeed("answered") : Effect.fail(blocked))
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
          const ask = askOf(request, (path) => (gate.holds(path) ? currentText(path) : "unknown"))
          asks.open(request_id, request, ask)
        }
        break
      }
      case "control_cancel_request":
        asks.close(frame.request_id)
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
      case "result":
        for (const id of resultOf(frame).answered) answered(id)
        break
      default:
    }
    for (const event of translator.feed(frame)) tell(event)
  })

  yield* Effect.addFinalizer(() => Effect.sync(() => (closed = true)))
  yield* tellWhenGone({ name: "Claude", gone: process.gone, isClosing: () => closed, tell })

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

  /** Sends, and succeeds when a model is asked with the message, or, for a steer, when it is in Claude's queue. */
  const prompt = Effect.fnUntraced(function* (turn: TurnInput) {
    const saying = sayingOf(turn.input, commands)
    if ("leaves" in saying) {
      const message = `${saying.leaves} would leave this conversation for another one: reset or fork the thread instead.`
      return yield* new SendFailure({ failure: new ProviderFailed({ provider, message }), sent: "no" })
    }
    const sending = frameOf(turn, saying.text)
    if ("unfit" in sending) {
      const message = `Claude cannot take the attachment ${sending.unfit}.`
      return yield* new SendFailure({ failure: new ProviderFailed({ provider, message }), sent: "no" })
    }
    if (Deferred.isDoneUnsafe(process.gone)) {
      const failure = new ProviderUnavailable({ provider, message: "Claude has ended." })
      return yield* new SendFailure({ failure, sent: "no" })
    }
    const sent = Deferred.makeUnsafe<"asked" | "answered", SendFailure>()
    waiting.set(turn.messageId, sent)
    tail.sending(turn.messageId)
    process.write(sending.frame)
    return yield* Deferred.await(sent).pipe(
      Effect.raceFirst(
        Effect.flatMap(Deferred.await(process.gone), (reason) => {
          const failure = new ProviderUnavailable({ provider, message: `Claude has ended: ${reason}.` })
          return Effect.fail(new SendFailure({ failure, sent: "maybe" }))
        })
      ),
      Effect.ensuring(Effect.sync(() => waiting.delete(turn.messageId)))
    )
  })

  /**
   * Read back from the transcript, which is written a moment after the model is asked. A Claude that cannot write it
   * tells nobody (docs/providers/claude.md: Errors): then it is told once, and not waited for again.
   */
  const readBack = Effect.fnUntraced(function* (messageId: string) {
    if (!written) return false
    written = yield* tail.keeps(messageId).pipe(
      Effect.repeat({
        until: (is) => is,
        schedule: Schedule.min([Schedule.exponential("2 millis", 1.2), Schedule.spaced("25 millis")]),
        times: 140
      })
    )
    const message =
      "Claude does not write this conversation down: it is lost when the session ends. Its directory cannot be written, or its history is turned off."
    if (!written) tell(AdapterEvent.Warning({ message }))
    return written
  })

  /** Steers that wait in the queue would become turns of their own: they are withdrawn with it. */
  const interrupt = Effect.suspend(() => {
    translator.interrupting()
    return control(Interrupted, { subtype: "interrupt", cancel_queued: true })
  }).pipe(
    Effect.flatMap(({ still_queued = [] }) =>
      Effect.forEach(still_queued, (message_uuid) =>
        control(Schema.Unknown, { subtype: "cancel_async_message", message_uuid })
      )
    ),
    // It goes on, and ends as it ends.
    Effect.tapError(() => Effect.sync(() => translator.interrupting(false)))
  )

  /** Ends what it works on. What it had begun by itself gives way to what the user says, and that is told. */
  const quiesce = Effect.suspend(() => {
    const message = "Claude worked on something by itself: that was interrupted for what you said."
    if (!translator.isRunning) tell(AdapterEvent.Warning({ message }))
    return interrupt
  }).pipe(Effect.andThen(untilIdle(() => translator.isWorking)))

  const session: AdapterSession = {
    cursor,
    events: Stream.fromQueue(events),
    send: Effect.fnUntraced(function* (turn) {
      for (const event of translator.begin(turn.messageId, turn.input)) tell(event)
      const by = yield* prompt(turn).pipe(
        Effect.tapError(({ sent }) => Effect.sync(() => (sent === "no" ? translator.forget() : undefined)))
      )
      return { cursor, kept: by === "asked" && (yield* readBack(turn.messageId)) }
    }),
    steer: Effect.fnUntraced(function* (turn) {
      if (!translator.steer(turn.messageId, turn.input)) return false
      yield* prompt(turn).pipe(Effect.tapError(() => Effect.sync(() => translator.unsteer(turn.messageId))))
      return true
    }),
    interrupt: Effect.asVoid(interrupt),
    answer: (id, answer) =>
      Effect.sync(() => {
        const asked = asks.close(id)
        if (asked === undefined) return
        if ("decision" in answer && answer.decision === "cancel") translator.interrupting()
        respond(id, replyOf(asked, answer))
      }),
    // One that is not written down would be lost with its process: it is kept as long as may be.
    background: Effect.sync(() => tasks > 0 || !written || translator.isWorking)
  }
  return { session, isWorking: () => translator.isWorking, quiesce, tail }
})
