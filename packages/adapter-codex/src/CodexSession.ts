import { known, unknown } from "@rejoin/contracts/Fact"
import { ProviderFailed } from "@rejoin/contracts/Errors"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { newId } from "@rejoin/core/NewId"
import { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"
import {
  type AdapterSession,
  SendFailure,
  type TurnInput,
  type Verified
} from "@rejoin/core/providers/ProviderAdapter"
import { PendingAsks } from "@rejoin/agent-kit/PendingAsks"
import { tellWhenGone } from "@rejoin/agent-kit/SessionEnd"
import { Deferred, Effect, Queue, Schema, Stream } from "effect"
import type { CodexCursor } from "./CodexCursor.ts"
import { inputOf } from "./CodexInput.ts"
import { modeOf, settingsOf } from "./CodexModes.ts"
import { askOf, replyOf } from "./CodexRequests.ts"
import {
  type Item,
  type Notification,
  Opened,
  type ServerRequest,
  type SettingsUpdated,
  StartedTurn,
  Terminals,
  Unsubscribed
} from "./CodexSchema.ts"
import type { CodexServer } from "./CodexServer.ts"
import { CodexTranslator } from "./CodexTranslator.ts"

interface Options {
  readonly cursor: CodexCursor
  readonly server: CodexServer
  readonly directory: string
  readonly mode: RuntimeMode
  readonly model: string | null
}

const Nothing = Schema.Unknown
type Settings = (typeof SettingsUpdated.Type)["threadSettings"]

/**
 * The live connection to one thread. Made before the thread is opened where its id is known by then: subscribed to its
 * events (C31), and whatever becomes of the start, the thread is closed again with the scope.
 */
export const connect = Effect.fnUntraced(function* (options: Options) {
  const { cursor, directory, server } = options
  const threadId = cursor.providerSessionId
  const { client } = server
  const events = yield* Queue.unbounded<AdapterEvent>()
  // Each server of Codex's counts its requests from the beginning: an old one's answer is none to a new one.
  const asked = yield* newId("req")
  const translator = new CodexTranslator(client.provider, directory)
  const asks = new PendingAsks<ServerRequest>((event) => tell(event))
  const items = new Map<string, Item>()
  const taken = new Map<string, Deferred.Deferred<void, ProviderFailed>>()
  let closed = Deferred.makeUnsafe<void>()
  let opened = false
  let settings: Deferred.Deferred<Settings> | undefined
  let { mode, model } = options
  let leaving = false

  const tell = (event: AdapterEvent) => void Queue.offerUnsafe(events, event)

  const onNotification = (message: Notification) => {
    switch (message.method) {
      case "item/started":
      case "item/completed": {
        const { item, turnId } = message.params
        // An approval of a file change tells of it only by its item.
        if (item.type === "fileChange") items.set(`${turnId}-${item.id}`, item)
        if (item.type === "userMessage") {
          const waiting = taken.get(item.clientId ?? "")
          if (waiting !== undefined) Deferred.doneUnsafe(waiting, Effect.void)
        }
        break
      }
      case "serverRequest/resolved":
        asks.close(`${asked}-${message.params.requestId}`)
        break
      case "thread/settings/updated":
        if (settings !== undefined) {
          Deferred.doneUnsafe(settings, Effect.succeed(message.params.threadSettings))
        }
        break
      case "thread/closed":
        Deferred.doneUnsafe(closed, Effect.void)
        if (opened && !leaving) tell(AdapterEvent.Exited({ reason: "Codex closed the thread" }))
        break
      case "thread/deleted":
        tell(AdapterEvent.Exited({ reason: "the thread was deleted in Codex" }))
        break
      default:
    }
    for (const event of translator.feed(message)) tell(event)
    if (message.method === "turn/completed") {
      items.clear()
      // It ended before it took the message: it could not be begun, or its compaction failed.
      const { error } = message.params.turn
      for (const waiting of taken.values()) {
        const why = client.failed(`the turn ended before it had begun${error ? `: ${error.message}` : ""}`)
        Deferred.doneUnsafe(waiting, Effect.fail(why))
      }
    }
  }

  const onRequest = (request: ServerRequest) => {
    const { itemId, turnId } = request.params
    asks.open(`${asked}-${request.id}`, request, askOf(request, items.get(`${turnId}-${itemId}`), directory))
  }

  yield* Effect.acquireRelease(
    Effect.sync(() =>
      server.listen(threadId, {
        notification: onNotification,
        request: onRequest,
        limits: (told) => {
          for (const event of translator.limits(told)) tell(event)
        }
      })
    ),
    (unlisten) => Effect.sync(unlisten)
  )

  /** The turn ends; the command that it waits for would live on, and is ended too. */
  const interrupt = Effect.suspend(() => {
    const { turnId } = translator
    if (turnId === undefined) return Effect.void
    return client.ask(Nothing, "turn/interrupt", { threadId, turnId }).pipe(
      // It had ended by itself.
      Effect.catchTag("Refused", () => Effect.void),
      Effect.andThen(client.call(Nothing, "thread/backgroundTerminals/clean", { threadId }))
    )
  })

  /** The thread is closed, and its writer's lock free, when this is over. */
  const unload = Effect.gen(function* () {
    const { status } = yield* client.call(Unsubscribed, "thread/unsubscribe", { threadId })
    if (status === "unsubscribed") yield* Deferred.await(closed)
  })
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      leaving = true
      if (Deferred.isDoneUnsafe(server.gone)) return
      const leave = Effect.andThen(translator.isRunning ? Effect.ignore(interrupt) : Effect.void, unload)
      yield* leave.pipe(Effect.timeout("3 seconds"), Effect.ignore, server.unlessHung)
    })
  )
  yield* tellWhenGone({ name: "Codex", gone: server.gone, isClosing: () => leaving, tell })

  const unfit = (name: string) =>
    new SendFailure({
      failure: new ProviderFailed({
        provider: client.provider,
        message: `Codex cannot take the attachment ${name}.`
      }),
      sent: "no"
    })

  /** Sends, and succeeds when the message was read back: the answer alone proves nothing. */
  const prompt = Effect.fnUntraced(function* (turn: TurnInput) {
    const input = inputOf(turn)
    if ("unfit" in input) return yield* unfit(input.unfit)
    if (Deferred.isDoneUnsafe(server.gone)) {
      return yield* new SendFailure({ failure: client.gone("before it was asked"), sent: "no" })
    }
    const waiting = Deferred.makeUnsafe<void, ProviderFailed>()
    taken.set(turn.messageId, waiting)
    yield* client
      .ask(StartedTurn, "turn/start", {
        threadId,
        ...input,
        clientUserMessageId: turn.messageId,
        ...(model !== null && { model })
      })
      .pipe(
        Effect.tap(({ turn }) => Effect.sync(() => translator.begun(turn.id))),
        Effect.andThen(
          Effect.raceFirst(
            Deferred.await(waiting),
            Effect.flatMap(Deferred.await(server.gone), (reason) => Effect.fail(client.gone(reason)))
          )
        ),
        Effect.mapError((error) =>
          error._tag === "Refused"
            ? new SendFailure({ failure: client.refused(error), sent: "no" })
            : new SendFailure({ failure: error, sent: "maybe" })
        ),
        Effect.ensuring(Effect.sync(() => taken.delete(turn.messageId)))
      )
  })

  const session: AdapterSession = {
    cursor,
    events: Stream.fromQueue(events),
    send: Effect.fnUntraced(function* (turn) {
      translator.begin(turn.messageId, turn.input)
      yield* prompt(turn).pipe(
        Effect.tapError(({ sent }) => Effect.sync(() => (sent === "no" ? translator.forget() : undefined)))
      )
      return { cursor, kept: true }
    }),
    steer: Effect.fnUntraced(function* (turn) {
      const { turnId } = translator
      if (turnId === undefined) return false
      const input = inputOf(turn)
      if ("unfit" in input) return yield* unfit(input.unfit)
      translator.steer(turn.messageId, turn.input)
      return yield* client
        .ask(Nothing, "turn/steer", {
          threadId,
          expectedTurnId: turnId,
          clientUserMessageId: turn.messageId,
          ...input
        })
        .pipe(
          Effect.as(true),
          // The turn has ended meanwhile, and nothing was sent.
          Effect.catchTag("Refused", () => Effect.succeed(false)),
          Effect.mapError((failure) => new SendFailure({ failure, sent: "maybe" }))
        )
    }),
    interrupt: Effect.asVoid(interrupt),
    answer: (id, answer) =>
      Effect.sync(() => {
        const asked = asks.close(id)
        if (asked !== undefined) client.respond(asked.id, replyOf(asked, answer))
      }),
    reconfigure: Effect.fnUntraced(function* (to) {
      const told = yield* applySettings(to.mode, to.model)
      mode = to.mode
      model = to.model ?? model
      return told
    }),
    // A command that goes on after its turn.
    background: Effect.map(
      client.call(Terminals, "thread/backgroundTerminals/list", { threadId }),
      ({ data }) => data.length > 0
    )
  }

  /**
   * Between turns. Everything in force is told back by an event, unless nothing changed: then a resume of the thread,
   * which changes nothing of one that is loaded, tells it.
   */
  const applySettings = Effect.fnUntraced(function* (to: RuntimeMode, toModel: string | null) {
    const told = Deferred.makeUnsafe<Settings>()
    settings = told
    yield* client.call(Nothing, "thread/settings/update", {
      threadId,
      ...settingsOf(to),
      ...(toModel !== null && { model: toModel })
    })
    const byEvent = Effect.map(Deferred.await(told), ({ sandboxPolicy, ...rest }) => ({
      ...rest,
      sandbox: sandboxPolicy
    }))
    const byResume = client.call(Opened, "thread/resume", { threadId, excludeTurns: true })
    const {
      cwd,
      model: inForce,
      ...powers
    } = yield* Effect.timeoutOrElse(byEvent, { duration: "500 millis", orElse: () => byResume }).pipe(
      Effect.ensuring(Effect.sync(() => (settings = undefined)))
    )
    const { activePermissionProfile, approvalPolicy, approvalsReviewer, sandbox } = powers
    const verified: Verified = {
      directory: known(cwd, "answer"),
      mode: known(modeOf({ activePermissionProfile, approvalPolicy, approvalsReviewer, sandbox }), "answer"),
      model: inForce === undefined ? unknown("not-told") : known(inForce, "answer"),
      history: "unknown",
      evidence: { threadId, sandbox, approvalPolicy, profile: activePermissionProfile?.id ?? null }
    }
    return verified
  })

  return {
    /** What another life of the thread left loaded is closed first: it would keep its place and its powers. */
    prepare: Effect.andThen(
      unload,
      Effect.sync(() => (closed = Deferred.makeUnsafe<void>()))
    ),
    /** From now on that the thread is closed means that the session has ended. */
    opened: () => {
      opened = true
    },
    session,
    server,
    directory,
    /** Neither the thread nor its server has been closed since. */
    isOpen: () => opened && !Deferred.isDoneUnsafe(closed) && !Deferred.isDoneUnsafe(server.gone),
    applySettings,
    activity: () =>
      !asks.isEmpty ? ("waiting" as const) : translator.isRunning ? ("running" as const) : ("idle" as const),
    settings: () => ({ mode, model }),
    interrupt: Effect.asVoid(interrupt),
    isRunning: () => translator.isRunning
  }
})

export type CodexConnection = Effect.Success<ReturnType<typeof connect>>
