import type {
  AgentContext,
  PromptResponse,
  SessionConfigOption,
  SessionModeState,
  SessionUpdate
} from "@agentclientprotocol/sdk"
import type { RejoinClient } from "@rejoin/client/Client"
import { everything } from "@rejoin/client/Pages"
import type { Item } from "@rejoin/contracts/Item"
import type { ProviderInfo, ProviderModel } from "@rejoin/contracts/Provider"
import { PendingRequest } from "@rejoin/contracts/Request"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Thread } from "@rejoin/contracts/Thread"
import { isSettled, type Turn } from "@rejoin/contracts/Turn"
import { Deferred, Effect, FiberHandle, FiberSet, Option, Schedule, Schema, Semaphore, Stream } from "effect"
import { followBy } from "../Following.ts"
import type { ServerAway } from "../ServerAway.ts"
import { ask } from "./AcpAsking.ts"
import { failureText, internal } from "./AcpFailure.ts"
import { isWithin, modesOf, optionsOf } from "./AcpOptions.ts"
import { commands, type Said } from "./AcpPrompt.ts"
import { AcpTeller } from "./AcpTeller.ts"
import { endOfAsk, startOf } from "./AcpUpdates.ts"

/** One client of the protocol, and our way to the server. */
export interface Front {
  readonly client: AgentContext
  /** Starts a server where none runs. */
  readonly open: Effect.Effect<RejoinClient, ServerAway>
  readonly find: Effect.Effect<RejoinClient, ServerAway>
  /** What the client can show. */
  readonly notices: boolean
  readonly forms: boolean
  /** The highest mode in which anything is said from here. */
  readonly ceiling: RuntimeMode
  readonly note: (text: string) => Effect.Effect<void>
}

const aborted = (signal: AbortSignal) =>
  Effect.callback<void>((resume) => {
    const end = () => resume(Effect.void)
    signal.addEventListener("abort", end)
    if (signal.aborted) end()
    return Effect.sync(() => signal.removeEventListener("abort", end))
  })

/** A message on its way: that it is not wanted any more may be said before there is a turn. */
export interface Sent {
  cancelled: boolean
}

/** How long a message waits for a server that is away. What was accepted is kept there. */
const patience = "2 minutes"

const withRequest = Schema.decodeUnknownOption(Schema.Struct({ request: PendingRequest }))
const withId = Schema.decodeUnknownOption(Schema.Struct({ id: Schema.String }))

