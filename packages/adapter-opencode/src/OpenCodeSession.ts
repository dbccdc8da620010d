import { coversOf } from "./OpenCodeCovers.ts"
import { ProviderFailed } from "@rejoin/contracts/Errors"
import { type Fact, unknown } from "@rejoin/contracts/Fact"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"
import { type AdapterSession, SendFailure, type TurnInput } from "@rejoin/core/providers/ProviderAdapter"
import type { AdapterFailure } from "@rejoin/core/providers/ResumeCursor"
import { PendingAsks } from "@rejoin/agent-kit/PendingAsks"
import { tellWhenGone } from "@rejoin/agent-kit/SessionEnd"
import { Deferred, Effect, Queue, Schedule, Stream } from "effect"
import { isNotFound } from "./OpenCodeClient.ts"
import type { OpenCodeCursor } from "./OpenCodeCursor.ts"
import { answerForSubAgent } from "./OpenCodePermissions.ts"
import type { BusEvent, PermissionAsked, QuestionAsked } from "./OpenCodeSchema.ts"
import type { OpenCodeServer } from "./OpenCodeServer.ts"
import { OpenCodeTranslator, retryingOf } from "./OpenCodeTranslator.ts"
import type { OpenCodeUpstream } from "./OpenCodeUpstream.ts"

// OpenCode itself retries without end, each time after twice as long; this is about two minutes.
const retriesAtMost = 6

// In seconds: for so long it has done nothing since it took the message.
const idleAtMost = 8

interface Options {
  readonly cursor: OpenCodeCursor
  readonly server: OpenCodeServer
  readonly upstream: OpenCodeUpstream
  readonly directory: string
  readonly mode: RuntimeMode
  /** `provider/model`, or null for the server's own choice. */
  readonly model: string | null
  /** It travels with each prompt: the server keeps none for a session. */
  readonly systemPrompt: Effect.Effect<string | null>
}

const isText = (mediaType: string): boolean =>
  mediaType.startsWith("text/") || mediaType === "application/json"

const isTaken = (mediaType: string): boolean =>
  isText(mediaType) || mediaType === "application/pdf" || /^image\/(png|jpeg|gif|webp)$/.test(mediaType)

export const modelOf = (model: string | null) => {
  const slash = model?.indexOf("/") ?? -1
  return model === null || slash < 1
    ? undefined
    : { providerID: model.slice(0, slash), modelID: model.slice(slash + 1) }
}

/** What was asked for, where the server keeps no model for a session: it travels with each prompt. */
export const modelFact = (model: string | null): Fact<string> =>
  model === null ? unknown("not-told") : unknown("not-applicable")

