import type { RejoinClient } from "@rejoin/client/Client"
import type { ChannelConfig, ChannelInfo } from "@rejoin/contracts/Channel"
import type { TurnId } from "@rejoin/contracts/Ids"
import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { now, type Timestamp } from "@rejoin/contracts/Time"
import {
  Cause,
  Deferred,
  Effect,
  Exit,
  FileSystem,
  Metric,
  Option,
  Queue,
  Ref,
  Schedule,
  type Scope
} from "effect"
import { makeAnswers } from "./Answers.ts"
import { makeAsking } from "./Asking.ts"
import type { ChannelAdapter, WebhookAnswer, WebhookRequest } from "./ChannelAdapter.ts"
import { type ChannelFailure, NotLetIn, Unanswered } from "./ChannelFailure.ts"
import * as ChannelMetrics from "./ChannelMetrics.ts"
import type { ChannelStore } from "./ChannelStore.ts"
import { makeDelivery } from "./Delivery.ts"
import type { ChatKey } from "./Inbound.ts"
import { makeIntake } from "./Intake.ts"
import { makePreviews } from "./Previews.ts"
import type { Refusal } from "./Refusal.ts"
import { type Channel, Later, makeRooms, pauseAfter } from "./Room.ts"
import { makeTaking } from "./Taking.ts"

/** How a channel is, as it was last seen. */
interface State extends Pick<ChannelInfo, "state" | "reason" | "hint" | "account" | "lastError"> {
  readonly since: Timestamp
}

/** One channel at work. */
export interface Engine {
  readonly info: Effect.Effect<ChannelInfo, StoreFailed>
  /** 503 as long as it is not at work, 404 where its platform sends nothing by itself. */
  readonly webhook: (request: WebhookRequest) => Effect.Effect<WebhookAnswer>
  /** What happened on a thread; on any. */
  readonly hear: (event: RuntimeEvent) => Effect.Effect<void>
  /** Events may have been missed: what is open is looked at anew. */
  readonly lookAgain: Effect.Effect<void>
}

type Trouble = Later | Refusal | StoreFailed

const settling = new Set([
  "turn.started",
  "turn.completed",
  "turn.failed",
  "turn.interrupted",
  "thread.deleted"
])
const asks = new Set(["request.opened", "request.resolved", "user-input.opened", "user-input.resolved"])

/** What its threads need is there: otherwise the first who writes would find out. */
const fits = Effect.fnUntraced(function* ({ cwd, provider }: ChannelConfig, rejoin: RejoinClient) {
  const hint = "It stands in config.json, under `channels`."
  const away = (message: string) => new Unanswered({ message })
  const { items } = yield* Effect.mapError(rejoin.providers.list(), () => away("The server does not answer."))
  const found = items.find(({ id }) => id === provider)
  if (found === undefined) return yield* new NotLetIn({ message: `There is no provider ${provider}.`, hint })
  yield* rejoin.directories
    .look({ query: { path: cwd } })
    .pipe(
      Effect.mapError((error) =>
        error._tag === "HttpClientError"
          ? away("The server does not answer.")
          : new NotLetIn({ message: error.message, hint })
      )
    )
})

/**
 * Receives, deals with what came, and answers, for as long as the scope: whatever fails is tried again, and told by
 * `info` meanwhile. Nothing is lost and nothing done twice, whenever it ends (T10 to T12).
 */
