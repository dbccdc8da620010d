import { InvalidInput, StoreFailed, TooManyRequests } from "@rejoin/contracts/Errors"
import { type PushSubscription, PushTarget, QuietHours } from "@rejoin/contracts/Push"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { now, Timestamp } from "@rejoin/contracts/Time"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { ThreadEvents } from "@rejoin/core/events/ThreadEvents"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { Clock, Context, Effect, FiberMap, Layer, Schedule, Schema, Stream } from "effect"
import { createHash } from "node:crypto"
import { Configuration } from "./Configuration.ts"
import { makeKept } from "./KeptFile.ts"
import { saidOf } from "./Occasions.ts"
import { PushDelivery } from "./PushDelivery.ts"
import { quietFor } from "./QuietHours.ts"

const most = 50

/** In ms. Clocks are set, and machines sleep: so often the quiet hours are looked at. */
const lookEvery = 60_000

/** Of the browsers that there are. Whoever subscribes names an address to which we post: so it must be one of these. */
const services = [
  /^https:\/\/fcm\.googleapis\.com$/,
  /^https:\/\/([\w-]+\.)?push\.services\.mozilla\.com$/,
  /^https:\/\/([\w-]+\.)?push\.apple\.com$/,
  /^https:\/\/([\w-]+\.)+notify\.windows\.com$/
]

const Entry = Schema.Struct({
  ...PushTarget.fields,
  id: Schema.String,
  /** The device whose it is; null for the owner's own browser. */
  device: Schema.NullOr(Schema.String),
  quiet: Schema.optionalKey(QuietHours),
  since: Timestamp,
  /** Of the last event that it was told of. */
  position: Schema.Int
})
type Entry = typeof Entry.Type

const shown = ({ endpoint, id, quiet, since }: Entry): PushSubscription => ({
  id,
  service: new URL(endpoint).host,
  ...(quiet && { quiet }),
  since
})

type Owner = string | null

/**
 * Web push (U3): what waits for its user and what has ended, told on a device whose page is closed. Each subscription is
 * told on its own, in order, from where it was, also after a restart. In its quiet hours nothing is; behind them the last
 * word of each thread.
 */
export class Push extends Context.Service<
  Push,
  {
    /** VAPID, in base64url; made once. */
    readonly publicKey: Effect.Effect<string, StoreFailed>
    readonly list: (of: Owner) => Effect.Effect<ReadonlyArray<PushSubscription>>
    readonly subscribe: (
      of: Owner,
      target: PushTarget,
      quiet: QuietHours | undefined
    ) => Effect.Effect<PushSubscription, InvalidInput | StoreFailed | TooManyRequests>
    readonly unsubscribe: (of: Owner, id: string) => Effect.Effect<void, StoreFailed>
    /** All of a device that is revoked. */
    readonly forget: (device: string) => Effect.Effect<void>
  }