/** A thread as one client sees it. Ends with its scope, and nothing of the thread with it. */
export const makeSession = Effect.fnUntraced(function* (front: Front, id: string) {
  const params = { id }
  // Everything that the client is told of this session goes through here, one after the other.
  const lock = Semaphore.makeUnsafe(1)
  const following = yield* FiberHandle.make<void>()
  const waiting = yield* FiberHandle.make<void>()
  const asks = yield* FiberSet.make<void>()
  const said = new Set<string>()
  const prompts = new Map<string, Deferred.Deferred<Turn, Error>>()
  const asking = new Map<string, AbortController>()
  let teller = new AcpTeller(front.notices)
  let thread: Thread | undefined
  let begun = false
  let providers: ReadonlyArray<ProviderInfo> = []
  /** Of the agent that the thread had when they were asked for. */
  let known: { readonly provider: string; readonly models: ReadonlyArray<ProviderModel> } | undefined

  const tell = (updates: ReadonlyArray<SessionUpdate>) =>
    Effect.forEach(
      updates,
      (update) =>
        // A client that has gone is told nothing: that ends us elsewhere.
        Effect.promise(() =>
          front.client.notify("session/update", { sessionId: id, update }).catch(() => undefined)
        ),
      { discard: true }
    )

  const current = Effect.gen(function* () {
    const client = yield* front.open
    thread = yield* client.threads.get({ params })
    return thread
  })

  /** What can be chosen, as it is now. */
  const state = Effect.fnUntraced(function* (of: Thread) {
    thread = of
    if (providers.length === 0) {
      const client = yield* front.open
      providers = (yield* client.providers.list({})).items
    }
    const models = known?.provider === of.provider ? known.models : undefined
    const choices = { thread: of, ceiling: front.ceiling, providers, models }
    const chosen: { modes: SessionModeState; configOptions: Array<SessionConfigOption> } = {
      modes: modesOf(choices),
      configOptions: optionsOf(choices)
    }
    return chosen
  })

  /** Tells what has changed of it, by whomever. */
  const refresh = Effect.gen(function* () {
    const before = thread
    const client = yield* front.find
    const now = yield* client.threads.get({ params })
    const { configOptions, modes } = yield* state(now)
    const isNew = before === undefined
    if (isNew || before.title !== now.title)
      yield* tell([{ sessionUpdate: "session_info_update", title: now.title, updatedAt: now.lastActivityAt }])
    if (isNew || before.runtimeMode !== now.runtimeMode)
      yield* tell([{ sessionUpdate: "current_mode_update", currentModeId: modes.currentModeId }])
    const isSame =
      before?.runtimeMode === now.runtimeMode &&
      before.model === now.model &&
      before.provider === now.provider &&
      before.session.state === now.session.state
    if (!isSame) yield* tell([{ sessionUpdate: "config_option_update", configOptions }])
  }).pipe(Effect.ignore)

  const settle = Effect.fnUntraced(function* (turnId: string) {
    const prompt = prompts.get(turnId)
    if (prompt === undefined) return
    const turn = yield* front.find.pipe(
      Effect.flatMap((client) => client.turns.get({ params: { id, turnId }, query: {} })),
      Effect.retry({ schedule: Schedule.spaced("500 millis"), times: 20 }),
      Effect.result
    )
    if (turn._tag === "Failure") yield* Deferred.fail(prompt, internal(turn.failure.message))
    else if (isSettled(turn.success.status)) yield* Deferred.succeed(prompt, turn.success)
  })

  const opened = (request: PendingRequest) => {
    if (asking.has(request.id)) return Effect.void
    const elsewhere = new AbortController()
    asking.set(request.id, elsewhere)
    const asked = Effect.ensuring(
      ask(front, request, elsewhere.signal),
      Effect.sync(() => asking.get(request.id) === elsewhere && asking.delete(request.id))
    )
    return Effect.asVoid(FiberSet.run(asks, asked))
  }

  const onEvent = (event: RuntimeEvent) =>
    lock.withPermit(
      Effect.gen(function* () {
        const { data, turnId, type } = event
        yield* tell(teller.event(event, turnId !== undefined && said.has(turnId)))
        switch (type) {
          case "request.opened":
          case "user-input.opened": {
            const request = Option.getOrUndefined(withRequest(data))?.request
            if (request !== undefined) yield* opened(request)
            break
          }
          case "request.resolved":
          case "user-input.resolved": {
            const resolved = Option.getOrUndefined(withId(data))?.id
            // Whoever answered, here it is not asked any more.
            if (resolved !== undefined) {
              asking.get(resolved)?.abort()
              // A client may show what is asked as work, which is to end.
              yield* tell(endOfAsk(resolved, data))
            }
            break
          }
          case "thread.updated":
          case "turn.started":
            yield* refresh
            break
          case "turn.completed":
          case "turn.failed":
          case "turn.interrupted":
            if (turnId !== undefined) yield* settle(turnId)
            break
          default:
        }
      })
    )

  /** A prompt does not wait for ever, and what it was about is not lost by that. */
  const giveUp = Effect.sleep(patience).pipe(
    Effect.andThen(
      Effect.suspend(() =>
        Effect.forEach(
          [...prompts.values()],
          (prompt) =>
            Deferred.fail(
              prompt,
              internal(
                "The server has been away for too long. What you said is kept by it: it goes on, or tells why not, when it is back."
              )
            ),
          { discard: true }
        )
      )
    )
  )

  const follow = (after: number) =>
    followBy(id, after, {
      // While nothing waits here, a server that was ended on purpose is left so.
      find: Effect.suspend(() => (prompts.size > 0 ? front.open : front.find)),
      onAway: Effect.asVoid(FiberHandle.run(waiting, giveUp)),
      onBack: FiberHandle.clear(waiting)
    }).pipe(
      Stream.runForEach(onEvent),
      Effect.catch((error) =>
        Effect.gen(function* () {
          yield* front.note(`Thread ${id}: ${error.message}`)
          yield* Effect.forEach(
            [...prompts.values()],
            (prompt) => Deferred.fail(prompt, internal("The thread is there no more.")),
            { discard: true }
          )
        })
      ),
      (followed) => FiberHandle.run(following, followed)
    )

  /** From here on the client is told what happens: after it knows of the session, or it would not know whose that is. */
  const begin = (after: number, pending: ReadonlyArray<PendingRequest>) =>
    Effect.gen(function* () {
      yield* lock.withPermit(
        Effect.gen(function* () {
          yield* tell([
            { sessionUpdate: "available_commands_update", availableCommands: [...commands] },
            ...(thread === undefined || thread.title === ""
              ? []
              : [{ sessionUpdate: "session_info_update" as const, title: thread.title }])
          ])
          // Another look at it asks again what is not answered.
          for (const controller of asking.values()) controller.abort()
          asking.clear()
          yield* Effect.forEach(pending, opened, { discard: true })
        })
      )
      yield* follow(after)
      begun = true
      // What was settled before anybody listened again.
      yield* lock.withPermit(Effect.forEach([...prompts.keys()], settle, { discard: true }))
    })

  /** The agent's models, once it has told them: a start of the agent is not waited for. */
  const tellModels = Effect.gen(function* () {
    const client = yield* front.find
    const of = thread
    if (of === undefined || known?.provider === of.provider) return
    const { items } = yield* client.providers.models({ params: { id: of.provider } })
    known = { provider: of.provider, models: items }
    yield* lock.withPermit(
      Effect.flatMap(state(of), ({ configOptions }) =>
        tell([{ sessionUpdate: "config_option_update", configOptions }])
      )
    )
  }).pipe(Effect.ignore)

  /** All that was said and done, from the beginning, and where the conversation was not the same any more. */
  const replay = lock.withPermit(
    Effect.gen(function* () {
      const client = yield* front.open
      const snapshot = yield* client.snapshot(id)
      thread = snapshot.thread
      const earlier: Array<ReadonlyArray<Item>> = []
      for (let before: string | undefined = snapshot.items[0]?.id; before !== undefined;) {
        const page = yield* client.threads.items({ params, query: { before, limit: 500 } })
        if (page.items.length === 0) break
        earlier.unshift(page.items)
        before = page.items[0]?.id
      }
      const receipts = yield* everything((query) => client.threads.receipts({ params, query }))
      const starts = new Map(receipts.toReversed().map((receipt) => [receipt.turnId, receipt]))
      // All of it was read: only now nobody follows any more. Meanwhile nothing was told that would be told again.
      yield* FiberHandle.clear(following)
      teller = new AcpTeller(front.notices)
      yield* Effect.forEach(
        [...earlier.flat(), ...snapshot.items],
        (item) => {
          const start = starts.get(item.turnId)
          starts.delete(item.turnId)
          return tell([...(start === undefined ? [] : startOf(start)), ...teller.item(item)])
        },
        { discard: true }
      )
      return snapshot
    })
  )

  const interrupt = (turnId: string) =>
    Effect.gen(function* () {
      const client = yield* front.find
      yield* client.turns.interrupt({ params: { id, turnId } })
    }).pipe(
      Effect.catch(({ message }) => front.note(`The turn could not be ended: ${message}`)),
      Effect.asVoid
    )

  /** What this client has asked for here ends; what others have asked for does not. */
  const cancel = Effect.suspend(() => Effect.forEach([...prompts.keys()], interrupt, { discard: true }))

  /** Says something, and ends when its turn has: by then the client has been told all of it. */
  const prompt = Effect.fnUntraced(function* ({ attachments, input }: Said, signal: AbortSignal, sent: Sent) {
    const { runtimeMode } = yield* current
    if (!isWithin(runtimeMode, front.ceiling))
      return yield* Effect.fail(
        internal(
          `This thread is ${runtimeMode}, and from here at most ${front.ceiling} is allowed. Choose a lower mode first.`
        )
      )
    // With its key the same turn is sent once, however often the way to the server breaks.
    const idempotencyKey = yield* Effect.sync(() => globalThis.crypto.randomUUID())
    // Nothing of it is told before it is known whose it is.
    const { settled, turn } = yield* lock.withPermit(
      Effect.gen(function* () {
        const turn = yield* front.open.pipe(
          Effect.flatMap((client) =>
            client.turns.send({
              params,
              payload: { input, idempotencyKey, ...(attachments.length > 0 && { attachments }) }
            })
          ),
          Effect.retry({
            while: ({ _tag }) =>
              _tag === "HttpClientError" || _tag === "ServerAway" || _tag === "StoreUnavailable",
            schedule: Schedule.spaced("500 millis"),
            times: 20
          })
        )
        const settled = Deferred.makeUnsafe<Turn, Error>()
        said.add(turn.id)
        prompts.set(turn.id, settled)
        if (isSettled(turn.status)) yield* Deferred.succeed(settled, turn)
        return { settled, turn }
      })
    )
    if (sent.cancelled) yield* interrupt(turn.id)
    const { error, status } = yield* Deferred.await(settled).pipe(
      Effect.raceFirst(Effect.andThen(aborted(signal), Effect.andThen(interrupt(turn.id), Effect.never))),
      Effect.ensuring(Effect.sync(() => prompts.delete(turn.id)))
    )
    if (status === "failed" || (status === "interrupted" && error !== undefined))
      return yield* Effect.fail(internal(failureText(error ?? { message: "The turn failed." })))
    const response: PromptResponse = {
      stopReason: status === "interrupted" ? "cancelled" : "end_turn",
      _meta: { rejoin: { turnId: turn.id } }
    }
    return response
  })

  /** What can be chosen is to be told with the session: some clients look at nothing that comes later. */
  const learnModels = Effect.fnUntraced(function* (provider: string) {
    if (known?.provider === provider) return
    const client = yield* front.open
    const told = yield* client.providers
      .models({ params: { id: provider } })
      .pipe(Effect.timeoutOption("4 seconds"), Effect.option)
    const models = Option.getOrUndefined(Option.flatten(told))?.items
    if (models !== undefined) known = { provider, models }
  })

  return {
    isBegun: () => begun,
    learnModels,
    begin,
    cancel,
    current,
    prompt,
    replay,
    state,
    tell,
    tellModels
  }
})

export type AcpSession = Effect.Success<ReturnType<typeof makeSession>>
