import { userMessage } from "@rejoin/agent-kit/ItemEvents"
import { modelFailure } from "@rejoin/agent-kit/ModelFailure"
import { PendingAsks } from "@rejoin/agent-kit/PendingAsks"
import { tellWhenGone } from "@rejoin/agent-kit/SessionEnd"
import { ProviderFailed, type ProviderUnavailable, toFailure } from "@rejoin/contracts/Errors"
import type { Failure } from "@rejoin/contracts/Failure"
import { known } from "@rejoin/contracts/Fact"
import { newId } from "@rejoin/core/NewId"
import { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"
import { type AdapterSession, SendFailure, type TurnInput } from "@rejoin/core/providers/ProviderAdapter"
import { Deferred, Effect, FiberHandle, Option, Queue, Result, Schedule, Schema, Stream } from "effect"
import { type AcpConnection, type Hearing, Refused } from "./AcpConnection.ts"
import type { AcpCursor, Last } from "./AcpCursor.ts"
import { cancelled, replyOf, verdictOf } from "./AcpGate.ts"
import { hashOf } from "./AcpHistory.ts"
import { blocksOf } from "./AcpInput.ts"
import type { AcpProfile, Powers, Used } from "./AcpProfile.ts"
import { type Permission, Prompted, type Update } from "./AcpSchema.ts"
import type { AcpStore, Recorded } from "./AcpStore.ts"
import { AcpTranslator } from "./AcpTranslator.ts"

interface Options {
  readonly provider: string
  readonly profile: AcpProfile
  readonly powers: Powers
  readonly connection: AcpConnection
  readonly listener: AcpListener
  readonly cursor: AcpCursor
  readonly directory: string
  readonly store: AcpStore | undefined
  readonly takesImages: boolean
}

/** What hears an agent from its first word on, before there is a session to tell. */
export class AcpListener implements Hearing {
  private hearing: Hearing | undefined
  /** What comes before anybody listens is a replay, or about nothing. */
  early: (update: Update) => void = () => undefined

  readonly update = (sessionId: string, update: Update): void => {
    if (this.hearing === undefined) this.early(update)
    else this.hearing.update(sessionId, update)
  }
  readonly permission = (id: number | string, asked: Permission): void => this.hearing?.permission(id, asked)

  attach(hearing: Hearing): void {
    this.hearing = hearing
  }
}

const decodePrompted = Schema.decodeUnknownEffect(Prompted)

/** The live connection to one session, which is alone in its process. */
export const openSession = Effect.fnUntraced(function* (options: Options) {
  const { connection, directory, listener, powers, profile, provider, store } = options
  const sessionId = options.cursor.providerSessionId
  const events = yield* Queue.unbounded<AdapterEvent>()
  // Each process counts its requests from the beginning: an answer to an old one is none to a new one.
  const requests = yield* newId("req")
  let opened = 0
  const prompting = yield* FiberHandle.make<void>()
  const translator = new AcpTranslator(profile, directory)
  const asks = new PendingAsks<{ readonly id: number | string; readonly asked: Permission }>((event) =>
    tell(event)
  )
  let { cursor } = options
  let closing = false
  let isPrompting = false
  /** How many messages of its user's were answered to their end: these at least it has. */
  let completed = cursor.last?.before ?? 0
  let total: Used = { inputTokens: 0, outputTokens: 0 }
  /** What is told of a turn before its message is read back. */
  let held: Array<AdapterEvent> | undefined
  let stirred = yield* Deferred.make<void>()
  /** It waits for an answer: what it was asked has reached it. */
  let waits = yield* Deferred.make<void>()

  const tell = (event: AdapterEvent) => {
    if (held === undefined) Queue.offerUnsafe(events, event)
    else held.push(event)
  }

  listener.attach({
    update: (of, update) => {
      // What comes behind the end of a turn is no turn's any more.
      if (of !== sessionId || !isPrompting) return
      Deferred.doneUnsafe(stirred, Effect.void)
      for (const event of translator.feed(update)) tell(event)
    },
    permission: (id, asked) => {
      Deferred.doneUnsafe(stirred, Effect.void)
      // Outside a turn there is nobody who could have asked for it.
      if (!isPrompting || asked.sessionId !== sessionId) return connection.reply(id, cancelled)
      for (const event of translator.call({ ...asked.toolCall, status: "in_progress" })) tell(event)
      const verdict = verdictOf(profile, powers, asked, [directory])
      if (verdict._tag === "Answer") connection.reply(id, verdict.result)
      else {
        asks.open(`${requests}-${opened++}`, { id, asked }, verdict.ask)
        Deferred.doneUnsafe(waits, Effect.void)
      }
    }
  })

  const dismiss = () => {
    for (const [key, { id }] of asks.all) {
      asks.close(key)
      connection.reply(id, cancelled)
    }
  }

  const recorded = store === undefined ? Effect.succeedNone : store.read(sessionId, cursor.cwd)
  /** The message that came after those that were there: nothing of ours is in it but its text. */
  const found = (text: string, before: number) =>
    Effect.map(recorded, (record) =>
      Option.flatMap(record, ({ messages }) =>
        Option.fromUndefinedOr(messages.slice(before).find((message) => message.text.trim() === text.trim()))
      )
    )

  type Ending = Result.Result<Prompted, Refused | ProviderFailed | ProviderUnavailable>
  const failureOf = (refused: Refused | ProviderFailed | ProviderUnavailable): Failure => {
    if (!(refused instanceof Refused)) return toFailure(refused)
    return (
      profile.failure?.(provider, refused) ??
      modelFailure({
        provider,
        agent: profile.title,
        message: refused.message,
        refusal: undefined,
        detail: { code: refused.code }
      })
    )
  }

  const settle = Effect.fnUntraced(function* (ending: Ending) {
    dismiss()
    for (const event of translator.end()) tell(event)
    isPrompting = false
    const output = translator.output
    if (Result.isFailure(ending)) {
      return tell(AdapterEvent.TurnSettled({ status: "failed", output, error: failureOf(ending.failure) }))
    }
    const { stopReason } = ending.success
    const told = profile.usedBy?.(ending.success)
    if (told !== undefined) {
      const { isSum, used } = told
      const before = isSum ? total : { inputTokens: 0, outputTokens: 0 }
      if (isSum) total = used
      tell(
        AdapterEvent.Used({
          inputTokens: Math.max(0, used.inputTokens - before.inputTokens),
          outputTokens: Math.max(0, used.outputTokens - before.outputTokens),
          costUsd: 0
        })
      )
    }
    if (stopReason === "cancelled") return tell(AdapterEvent.TurnSettled({ status: "interrupted", output }))
    // An end that calls itself one may be a failure: the record tells.
    const record = yield* Effect.orElseSucceed(recorded, () => Option.none())
    const failure = Option.getOrUndefined(record)?.failure
    if (failure !== undefined)
      return tell(AdapterEvent.TurnSettled({ status: "failed", output, error: { ...failure, provider } }))
    if (stopReason === "refusal") {
      const error = modelFailure({
        provider,
        agent: profile.title,
        message: "The model refused to answer.",
        refusal: undefined,
        detail: { stopReason }
      })
      return tell(AdapterEvent.TurnSettled({ status: "failed", output, error }))
    }
    if (stopReason !== "end_turn")
      tell(AdapterEvent.Warning({ message: `The answer is not whole: it ended with ${stopReason}.` }))
    completed++
    tell(AdapterEvent.TurnSettled({ status: "completed", output }))
  })

  const refuse = (message: string) =>
    new SendFailure({ failure: new ProviderFailed({ provider, message }), sent: "no" })

  const send = Effect.fn("Acp.send")(function* (turn: TurnInput) {
    const { input, messageId } = turn
    const fitting = blocksOf(turn, { escapes: profile.escapes === true, images: options.takesImages })
    if ("unfit" in fitting) return yield* refuse(`${profile.title} cannot take ${fitting.unfit}.`)
    const before = yield* recorded.pipe(
      Effect.map(Option.match({ onNone: () => 0, onSome: ({ messages }) => messages.length })),
      Effect.mapError(({ message }) => refuse(message))
    )
    translator.begin(messageId)
    held = []
    isPrompting = true
    stirred = yield* Deferred.make<void>()
    waits = yield* Deferred.make<void>()
    const ended = yield* Deferred.make<Ending>()
    const told = yield* Deferred.make<void>()
    const params = { sessionId, prompt: fitting.blocks }
    yield* FiberHandle.run(
      prompting,
      Effect.gen(function* () {
        const answer = yield* Effect.result(connection.ask("session/prompt", params))
        const ending: Ending = Result.isFailure(answer)
          ? Result.fail(answer.failure)
          : yield* Effect.result(
              Effect.mapError(decodePrompted(answer.success), () =>
                connection.failed("session/prompt: its answer cannot be read", {})
              )
            )
        yield* Deferred.succeed(ended, ending)
        // Its process is gone: that is told, and the turn is settled by that.
        if (Deferred.isDoneUnsafe(connection.gone)) return
        yield* Deferred.await(told)
        yield* settle(ending)
      })
    )
    const release = (message: Recorded | undefined) => {
      const events = held ?? []
      held = undefined
      for (const event of userMessage(messageId, input)) tell(event)
      if (message?.cwd !== undefined)
        tell(AdapterEvent.Checked({ what: "cwd", stage: "submit", found: known(message.cwd, "store") }))
      for (const event of events) tell(event)
    }
    // Read back from its record; of an agent whose records are not read, its first word is all that there is.
    const seen = (text: string) =>
      store === undefined
        ? Effect.raceFirst(Deferred.await(stirred), Effect.asVoid(Deferred.await(ended))).pipe(
            // A slow model is not waited for: then it is not known yet.
            Effect.timeoutOption("2 seconds"),
            Effect.as(Option.none<Recorded>())
          )
        : found(text, before).pipe(
            Effect.repeat({
              until: (message) =>
                Option.isSome(message) || Deferred.isDoneUnsafe(ended) || Deferred.isDoneUnsafe(waits),
              schedule: Schedule.spaced("10 millis")
            }),
            // It may say no before it has written down to what.
            Effect.filterOrElse(Option.isSome, () =>
              found(text, before).pipe(
                Effect.repeat({ until: Option.isSome, schedule: Schedule.spaced("20 millis"), times: 25 })
              )
            )
          )
    const message = Option.getOrUndefined(
      yield* seen(fitting.text).pipe(
        Effect.mapError(
          ({ message }) =>
            new SendFailure({ failure: new ProviderFailed({ provider, message }), sent: "maybe" })
        ),
        Effect.onError(() => Effect.sync(() => (held = undefined)))
      )
    )
    const kept =
      store === undefined
        ? Deferred.isDoneUnsafe(stirred) || Deferred.isDoneUnsafe(ended)
        : message !== undefined
    if (!kept && store !== undefined && !Deferred.isDoneUnsafe(waits)) {
      const ending = yield* Deferred.await(ended)
      // It said no before it wrote anything down.
      if (Result.isFailure(ending) && store.prompt) {
        held = undefined
        yield* FiberHandle.clear(prompting)
        isPrompting = false
        const { failure } = ending
        const why =
          failure instanceof Refused ? connection.failed(failure.message, { code: failure.code }) : failure
        return yield* new SendFailure({ failure: why, sent: "maybe" })
      }
    }
    if (kept) {
      const last: Last = {
        messageId,
        recordId: message?.id ?? null,
        hash: hashOf(fitting.text),
        before: completed
      }
      cursor = { ...cursor, last }
    }
    release(message)
    yield* Deferred.succeed(told, undefined)
    return { cursor, kept }
  })

  const interrupt = Effect.suspend(() => {
    if (!isPrompting) return Effect.void
    // Some wait for an answer before they hear of it, and some end by the answer as if nothing had been.
    return Effect.andThen(connection.notify("session/cancel", { sessionId }), Effect.sync(dismiss))
  })

  yield* tellWhenGone({ name: profile.title, gone: connection.gone, isClosing: () => closing, tell })
  yield* Effect.addFinalizer(() => Effect.sync(() => void (closing = true)))

  const session: AdapterSession = {
    get cursor() {
      return cursor
    },
    events: Stream.fromQueue(events),
    send,
    interrupt,
    answer: (requestId, answer) =>
      Effect.gen(function* () {
        const waiting = asks.close(requestId)
        if (waiting === undefined) return
        const ends = "decision" in answer && answer.decision === "cancel"
        // Told no it might go on with that, while it is told to end.
        if (ends) yield* interrupt
        connection.reply(waiting.id, ends ? cancelled : replyOf(profile, waiting.asked, answer))
      }),
    background: Effect.succeed(false)
  }
  return { session, interrupt, isPrompting: () => isPrompting, cursor: () => cursor }
})

export type AcpLive = Effect.Success<ReturnType<typeof openSession>>
