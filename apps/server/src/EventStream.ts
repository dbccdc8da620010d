import { InvalidInput, type StoreFailed, type ThreadNotFound } from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { ThreadEvents } from "@rejoin/core/events/ThreadEvents"
import { Threads } from "@rejoin/core/threads/Threads"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { Caller } from "./Caller.ts"
import { Devices } from "./Devices.ts"
import { Context, Deferred, Duration, Effect, Layer, Schedule, Stream } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"

const encoder = new TextEncoder()

const frame = (event: string, data: unknown, id?: number) =>
  encoder.encode(`${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)

const connected = encoder.encode(": connected\n\n")

const heartbeat = encoder.encode(": heartbeat\n\n")

// One event goes to many readers: it is encoded once for those of a thread and once for those of all.
const bySeq = new WeakMap<RuntimeEvent, Uint8Array>()
const byPosition = new WeakMap<RuntimeEvent, Uint8Array>()

const encoded = (cache: WeakMap<RuntimeEvent, Uint8Array>, event: RuntimeEvent, id: number): Uint8Array => {
  const bytes = cache.get(event) ?? frame(event.type, event, id)
  cache.set(event, bytes)
  return bytes
}

/** Server-sent events: a snapshot first, or a replay after `Last-Event-ID`; then what happens, with heartbeats. */
export class EventStream extends Context.Service<
  EventStream,
  {
    readonly ofThread: (
      id: ThreadId
    ) => Effect.Effect<
      HttpServerResponse.HttpServerResponse,
      ThreadNotFound | StoreFailed | InvalidInput,
      HttpServerRequest.HttpServerRequest
    >
    readonly ofAll: Effect.Effect<
      HttpServerResponse.HttpServerResponse,
      StoreFailed | InvalidInput,
      HttpServerRequest.HttpServerRequest
    >
    /** Ends every open stream: a server that stops does not wait for its readers. */
    readonly close: Effect.Effect<void>
  }
>()("@rejoin/server/EventStream") {
  static readonly layer = Layer.effect(
    EventStream,
    Effect.gen(function* () {
      const events = yield* ThreadEvents
      const threads = yield* Threads
      const store = yield* ThreadStore
      const devices = yield* Devices
      const closing = yield* Deferred.make<void>()

      const respond = Effect.fnUntraced(function* (frames: Stream.Stream<Uint8Array, StoreFailed>) {
        const device = yield* Caller
        const revoked = device === undefined ? Effect.never : devices.awaitRevoked(device.id)
        const beats = Stream.fromSchedule(Schedule.spaced(Duration.seconds(15))).pipe(
          Stream.map(() => heartbeat)
        )
        return HttpServerResponse.stream(
          // Headers go out with the first bytes: a reader that is up to date must not wait for them.
          Stream.concat(Stream.make(connected), frames).pipe(
            Stream.catch((error) => Stream.make(frame("warning", { message: error.message }))),
            Stream.merge(beats, { haltStrategy: "left" }),
            Stream.interruptWhen(Effect.raceFirst(Deferred.await(closing), revoked))
          ),
          {
            contentType: "text/event-stream",
            headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
          }
        )
      })

      const lastEventId = Effect.gen(function* () {
        const { headers } = yield* HttpServerRequest.HttpServerRequest
        const given = headers["last-event-id"]
        if (given === undefined) return undefined
        const id = Number(given)
        if (Number.isSafeInteger(id) && id >= 0) return id
        return yield* new InvalidInput({
          field: "Last-Event-ID",
          message: "Last-Event-ID is the id of an event."
        })
      })

      const ofThread = Effect.fn("EventStream.ofThread")(function* (id: ThreadId) {
        const after = yield* lastEventId
        const rest = (seq: number) =>
          events.follow(id, seq).pipe(
            // Nothing comes after it.
            Stream.takeUntil(({ type }) => type === "thread.deleted"),
            Stream.map((event) => encoded(bySeq, event, event.seq))
          )
        // An id that is ahead of us is of another database: it is told what is here.
        if (after !== undefined && after <= (yield* threads.record(id)).lastSeq)
          return yield* respond(rest(after))
        const snapshot = yield* threads.snapshot(id, 200)
        const seq = snapshot.thread.lastSeq
        return yield* respond(
          Stream.concat(Stream.make(frame("snapshot", { seq, ...snapshot }, seq)), rest(seq))
        )
      })

      const ofAll = Effect.gen(function* () {
        const after = yield* lastEventId
        const rest = (position: number) =>
          Stream.map(events.follow(undefined, position), (event) =>
            encoded(byPosition, event, event.position)
          )
        yield* events.flush
        const position = yield* store.lastPosition
        if (after !== undefined && after <= position) return yield* respond(rest(after))
        const { items, next } = yield* threads.list({ limit: 500 })
        return yield* respond(
          Stream.concat(
            Stream.make(frame("snapshot", { position, threads: items, ...(next && { next }) }, position)),
            rest(position)
          )
        )
      })

      const close = Effect.asVoid(Deferred.succeed(closing, undefined))
      return EventStream.of({ ofThread, ofAll, close })
    })
  )
}