export const runChannel = Effect.fn("runChannel")(function* (
  config: ChannelConfig,
  /** Made anew where it was not let in: its token may have been replaced. */
  make: Effect.Effect<ChannelAdapter, ChannelFailure, Scope.Scope>,
  store: ChannelStore,
  rejoin: RejoinClient,
  /** Fails where another channel of ours is that account already: each would take what is the other's. */
  claim: (account: string) => Effect.Effect<void, NotLetIn, Scope.Scope>
) {
  const scope = yield* Effect.scope
  const files = yield* FileSystem.FileSystem
  const state = yield* Ref.make<State>({ state: "starting", since: yield* now })
  const become = (next: Omit<State, "since" | "lastError">) =>
    Effect.gen(function* () {
      const at = yield* now
      const before = yield* Ref.get(state)
      yield* Ref.set(state, {
        ...next,
        ...(before.lastError !== undefined && { lastError: before.lastError }),
        since: before.state === next.state ? before.since : at
      })
      yield* Metric.update(
        Metric.withAttributes(ChannelMetrics.up, { channel: config.id }),
        next.state === "up" ? 1 : 0
      )
      if (before.state !== next.state || before.reason !== next.reason)
        yield* next.state === "down"
          ? Effect.logWarning(`The channel ${config.id} is down, and is tried again: ${next.reason ?? ""}`)
          : Effect.logInfo(`The channel ${config.id} is ${next.state}.`)
    })
  const report = (problem: string) =>
    Effect.andThen(
      Ref.update(state, (before) => ({ ...before, lastError: problem })),
      Effect.logWarning(`The channel ${config.id}: ${problem}`)
    )

  /** One account of it, until it has to be made anew. */
  const live = Effect.gen(function* () {
    const life = yield* Effect.scope
    const adapter = yield* make
    const account = yield* adapter.account
    yield* claim(account.prefix)
    yield* fits(config, rejoin)
    const turnedAway = yield* Deferred.make<never, NotLetIn>()
    const lookNow = yield* Queue.sliding<void>(1)
    const channel: Channel = {
      config,
      adapter,
      store,
      rejoin,
      bot: account.name,
      report,
      wakeIn: (chat) => wakeIn(chat),
      wakeOut: (chat) => wakeOut(chat),
      lookAgain: Effect.asVoid(Queue.offer(lookNow, undefined)),
      notLetIn: (failure) => Effect.asVoid(Deferred.fail(turnedAway, failure))
    }
    const previews = makePreviews(adapter.limits.text)
    const answers = yield* makeAnswers(channel, previews)
    const asking = makeAsking(channel)
    const intake = makeIntake(channel, answers, asking)
    const wakeIn = makeRooms(
      life,
      (chat: ChatKey) => Effect.provideService(intake(chat), FileSystem.FileSystem, files),
      report
    )
    const wakeOut = makeRooms(life, makeDelivery(channel, previews), report)

    const hear = Effect.fnUntraced(function* (event: RuntimeEvent) {
      const { threadId, turnId, type } = event
      const chat = previews.hear(event)
      if (chat !== undefined) yield* wakeOut(chat)
      if (turnId === undefined) {
        if (type !== "thread.deleted") return
        if ((yield* store.unanswered(config.id)).some((part) => part.threadId === threadId)) yield* lookAgain
        return
      }
      if (!settling.has(type) && !asks.has(type)) return
      // Most turns of a server are no chat's.
      if ((yield* store.parts(config.id, turnId)).length === 0) return
      if (settling.has(type)) yield* answers.look(turnId)
      // An end withdraws what was asked.
      if (asks.has(type) || (settling.has(type) && type !== "turn.started"))
        yield* asking.look(threadId, turnId)
    })
    /** All that is open, each for itself: what cannot be looked at now does not hide the others, and is looked at again. */
    const lookOnce = Effect.gen(function* () {
      const open = [
        ...(yield* store.unanswered(config.id)).map(({ item, threadId }) => ({
          threadId,
          turnId: item as TurnId
        })),
        ...(yield* store.openAsks(config.id)).map(({ threadId, turnId }) => ({ threadId, turnId }))
      ]
      let failed = 0
      for (const { threadId, turnId } of open) {
        const looked = answers
          .look(turnId)
          .pipe(Effect.andThen(threadId === null ? Effect.void : asking.look(threadId, turnId)))
        if (Exit.isFailure(yield* Effect.exit(looked))) failed++
      }
      if (failed > 0) return yield* new Later({ message: `${failed} turns could not be looked at.` })
    })
    const looking = Effect.andThen(
      Queue.take(lookNow),
      Effect.retry(
        lookOnce,
        Schedule.min([Schedule.exponential("500 millis"), Schedule.spaced("30 seconds")])
      )
    )
    yield* Effect.forkScoped(Effect.forever(looking))
    const lookAgain = channel.lookAgain
    yield* lookAgain
    yield* Ref.set(current, { hear, lookAgain, webhook: adapter.webhook })
    yield* Effect.addFinalizer(() => Ref.set(current, undefined))
    for (const chat of yield* store.busy(config.id)) {
      yield* wakeIn(chat)
      yield* wakeOut(chat)
    }
    const receiving = adapter.receive({
      cursor: yield* store.cursor(config.id, account.prefix),
      known: store.chats(config.id),
      up: become({ state: "up", account: account.name }),
      take: makeTaking(channel, account.prefix)
    })
    return yield* Effect.raceFirst(receiving, Deferred.await(turnedAway))
  }).pipe(Effect.scoped)

  const current = yield* Ref.make<
    | {
        readonly hear: (event: RuntimeEvent) => Effect.Effect<void, Trouble>
        readonly lookAgain: Effect.Effect<void>
        readonly webhook: ChannelAdapter["webhook"]
      }
    | undefined
  >(undefined)

  let attempts = 0
  const forever = Effect.gen(function* () {
    const began = Date.parse(yield* now)
    const exit = yield* Effect.exit(live)
    if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
    const why = Option.getOrElse(Exit.findErrorOption(exit), () => ({ message: Cause.pretty(exit.cause) }))
    const { account } = yield* Ref.get(state)
    yield* become({
      state: "down",
      reason: why.message,
      ...("hint" in why && why.hint !== undefined && { hint: why.hint }),
      ...(account !== undefined && { account })
    })
    // What was up for a while begins with short pauses again.
    if (Date.parse(yield* now) - began > 60_000) attempts = 0
    yield* Effect.sleep(pauseAfter(attempts++))
  })
  yield* Effect.forkIn(Effect.forever(forever), scope)

  /** What could not be looked at is looked at again. */
  const quietly = (effect: Effect.Effect<void, Trouble>, lookAgain: Effect.Effect<void>) =>
    Effect.catchCause(effect, (cause) =>
      Effect.andThen(
        Effect.logWarning(`The channel ${config.id} could not look at what happened, and does again.`, cause),
        lookAgain
      )
    )
  const engine: Engine = {
    hear: (event) =>
      Effect.flatMap(Ref.get(current), (running) =>
        running === undefined ? Effect.void : quietly(running.hear(event), running.lookAgain)
      ),
    lookAgain: Effect.flatMap(Ref.get(current), (running) =>
      running === undefined ? Effect.void : running.lookAgain
    ),
    webhook: (request) =>
      Effect.flatMap(Ref.get(current), (running) => {
        if (running === undefined) return Effect.succeed({ status: 503, text: "" })
        return running.webhook?.(request) ?? Effect.succeed({ status: 404, text: "" })
      }),
    info: Effect.gen(function* () {
      const peers = yield* store.peers(config.id)
      return {
        id: config.id,
        kind: config.kind,
        ...(yield* Ref.get(state)),
        waiting: yield* store.waiting(config.id),
        peers: peers.length
      }
    })
  }
  return engine
})