>()("@rejoin/server/Push") {
  static readonly layer = Layer.effect(
    Push,
    Effect.gen(function* () {
      const file = yield* makeKept("push", Entry)
      const delivery = yield* PushDelivery
      const events = yield* ThreadEvents
      const store = yield* ThreadStore
      const configured = (yield* Configuration).file.push?.services ?? []
      const telling = yield* FiberMap.make<string>()

      const change = (next: Parameters<typeof file.change>[0]) =>
        Effect.mapError(
          file.change(next),
          ({ message }) => new StoreFailed({ message: `The subscription cannot be kept: ${message}` })
        )
      const remove = (matches: (entry: Entry) => boolean) =>
        Effect.gen(function* () {
          for (const entry of (yield* file.read).filter(matches)) yield* FiberMap.remove(telling, entry.id)
          yield* change((all) => all.filter((entry) => !matches(entry)))
        })

      /** What an approval waits for may be settled by now. */
      const stillAsks = Effect.fnUntraced(function* ({ threadId, type }: RuntimeEvent) {
        if (type !== "request.opened" && type !== "user-input.opened") return true
        return (yield* store.listRequests(threadId)).length > 0
      })

      /** The last word of each thread after a position, and where they end. */
      const since = Effect.fnUntraced(function* (position: number) {
        const last = new Map<ThreadId, RuntimeEvent>()
        for (let after = position; ;) {
          const found = yield* store.readEvents({ afterPosition: after }, 500)
          for (const event of found) if (saidOf(event) !== undefined) last.set(event.threadId, event)
          after = found.at(-1)?.position ?? after
          if (found.length < 500) return { events: [...last.values()], position: after }
        }
      })

      const tell = Effect.fn("Push.tell")(function* (entry: Entry) {
        const kept = (yield* file.read).find(({ id }) => id === entry.id)
        let { position } = kept ?? entry
        const keep = (next: number) => {
          position = next
          return Effect.catch(
            change((all) => all.map((one) => (one.id === entry.id ? { ...one, position: next } : one))),
            ({ message }) => Effect.logWarning(message)
          )
        }
        const send = Effect.fnUntraced(function* (event: RuntimeEvent) {
          if (!(yield* stillAsks(event))) return true
          const outcome = yield* delivery.send(entry, event)
          if (outcome !== "gone") return true
          // Its browser has ended it.
          yield* Effect.forkDetach(Effect.ignore(remove(({ id }) => id === entry.id)))
          return false
        })
        const isQuiet = Effect.map(Clock.currentTimeMillis, (at) =>
          entry.quiet === undefined ? 0 : quietFor(entry.quiet, at)
        )
        /** After the quiet hours, and after a restart: what was missed, by its last word. */
        const catchUp = Effect.gen(function* () {
          for (let wait = yield* isQuiet; wait > 0; wait = yield* isQuiet)
            yield* Effect.sleep(Math.min(wait, lookEvery))
          const missed = yield* since(position)
          for (const one of missed.events) if (!(yield* send(one))) return
          if (missed.position > position) yield* keep(missed.position)
        })
        yield* catchUp
        yield* events.follow(undefined, position).pipe(
          Stream.runForEach(
            Effect.fnUntraced(function* (event) {
              if (event.position <= position || saidOf(event) === undefined) return
              if ((yield* isQuiet) > 0) return yield* catchUp
              if (yield* send(event)) yield* keep(event.position)
            })
          )
        )
      })
      const run = (entry: Entry) =>
        FiberMap.run(
          telling,
          entry.id,
          // It goes on where it was: what failed may pass.
          Effect.suspend(() => tell(entry)).pipe(
            Effect.tapError((error) =>
              Effect.logWarning("A subscription is told nothing for a minute.", error)
            ),
            Effect.retry(Schedule.spaced("1 minute")),
            Effect.catchCause((cause) => Effect.logError("A subscription is told no more.", cause))
          )
        )
      for (const entry of yield* file.read) yield* run(entry)

      const isService = (endpoint: string): boolean => {
        const { origin } = new URL(endpoint)
        return configured.includes(origin) || services.some((service) => service.test(origin))
      }

      return Push.of({
        publicKey: delivery.publicKey,
        list: (of) => Effect.map(file.read, (all) => all.filter(({ device }) => device === of).map(shown)),
        subscribe: Effect.fn("Push.subscribe")(function* (of, { endpoint, keys }, quiet) {
          if (!isService(endpoint)) {
            return yield* new InvalidInput({
              field: "endpoint",
              message: "That is no push service that is known here.",
              hint: "The operator can name others: push.services in config.json."
            })
          }
          const all = yield* file.read
          const id = createHash("sha256").update(endpoint).digest("hex").slice(0, 32)
          const known = all.find((entry) => entry.id === id)
          if (known === undefined && all.length >= most)
            return yield* new TooManyRequests({ message: `There are ${most} subscriptions already.` })
          const entry: Entry = {
            id,
            device: of,
            endpoint,
            keys,
            ...(quiet && { quiet }),
            since: known?.since ?? (yield* now),
            position: known?.position ?? (yield* store.lastPosition)
          }
          yield* change((all) => [...all.filter(({ id }) => id !== entry.id), entry])
          yield* run(entry)
          return shown(entry)
        }),
        unsubscribe: (of, id) => remove((entry) => entry.id === id && entry.device === of),
        forget: (device) =>
          Effect.catch(
            remove((entry) => entry.device === device),
            ({ message }) => Effect.logWarning(message)
          )
      })
    })
  )
}
