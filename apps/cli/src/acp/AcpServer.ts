import {
  agent,
  type AgentContext,
  ndJsonStream,
  PROTOCOL_VERSION,
  type Stream
} from "@agentclientprotocol/sdk"
import { InvalidInput } from "@rejoin/contracts/Errors"
import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Thread } from "@rejoin/contracts/Thread"
import { Effect, Exit, FileSystem, Option, Path, Schema, Scope } from "effect"
import { absolute, allThreads } from "../Addressed.ts"
import { Connection } from "../Connection.ts"
import { threadFor } from "../ThreadChoice.ts"
import { version } from "../Version.ts"
import { internal, requestError } from "./AcpFailure.ts"
import { isBegun, isWithin, lower } from "./AcpOptions.ts"
import { carryOut } from "./AcpOrders.ts"
import { orderOf, saidOf } from "./AcpPrompt.ts"
import { type AcpSession, type Front, makeSession, type Sent } from "./AcpSession.ts"

export interface AcpOptions {
  readonly provider: Option.Option<string>
  readonly mode: Option.Option<RuntimeMode>
  readonly model: Option.Option<string>
  readonly ceiling: RuntimeMode
  readonly note: (text: string) => Effect.Effect<void>
}

/** So many threads are listed at once. */
const listed = 100

const isMode = Schema.is(RuntimeMode)

