import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import { known, unknown } from "@rejoin/contracts/Fact"
import { ItemId, MessageId, ProviderInstanceId, ProviderSessionId, StoreId } from "@rejoin/contracts/Ids"
import {
  Clock,
  DateTime,
  Deferred,
  Effect,
  Layer,
  Option,
  Predicate,
  Queue,
  Schema,
  Scope,
  Stream
} from "effect"
import { Timestamp } from "@rejoin/contracts/Time"
import type { OwnSession } from "../providers/OwnSessions.ts"
import { AdapterEvent } from "../providers/AdapterEvent.ts"
import { newId } from "../NewId.ts"
import { compareMark } from "../plan/Mark.ts"
import { Probe, ProbeFailure } from "../plan/Probe.ts"
import {
  type AdapterSession,
  eraseCursor,
  ProviderAdapter,
  type ProviderAdapterShape,
  SendFailure,
  type Started,
  type Starting,
  type StartRequest,
  type Verified
} from "../providers/ProviderAdapter.ts"
import type { InMemoryUpstream, UpstreamSession } from "./InMemoryUpstream.ts"
import { InMemoryTurns } from "./InMemoryTurns.ts"

const Cursor = Schema.Struct({
  v: Schema.Literal(1),
  driver: Schema.String,
  providerSessionId: Schema.Trim.check(Schema.isPattern(/^mem_\d+$/)).pipe(Schema.brand("ProviderSessionId")),
  storeId: StoreId
})
type Cursor = typeof Cursor.Type

const decodeReport = Schema.decodeUnknownOption(Schema.Struct({ session: Schema.String }))
const decode = Schema.decodeUnknownOption(Cursor)

const timeOf = (millis: number) => Timestamp.make(DateTime.formatIso(DateTime.makeUnsafe(millis)))

const ownOf = ({ createdAt, directory, id, title }: UpstreamSession): OwnSession => ({
  providerSessionId: ProviderSessionId.make(id),
  title: title.replace(/\s*\[thr_\w+\]$/, ""),
  ours: /\[thr_\w+\]$/.test(title),
  cwd: directory,
  createdAt: timeOf(createdAt),
  updatedAt: timeOf(createdAt)
})