/** The live connection to one session. Subscribed to its events when this returns. */
export const connect = Effect.fnUntraced(function* (options: Options) {
  const { cursor, directory, server, upstream } = options
  const sessionID = cursor.providerSessionId
  const { client } = server
  const services = yield* Effect.context()
  const events = yield* Queue.unbounded<AdapterEvent>()
  const translator = new OpenCodeTranslator(client.provider)
  const asks = new PendingAsks<"permission" | "question">((event) => tell(event))
  /** Messages that were sent and not seen in the session yet. */
  const sent = new Map<string, Deferred.Deferred<void>>()
  let begun = Deferred.makeUnsafe<void>()
  let { mode, model } = options
  let closed = false

  const tell = (event: AdapterEvent) => Queue.offerUnsafe(events, event)
  const background = (effect: Effect.Effect<void, AdapterFailure>) =>
    Effect.runForkWith(services)(Effect.ignore(effect))

  const replyPermission = (requestID: string, reply: "once" | "reject", message?: string) =>
    client.run("permission", (sdk, signal) =>
      sdk.permission.reply(
        { requestID, directory, reply, ...(message !== undefined && { message }) },
        { signal }
      )
    )

  const permission = (asked: PermissionAsked) => {
    // A session's own asks follow its rules. A sub-agent's follow the server's: its session's mode decides.
    const answer = asked.sessionID === sessionID ? undefined : answerForSubAgent(mode, asked.permission)
    if (answer === undefined) return ask(asked)
    const message = answer === "reject" ? "This session may not change anything." : undefined
    // Where the answer does not get through, somebody else must give it, or the sub-agent waits for ever.
    background(
      replyPermission(asked.id, answer, message).pipe(Effect.catch(() => Effect.sync(() => ask(asked))))
    )
  }

  const ask = (asked: PermissionAsked) => {
    const diff = asked.metadata?.["diff"]
    const command = asked.metadata?.["command"]
    // Of a sub-agent, what it is to do.
    const description = asked.metadata?.["description"]
    const patterns = asked.patterns.join(", ")
    asks.open(asked.id, "permission", {
      kind: "approval",
      permission: asked.permission,
      title: `${asked.permission}: ${asked.permission === "task" && typeof description === "string" ? `${patterns}: ${description}` : patterns}`,
      ...(typeof command === "string" && { command }),
      ...(asked.permission === "edit" && { paths: asked.patterns }),
      ...(typeof diff === "string" && { diff }),
      ...coversOf(asked)
    })
  }

  const question = ({ id, questions }: QuestionAsked) => {
    asks.open(id, "question", {
      kind: "user-input",
      questions: questions.map(({ header, multiple, options, question }) => ({
        question,
        options: options.map(({ description, label }) => ({ label, ...(description && { description }) })),
        ...(header && { header }),
        ...(multiple !== undefined && { multiple })
      }))
    })
  }

  const abort = client.run("abort", (sdk, signal) => sdk.session.abort({ sessionID, directory }, { signal }))

  /** What waits for an answer is rejected first: an abort would leave it pending for ever (docs/providers/opencode.md). */
  const rejectPending = Effect.suspend(() =>
    Effect.forEach(
      asks.all,
      ([id, kind]) =>
        kind === "permission"
          ? Effect.ignore(replyPermission(id, "reject"))
          : Effect.ignore(
              client.run("question", (sdk, signal) =>
                sdk.question.reject({ requestID: id, directory }, { signal })
              )
            ),
      { discard: true }
    )
  )

  const onEvent = (event: BusEvent) => {
    switch (event.type) {
      case "permission.asked":
        permission(event.properties)
        break
      case "question.asked":
        question(event.properties)
        break
      case "permission.replied":
      case "question.replied":
      case "question.rejected":
        asks.close(event.properties.requestID)
        break
      case "message.updated": {
        const stored = sent.get(event.properties.info.id)
        if (stored !== undefined) Deferred.doneUnsafe(stored, Effect.void)
        break
      }
      case "session.deleted":
        if (event.properties.info.id === sessionID)
          tell(AdapterEvent.Exited({ reason: "the session was deleted in OpenCode" }))
        break
      case "session.status": {
        const { status } = event.properties
        // Its own, or a sub-agent's: either way the turn does not get on.
        // Where no turn of ours runs, it is somebody else's to end.
        if (translator.isRunning && status.type === "retry" && status.attempt > retriesAtMost) {
          translator.failing({ name: "RetriesExhausted", data: { message: status.message } })
          background(abort)
        }
        if (translator.isRunning && status.type === "retry" && event.properties.sessionID !== sessionID)
          tell(retryingOf(status))
        break
      }
      default:
    }
    // What a sub-agent does within is its own; only what it asks reaches the thread.
    const own = "sessionID" in event.properties ? event.properties.sessionID : undefined
    if (event.type !== "permission.asked" && own !== undefined && own !== sessionID) return
    if (event.type === "message.updated" && event.properties.info.sessionID !== sessionID) return
    if (event.type === "message.part.updated" && event.properties.part.sessionID !== sessionID) return
    for (const translated of translator.feed(event)) tell(translated)
    if (translator.hasBegun) Deferred.doneUnsafe(begun, Effect.void)
  }

  yield* Effect.acquireRelease(
    Effect.sync(() => server.listen(sessionID, onEvent)),
    (unlisten) => Effect.sync(unlisten)
  )
  // Ours to end when we go, but never a session that somebody else now works with: only a turn of ours runs (C28).
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      closed = true
      return translator.isRunning
        ? Effect.andThen(rejectPending, abort).pipe(
            Effect.timeoutOrElse({ duration: "2 seconds", orElse: () => server.suspect }),
            Effect.ignore
          )
        : Effect.void
    })
  )
  yield* tellWhenGone({ name: "OpenCode", gone: server.gone, isClosing: () => closed, tell })

  const post = Effect.fnUntraced(function* ({ attachments, input, messageId }: TurnInput) {
    const system = yield* options.systemPrompt
    const chosen = modelOf(model)
    // What no model takes would stand in the conversation for good, and every later turn would fail for it.
    const unfit = attachments.find(({ mediaType }) => !isTaken(mediaType))
    if (unfit !== undefined) {
      const failure = new ProviderFailed({
        provider: client.provider,
        message: `OpenCode cannot take the attachment ${unfit.name} (${unfit.mediaType}).`
      })
      return yield* new SendFailure({ failure, sent: "no" })
    }
    const files = attachments.map(({ data, mediaType, name }) => ({
      type: "file" as const,
      mime: isText(mediaType) ? "text/plain" : mediaType,
      filename: name,
      url: `data:${mediaType};base64,${data}`
    }))
    return yield* client.ask((sdk, signal) =>
      sdk.session.promptAsync(
        {
          sessionID,
          directory,
          messageID: messageId,
          ...(chosen && { model: chosen }),
          ...(system !== null && { system }),
          parts: [{ type: "text", text: input }, ...files]
        },
        { signal }
      )
    )
  })

  /**
   * It took the message and does nothing with it: a plugin of its user's threw, its configuration is broken, its clock
   * went back and it takes the message for an old one. No event comes then.
   */
  const forgotten = (messageId: string) =>
    Effect.gen(function* () {
      for (let idle = 0; idle < idleAtMost;) {
        yield* Effect.sleep("1 second")
        const activity = yield* Effect.orElseSucceed(upstream.activity(sessionID, directory), () => "idle")
        idle = activity === "idle" ? idle + 1 : 0
      }
      const answered = yield* Effect.orElseSucceed(upstream.answered(sessionID, messageId), () => false)
      if (answered) return
      const failure = new ProviderFailed({
        provider: client.provider,
        message: "OpenCode took the message and does nothing with it.",
        hint: "Its own log says why; a plugin or a broken configuration does this, and a clock that was set back."
      })
      return yield* new SendFailure({ failure, sent: "maybe" })
    })

  /**
   * Sends, and succeeds when the message was read back: the 204 comes for turns that fail too. The server tells of each
   * message that it has stored; where that is not heard, it is asked for it.
   */
  const prompt = Effect.fnUntraced(function* (turn: TurnInput) {
    const stored = Deferred.makeUnsafe<void>()
    sent.set(turn.messageId, stored)
    yield* send(turn, Deferred.await(stored)).pipe(
      Effect.ensuring(Effect.sync(() => sent.delete(turn.messageId)))
    )
  })

  const send = Effect.fnUntraced(function* (turn: TurnInput, stored: Effect.Effect<void>) {
    const posted = yield* post(turn)
    if (posted._tag !== "Ok") {
      // A 4xx is the server's own no, and nobody hears behind a refused connection. A connection that broke, a 5xx of
      // whoever stands between, or an answer that cannot be read proves nothing (law 6).
      const refused = posted._tag === "Refused" && posted.status >= 400 && posted.status < 500
      const nobody = posted._tag === "Down" && posted.cause === "ECONNREFUSED"
      const sent = refused || nobody ? "no" : "maybe"
      return yield* new SendFailure({ failure: client.failure("prompt", posted), sent })
    }
    const asked = client
      .ask((sdk, signal) =>
        sdk.session.message({ sessionID, messageID: turn.messageId, directory }, { signal })
      )
      .pipe(Effect.repeat({ while: isNotFound, schedule: Schedule.spaced("50 millis"), times: 100 }))
    const answer = yield* Effect.timeoutOrElse(Effect.as(stored, { _tag: "Ok", data: undefined } as const), {
      duration: "200 millis",
      orElse: () => asked
    })
    if (answer._tag === "Ok") return
    const failure = isNotFound(answer)
      ? client.failed("it accepted the message and does not have it")
      : client.failure("message", answer)
    return yield* new SendFailure({ failure, sent: "maybe" })
  })

  const session: AdapterSession = {
    cursor,
    events: Stream.fromQueue(events),
    send: Effect.fnUntraced(function* (turn) {
      translator.begin(turn.messageId)
      begun = Deferred.makeUnsafe()
      // What may have arrived stays a turn of ours: it is aborted when this session is closed.
      yield* prompt(turn).pipe(
        Effect.tapError(({ sent }) => Effect.sync(() => (sent === "no" ? translator.forget() : undefined)))
      )
      // Stored is not begun: an interrupt in between would be lost, and the message run after it.
      yield* Deferred.await(begun).pipe(
        Effect.raceFirst(Effect.asVoid(Deferred.await(server.gone))),
        Effect.raceFirst(forgotten(turn.messageId))
      )
      return { cursor, kept: true }
    }),
    steer: Effect.fnUntraced(function* (turn) {
      if (!translator.steer(turn.messageId)) return false
      yield* prompt(turn).pipe(
        Effect.tapError(({ sent }) => Effect.sync(() => translator.unsteer(turn.messageId, sent === "maybe")))
      )
      return true
    }),
    interrupt: Effect.suspend(() => {
      translator.interrupting()
      return Effect.andThen(rejectPending, abort)
    }),
    answer: Effect.fnUntraced(function* (id, answer) {
      if ("answers" in answer) {
        const answers = answer.answers.map((chosen) => [...chosen])
        return yield* client.run("question", (sdk, signal) =>
          sdk.question.reply({ requestID: id, directory, answers }, { signal })
        )
      }
      const { decision, message } = answer
      if (decision === "cancel") {
        translator.interrupting()
        return yield* Effect.andThen(rejectPending, abort)
      }
      // A rejection without a word stops the turn; with one the model goes on. Declining is not stopping.
      const said = message ?? "The user declined this. Go on without it, or ask what to do instead."
      yield* decision === "accept" ? replyPermission(id, "once") : replyPermission(id, "reject", said)
    }),
    reconfigure: Effect.fnUntraced(function* (to) {
      if (to.model !== null && modelOf(to.model) === undefined) {
        return yield* client.failed(`there is no model ${to.model}: a model is named provider/model`)
      }
      // Both or neither: sub-agents are answered by the mode that is known here.
      yield* Effect.uninterruptible(
        Effect.tap(upstream.applyMode(sessionID, to.mode), () =>
          Effect.sync(() => {
            mode = to.mode
            model = to.model ?? model
          })
        )
      )
      return { ...(yield* upstream.verify(sessionID, null)), model: modelFact(model) }
    }),
    background: Effect.map(upstream.activity(sessionID, directory), (activity) => activity !== "idle")
  }
  return session
})