/** Serves one client of the Agent Client Protocol until it goes. Its end ends nothing else: turns are the server's. */
export const serveAcp = Effect.fnUntraced(function* (stream: Stream, options: AcpOptions) {
  const { ceiling, note } = options
  const { find, open } = yield* Connection
  const services = yield* Effect.context<Connection | FileSystem.FileSystem | Path.Path>()
  const scope = yield* Scope.Scope
  const sessions = new Map<string, AcpSession>()
  const sending = new Map<string, Set<Sent>>()
  let can = { notices: false, forms: false }
  let toldOfServers = false

  const run = async <A, E>(
    effect: Effect.Effect<A, E, Connection | FileSystem.FileSystem | Path.Path>
  ): Promise<A> => {
    const exit = await Effect.runPromiseExitWith(services)(effect)
    if (Exit.isFailure(exit)) throw requestError(exit.cause)
    return exit.value
  }
  /** What a client is told of a session only after it knows of it: its answer is written by then. */
  const afterwards = <E>(effect: Effect.Effect<void, E>) => {
    setTimeout(() => void run(Effect.ignore(effect)), 0)
  }

  const session = Effect.fnUntraced(function* (client: AgentContext, id: string) {
    const known = sessions.get(id)
    if (known !== undefined) return known
    const front: Front = { client, open, find, ...can, ceiling, note }
    const made = yield* Scope.provide(makeSession(front, id), scope)
    sessions.set(id, made)
    return made
  })

  /** One that could not be opened is opened anew the next time. */
  const forgetting =
    (id: string, made: AcpSession) =>
    <A, E, R>(opening: Effect.Effect<A, E, R>) =>
      Effect.onError(opening, () =>
        Effect.sync(() => sessions.get(id) === made && !made.isBegun() && sessions.delete(id))
      )

  /** One that the client knows; after a restart of ours it may not have opened it again. */
  const opened = Effect.fnUntraced(function* (client: AgentContext, id: string) {
    const known = sessions.get(id)
    if (known !== undefined) return known
    const made = yield* session(client, id)
    yield* Effect.flatMap(made.current, ({ lastSeq }) => made.begin(lastSeq, [])).pipe(forgetting(id, made))
    return made
  })

  const threadIn = Effect.fnUntraced(function* (id: string, cwd: string) {
    const client = yield* open
    const thread = yield* client.threads.get({ params: { id } })
    // It runs where it was, whatever the client shows (law 3).
    if ((yield* absolute(cwd)) !== thread.cwd)
      return yield* new InvalidInput({
        field: "cwd",
        message: `This conversation works in ${thread.cwd}, not in ${cwd}.`,
        hint: `Open it there, or carry it over: rejoin move ${id} ${cwd}`
      })
    return thread
  })

  const aboutServers = (servers: ReadonlyArray<unknown> | undefined) => {
    if (toldOfServers || servers === undefined || servers.length === 0) return Effect.void
    toldOfServers = true
    return note(
      "The editor's MCP servers are not passed on: a thread outlives its editor. Configure them for the agent itself."
    )
  }

  const reopen = (client: AgentContext, id: string, cwd: string, replays: boolean) =>
    Effect.gen(function* () {
      yield* threadIn(id, cwd)
      const made = yield* session(client, id)
      const looked = replays ? made.replay : Effect.flatMap(open, (rejoin) => rejoin.snapshot(id))
      const { requests, seq, thread } = yield* forgetting(id, made)(looked)
      yield* made.learnModels(thread.provider)
      const chosen = yield* made.state(thread)
      afterwards(Effect.andThen(made.begin(seq, requests), made.tellModels))
      return chosen
    })

  const setMode = Effect.fnUntraced(function* (thread: Thread, mode: string) {
    if (!isMode(mode)) return yield* Effect.fail(internal(`There is no mode ${mode}.`))
    if (mode === thread.runtimeMode) return thread
    if (!isWithin(mode, ceiling))
      return yield* Effect.fail(internal(`From here at most ${ceiling} is allowed, and not ${mode}.`))
    const client = yield* open
    return yield* client.threads.update({ params: { id: thread.id }, payload: { runtimeMode: mode } })
  })

  const choose = Effect.fnUntraced(function* (thread: Thread, option: string, value: string) {
    const client = yield* open
    const params = { id: thread.id }
    switch (option) {
      case "mode":
        return yield* setMode(thread, value)
      case "model": {
        if (value === thread.model) return thread
        const { items } = yield* client.providers.models({ params: { id: thread.provider } })
        const isOwn =
          value === "default" || items.some(({ default: own, id }) => own === true && id === value)
        if (isOwn && thread.model === null) return thread
        if (!items.some(({ id }) => id === value))
          return yield* Effect.fail(internal(`${thread.provider} has no model ${value}.`))
        return yield* client.threads.update({ params, payload: { model: value } })
      }
      case "provider":
        if (value === thread.provider) return thread
        if (isBegun(thread))
          return yield* Effect.fail(
            internal(
              `This conversation is with ${thread.provider}. \`rejoin handover ${thread.id} ${value}\` lets ${value} go on with it.`
            )
          )
        yield* client.sessions.handover({
          params,
          payload: { provider: ProviderInstanceId.make(value) }
        })
        return yield* client.threads.get({ params })
      default:
        return yield* Effect.fail(internal(`There is nothing to choose by the name of ${option}.`))
    }
  })

  const connection = agent({ name: "rejoin" })
    .onRequest("initialize", ({ params: { clientCapabilities } }) => {
      can = {
        notices: clientCapabilities?.session?.notices != null,
        forms: clientCapabilities?.elicitation?.form != null
      }
      return {
        protocolVersion: PROTOCOL_VERSION,
        agentInfo: { name: "rejoin", title: "Rejoin", version },
        agentCapabilities: {
          loadSession: true,
          promptCapabilities: { image: true, embeddedContext: true },
          sessionCapabilities: { list: {}, resume: {}, delete: {}, additionalDirectories: {} }
        },
        authMethods: []
      }
    })
    .onRequest("session/new", ({ client, params: { additionalDirectories = [], cwd, mcpServers } }) =>
      run(
        Effect.gen(function* () {
          yield* aboutServers(mcpServers)
          const rejoin = yield* open
          const { defaults } = yield* rejoin.providers.list({})
          const { model, provider } = options
          const mode = lower(
            Option.getOrElse(options.mode, () => defaults.runtimeMode),
            ceiling
          )
          const { thread } = yield* threadFor(rejoin, {
            cwd: Option.some(cwd),
            mode: Option.some(mode),
            model,
            provider,
            thread: Option.none(),
            isNew: true,
            additionalDirectories
          })
          const made = yield* session(client, thread.id)
          yield* made.learnModels(thread.provider)
          const chosen = yield* made.state(thread)
          afterwards(Effect.andThen(made.begin(thread.lastSeq, []), made.tellModels))
          return { sessionId: thread.id, ...chosen }
        })
      )
    )
    .onRequest("session/load", ({ client, params: { cwd, mcpServers, sessionId } }) =>
      run(Effect.andThen(aboutServers(mcpServers), reopen(client, sessionId, cwd, true)))
    )
    .onRequest("session/resume", ({ client, params: { cwd, mcpServers, sessionId } }) =>
      run(Effect.andThen(aboutServers(mcpServers), reopen(client, sessionId, cwd, false)))
    )
    .onRequest("session/list", ({ params: { cursor, cwd } }) =>
      run(
        Effect.gen(function* () {
          const rejoin = yield* open
          const wanted = cwd == null ? undefined : yield* absolute(cwd)
          const threads = (yield* allThreads(rejoin))
            .filter((thread) => isBegun(thread) && (wanted === undefined || thread.cwd === wanted))
            .map((thread) => ({ thread, at: `${thread.lastActivityAt} ${thread.id}` }))
            .toSorted((a, b) => (a.at < b.at ? 1 : -1))
            .filter(({ at }) => cursor == null || at < cursor)
          const page = threads.slice(0, listed)
          return {
            sessions: page.map(({ thread: { cwd, id, lastActivityAt, title } }) => ({
              sessionId: id,
              cwd,
              title,
              updatedAt: lastActivityAt
            })),
            ...(threads.length > listed && { nextCursor: page.at(-1)?.at ?? null })
          }
        })
      )
    )
    .onRequest("session/delete", ({ params: { sessionId } }) =>
      run(
        Effect.gen(function* () {
          const rejoin = yield* open
          yield* rejoin.threads
            .remove({ params: { id: sessionId } })
            .pipe(Effect.catchTag("ThreadNotFound", () => Effect.void))
          return {}
        })
      )
    )
    .onRequest("session/set_mode", ({ client, params: { modeId, sessionId } }) =>
      run(
        Effect.gen(function* () {
          const made = yield* opened(client, sessionId)
          yield* setMode(yield* made.current, modeId)
          return {}
        })
      )
    )
    .onRequest("session/set_config_option", ({ client, params }) =>
      run(
        Effect.gen(function* () {
          const made = yield* opened(client, params.sessionId)
          const thread = yield* choose(yield* made.current, params.configId, String(params.value))
          yield* made.learnModels(thread.provider)
          const { configOptions } = yield* made.state(thread)
          return { configOptions }
        })
      )
    )
    .onRequest("session/prompt", ({ client, params: { prompt, sessionId }, signal }) => {
      // From now on it can be cancelled, whatever it waits for.
      const sent: Sent = { cancelled: false }
      const all = sending.get(sessionId) ?? new Set()
      sending.set(sessionId, all.add(sent))
      return run(
        Effect.gen(function* () {
          const said = yield* Effect.fromResult(saidOf(prompt))
          const made = yield* opened(client, sessionId)
          const order = orderOf(said)
          if (order !== undefined) {
            const rejoin = yield* open
            yield* made.tell(yield* carryOut(rejoin, sessionId, order))
            return { stopReason: "end_turn" as const }
          }
          return yield* made.prompt(said, signal, sent)
        })
      ).finally(() => {
        all.delete(sent)
        if (all.size === 0) sending.delete(sessionId)
      })
    })
    .onNotification("session/cancel", ({ params: { sessionId } }) => {
      for (const sent of sending.get(sessionId) ?? []) sent.cancelled = true
      return run(sessions.get(sessionId)?.cancel ?? Effect.void)
    })
    .connect(stream)
  yield* Effect.promise(() => connection.closed.catch(() => undefined))
}, Effect.scoped)

export { ndJsonStream }