/** Speaks for an InMemoryUpstream, and believes it no more than a real provider is believed. */
export const makeInMemoryAdapter = (
  upstream: InMemoryUpstream,
  id = "memory",
  driver = "memory"
): ProviderAdapterShape => {
  const instance = ProviderInstanceId.make(id)
  const unavailable = new ProviderUnavailable({ provider: id, message: "The in-memory provider is away." })

  const compare = ({ messages }: UpstreamSession, mark: MessageId | null) =>
    compareMark(
      messages.map(({ id }) => id),
      mark
    )

  const verify = (session: UpstreamSession, mark: MessageId | null): Verified => ({
    directory: known(session.directory, "answer"),
    mode: session.mode === undefined ? unknown("not-yet") : known(session.mode, "answer"),
    model: session.model === null ? unknown("not-told") : known(session.model, "answer"),
    history: compare(session, mark).history,
    evidence: { messages: session.messages.length }
  })

  const apply = (
    session: UpstreamSession,
    to: Pick<StartRequest, "mode" | "model"> &
      Partial<Pick<StartRequest, "additionalDirectories" | "loads" | "systemPrompt">>
  ) => {
    if (to.loads !== undefined) session.loaded = to.loads
    session.systemPrompt = to.systemPrompt ?? session.systemPrompt ?? null
    session.beside = to.additionalDirectories ?? session.beside ?? []
    const { ignoresMode, mode } = upstream.faults
    if (ignoresMode !== true) session.mode = mode ?? to.mode
    session.model = to.model ?? session.model
  }

  const connect = Effect.fnUntraced(function* (session: UpstreamSession, mark: MessageId | null) {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const events = yield* Queue.unbounded<AdapterEvent>()
    const turns = new InMemoryTurns(upstream, session, scope, (event) => Queue.offerUnsafe(events, event))
    const connection = { scope, turns }
    upstream.connect(connection)
    yield* Scope.addFinalizer(
      scope,
      Effect.suspend(() =>
        upstream.faults.holdsClose ? Deferred.await(upstream.faults.holdsClose) : Effect.void
      )
    )
    yield* Scope.addFinalizer(
      scope,
      Effect.sync(() => {
        upstream.disconnect(connection)
        Queue.offerUnsafe(
          events,
          AdapterEvent.Exited({ reason: "the in-memory provider closed the connection" })
        )
      })
    )
    const cursor: Cursor = {
      v: 1,
      driver,
      providerSessionId: ProviderSessionId.make(session.id),
      storeId: StoreId.make(upstream.storeId)
    }
    const live: AdapterSession = {
      cursor,
      events: Stream.fromQueue(events),
      send: Effect.fnUntraced(function* (turn) {
        const { failsSend } = upstream.faults
        if (failsSend !== undefined && failsSend.times > 0) {
          failsSend.times--
          if (failsSend.arrives) session.messages.push({ id: turn.messageId, input: turn.input })
          const failure = new ProviderFailed({ provider: id, message: "The connection broke while sending." })
          return yield* new SendFailure({ failure, sent: failsSend.certain === true ? "no" : "maybe" })
        }
        yield* turns.start(turn)
        return { cursor, kept: upstream.faults.limit?.does !== "forget" }
      }),
      steer: (turn) => turns.steer(turn),
      interrupt: Effect.andThen(
        turns.interrupt,
        Effect.suspend(() =>
          upstream.faults.holdsInterrupt ? Deferred.await(upstream.faults.holdsInterrupt) : Effect.void
        )
      ),
      answer: (requestId, answer) => turns.answer(requestId, answer),
      reconfigure: (to) =>
        Effect.sync(() => {
          apply(session, to)
          return verify(session, mark)
        }),
      background: Effect.sync(() => upstream.faults.background === true)
    }
    const started: Started = { session: live, verified: verify(session, mark), mark }
    return started
  })

  /** A new upstream session, written into the intent before anything else is done with it. */
  const make = (request: StartRequest, messages: UpstreamSession["messages"], as?: string): Starting =>
    Effect.gen(function* () {
      const session = upstream.create(
        {
          title: request.title,
          createdAt: yield* Clock.currentTimeMillis,
          directory: upstream.faults.directory ?? request.cwd,
          mode: undefined,
          model: null,
          messages
        },
        as
      )
      yield* request.created(ProviderSessionId.make(session.id))
      if (upstream.faults.failsAfterCreate) {
        return yield* new ProviderFailed({ provider: id, message: "The permission update failed." })
      }
      apply(session, request)
      return yield* connect(session, messages.length === 0 ? null : request.mark)
    })

  const absent = (cursor: Cursor) =>
    new ProbeFailure({ probe: Probe.NotFound({ evidence: cursor.providerSessionId }) })

  const once = (start: Starting): Starting =>
    Effect.suspend(() => {
      const { actProbe } = upstream.faults
      if (actProbe === undefined) return upstream.hold(start)
      delete upstream.faults.actProbe
      return Effect.fail(new ProbeFailure({ probe: actProbe }))
    })

  const adapter: ProviderAdapterShape<Cursor> = {
    id: instance,
    driver,
    info: Effect.sync(() => ({
      id: instance,
      driver,
      status: "ready",
      program: null,
      version: "1.0.0",
      supported: true,
      authenticated: null,
      model: null,
      dataDirectory: null,
      capabilities: upstream.capabilities
    })),
    capabilities: Effect.sync(() => upstream.capabilities),
    newMessageId: Effect.map(newId("msg"), (id) => MessageId.make(id)),
    decodeCursor: (stored) => Option.filter(decode(stored), (cursor) => cursor.driver === driver),
    encodeCursor: Schema.encodeSync(Cursor),
    probe: (cursor, { mark }) =>
      Effect.sync(() => {
        if (upstream.faults.probe) return upstream.faults.probe
        if (cursor.storeId !== upstream.storeId) {
          return Probe.WrongStore({ expected: cursor.storeId, actual: upstream.storeId })
        }
        const session = upstream.sessions.get(cursor.providerSessionId)
        if (session === undefined) return Probe.NotFound({ evidence: { id: cursor.providerSessionId } })
        const { directory, mode, model } = verify(session, mark)
        return Probe.Found({
          directory,
          mode,
          model,
          ...compare(session, mark),
          activity: session.activity,
          holder: "unknown",
          repairs: []
        })
      }),
    create: (request) => once(make(request, [])),
    adopt: (cursor, request) =>
      once(
        Effect.suspend(() => {
          const session = upstream.sessions.get(cursor.providerSessionId)
          if (session === undefined) return Effect.fail(absent(cursor))
          if (upstream.faults.directory) session.directory = upstream.faults.directory
          apply(session, request)
          return connect(session, request.mark)
        })
      ),
    relocate: {
      fork: (cursor, request) =>
        once(
          Effect.suspend(() => {
            const source = upstream.sessions.get(cursor.providerSessionId)
            if (source === undefined) return Effect.fail(absent(cursor))
            const { fork = "end" } = request
            const next = fork === "end" ? null : fork.next
            const end =
              next === null ? source.messages.length : source.messages.findIndex(({ id }) => id === next)
            if (end < 0) {
              return Effect.fail(
                new ProviderFailed({ provider: id, message: `There is no message ${next}.` })
              )
            }
            // As OpenCode does: what is carried over has other ids, in the same order.
            const kept = source.messages.slice(0, end)
            const renamed = new Map(kept.map((message) => [message.id, `${message.id}~`]))
            const carried = kept.map((message) => ({ ...message, id: `${message.id}~` }))
            const mark = request.mark === null ? undefined : renamed.get(request.mark)
            return make(
              { ...request, mark: mark === undefined ? null : MessageId.make(mark) },
              upstream.faults.forgetsOnFork ? [{ id: "other", input: "" }] : carried
            ).pipe(Effect.map((started) => ({ ...started, renamed })))
          })
        ),
      move: (cursor, request) =>
        once(
          Effect.suspend(() => {
            const session = upstream.sessions.get(cursor.providerSessionId)
            if (session === undefined) return Effect.fail(absent(cursor))
            session.directory = upstream.faults.directory ?? request.cwd
            apply(session, request)
            return connect(session, request.mark)
          })
        )
    },
    transcript: (cursor, position) =>
      Effect.sync(() => {
        const messages = upstream.sessions.get(cursor.providerSessionId)?.messages
        if (messages === undefined) return Option.none()
        const known = Predicate.isNumber(position) && position <= messages.length ? position : 0
        const pieces = messages.slice(known).map((message, i) => ({
          file: String(known + i),
          from: 0,
          data: new TextEncoder().encode(JSON.stringify(message))
        }))
        return Option.some({ pieces, position: messages.length, anew: known !== position })
      }),
    restore: ({ files, head }, request) =>
      once(
        Effect.flatMap(files, (files) => {
          const copied = [...files.values()].map(
            (data) => JSON.parse(new TextDecoder().decode(data)) as UpstreamSession["messages"][number]
          )
          const found = upstream.sessions.get(head.providerSessionId)
          // What is there, and is newer, stays (W6).
          return found !== undefined && found.messages.length >= copied.length
            ? connect(found, request.mark)
            : make(request, copied, head.providerSessionId)
        })
      ),
    compose: ({ said }, request) =>
      once(
        Effect.gen(function* () {
          const renamed = new Map<string, string>()
          const messages: Array<UpstreamSession["messages"][number]> = []
          for (const { what } of said) {
            if (what._tag !== "User") continue
            const id = MessageId.make(yield* newId("msg"))
            renamed.set(what.id, id)
            messages.push({ id, input: what.text })
          }
          const mark = MessageId.make(messages.at(-1)?.id ?? "none")
          const given = upstream.faults.forgetsOnFork ? [{ id: "other", input: "" }] : messages
          return { ...(yield* make({ ...request, mark }, given)), renamed }
        })
      ),
    own: {
      list: ({ after, cwd, limit, q }) =>
        Effect.sync(() => {
          const all = [...upstream.sessions.values()]
            .filter((session) => cwd === undefined || session.directory === cwd)
            .filter(({ title }) => q === undefined || title.includes(q))
            .reverse()
          const start = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1
          const storeId = StoreId.make(upstream.storeId)
          return { items: all.slice(start, start + limit).map(ownOf), storeId, unreadable: 0 }
        }),
      find: (id) =>
        Effect.sync(() =>
          Option.map(Option.fromUndefinedOr(upstream.sessions.get(id)), (session) => ({
            session: ownOf(session),
            cursor: {
              v: 1 as const,
              driver,
              providerSessionId: ProviderSessionId.make(id),
              storeId: StoreId.make(upstream.storeId)
            }
          }))
        ),
      history: (cursor) =>
        Effect.sync(() =>
          (upstream.sessions.get(cursor.providerSessionId)?.messages ?? []).map(({ id, input }, i) => ({
            messageId: MessageId.make(id),
            input,
            at: timeOf(i),
            items: [
              {
                id: ItemId.make(`${id}-answer`),
                kind: "assistant-message" as const,
                status: "completed" as const,
                text: `answer to ${input}`
              }
            ]
          }))
        )
    },
    isRecord: (file) => /^\d+$/.test(file),
    quiesce: (cursor) =>
      Effect.sync(() => {
        const session = upstream.sessions.get(cursor.providerSessionId)
        if (session) session.activity = "idle"
      }),
    brings: {
      find: (directory) => Effect.sync(() => upstream.brings.get(directory) ?? []),
      keepsOut: () => upstream.keepsOut
    },
    terminal: {
      command: (cursor, { flags, mode }) =>
        Effect.succeed({
          command: "memory",
          args: ["resume", cursor.providerSessionId, mode, ...flags],
          env: {}
        }),
      begin: ({ flags, mode }) =>
        Effect.succeed({ command: "memory", args: ["new", mode, ...flags], env: {}, assigned: null }),
      begun: ({ reports }) =>
        Effect.sync(() =>
          Option.map(decodeReport(reports.at(-1)), ({ session }) => ProviderSessionId.make(session))
        ),
      follow: (cursor, { reports }) =>
        Effect.sync(() => {
          const last = Option.getOrUndefined(decodeReport(reports.at(-1)))
          return last === undefined ? Option.none() : decode({ ...cursor, providerSessionId: last.session })
        })
    },
    delivered: (cursor, messageId) =>
      Effect.sync(() => {
        const session = upstream.sessions.get(cursor.providerSessionId)
        if (session === undefined) return "unknown" as const
        return session.messages.some(({ id }) => id === messageId)
          ? ("arrived" as const)
          : ("absent" as const)
      }),
    undo: ({ created, keep, titleMark, window }) =>
      Effect.suspend(() => {
        if (upstream.faults.failsUndo) return Effect.fail(unavailable)
        const marked = [...upstream.sessions.values()].filter(
          ({ createdAt, id, title }) =>
            titleMark !== null &&
            title.includes(titleMark) &&
            createdAt >= window.from &&
            createdAt <= window.to &&
            !keep.includes(ProviderSessionId.make(id))
        )
        for (const id of new Set([...created, ...marked.map(({ id }) => id)])) upstream.delete(id)
        return Effect.void
      })
  }
  return eraseCursor(adapter)
}

export const layerInMemoryAdapter = (
  upstream: InMemoryUpstream,
  id = "memory",
  driver = "memory"
): Layer.Layer<ProviderAdapter> => Layer.succeed(ProviderAdapter, makeInMemoryAdapter(upstream, id, driver))

/** The cursor that such an adapter writes, for tests that plant one. */
export const inMemoryCursor = (upstream: InMemoryUpstream, id: string) => ({
  v: 1,
  driver: "memory",
  providerSessionId: id,
  storeId: upstream.storeId
})
