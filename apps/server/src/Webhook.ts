import type { WebhookConfig } from "@rejoin/contracts/Config"
import type { RuntimeEvent, RuntimeEventType } from "@rejoin/contracts/RuntimeEvent"
import type { Thread } from "@rejoin/contracts/Thread"
import { ThreadEvents } from "@rejoin/core/events/ThreadEvents"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { Threads } from "@rejoin/core/threads/Threads"
import { nameOf } from "@rejoin/shown/Words"
import { type Cause, Duration, Effect, FileSystem, Layer, Option, Schedule, Schema, Stream } from "effect"
import { FetchHttpClient, HttpClient, type HttpClientError, HttpClientRequest } from "effect/http"
import { createHmac } from "node:crypto"
import { Configuration } from "./Configuration.ts"
import { endOf, occasions, saidOf } from "./Occasions.ts"

/** How far it was told; of this address, since another one begins now. */
const Told = Schema.fromJsonString(Schema.Struct({ url: Schema.String, position: Schema.Int }))

const once = Duration.seconds(10)

/** Then others are told of: what waits behind it is newer. */
const patience = Duration.minutes(10)

/** `text` is what Slack and Mattermost show, `content` what Discord does. */
const bodyOf = (event: RuntimeEvent, said: string, thread: Thread) => {
  const text = `${nameOf(thread)}: ${said}`
  const { continuedBy, error } = endOf(event)
  return JSON.stringify({
    id: event.position,
    event: event.type,
    at: event.at,
    thread: { id: thread.id, title: thread.title, provider: thread.provider },
    ...(event.turnId !== undefined && { turnId: event.turnId }),
    ...(continuedBy !== undefined && { continuedBy }),
    ...(error?._tag === "UsageLimited" && { error: { _tag: error._tag, resetsAt: error.resetsAt } }),
    text,
    content: text
  })
}

/** Proves to whoever knows the secret that it is ours: HMAC-SHA256 of the body, in hex. */
export const signatureOf = (secret: string, body: string): string =>
  `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`

/**
 * Tells another program what waits for its user and what has ended (U3), one after the other, and goes on after a
 * restart where it was: each at least once, and twice only where we died between an answer and our note of it. Its `id`
 * is the same then. What nobody takes for ten minutes is logged and left out.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { file, home } = yield* Configuration
    if (file.webhook !== undefined) yield* Effect.forkScoped(telling(file.webhook, `${home}/webhook.json`))
  })
).pipe(
  Layer.provide(FetchHttpClient.layer),
  // What was sent on to somebody else was not taken.
  Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" }))
)

/** Without the address, which is a secret with many that take such things. */
const why = (error: HttpClientError.HttpClientError | Cause.TimeoutError): string => {
  if (error._tag === "TimeoutError") return "it did not answer in time"
  return error.response === undefined ? "it cannot be reached" : `it answered ${error.response.status}`
}

const telling = Effect.fn("Webhook")(
  function* ({ events, secret, url }: WebhookConfig, note: string) {
    const fs = yield* FileSystem.FileSystem
    const http = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
    const threads = yield* Threads
    const store = yield* ThreadStore
    const { follow } = yield* ThreadEvents
    const wanted = new Set<RuntimeEventType>(events ?? occasions)

    // Once, until one is taken again.
    let complained = false
    const complain = (reason: string) => {
      if (complained) return Effect.void
      complained = true
      return Effect.logWarning(`The webhook takes nothing now, and is tried again: ${reason}.`)
    }
    const post = (body: string) =>
      http
        .execute(
          HttpClientRequest.post(url).pipe(
            HttpClientRequest.bodyText(body, "application/json"),
            HttpClientRequest.setHeaders(
              secret === undefined ? {} : { "x-rejoin-signature": signatureOf(secret, body) }
            )
          )
        )
        .pipe(
          Effect.timeout(once),
          Effect.mapError(why),
          Effect.tapError(complain),
          Effect.retry({
            schedule: Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("1 minute")]).pipe(
              Schedule.upTo({ duration: patience })
            )
          })
        )
    // Where it cannot be noted, the next life tells it once more.
    const keep = (position: number) =>
      fs.writeFileString(`${note}.new`, JSON.stringify({ url, position }), { mode: 0o600 }).pipe(
        Effect.andThen(fs.rename(`${note}.new`, note)),
        Effect.catch(({ message }) =>
          Effect.logWarning(`How far the webhook was told is not noted: ${message}`)
        )
      )
    const tell = Effect.fnUntraced(function* (event: RuntimeEvent) {
      const said = saidOf(event)
      if (said === undefined || !wanted.has(event.type)) return
      // One that is deleted by now is nobody's business any more.
      const thread = yield* Effect.option(threads.get(event.threadId))
      if (Option.isNone(thread)) return
      yield* post(bodyOf(event, said, thread.value)).pipe(
        Effect.tap(() =>
          Effect.sync(() => {
            complained = false
          })
        ),
        Effect.catch((reason) =>
          Effect.logWarning(`The webhook did not take an event: ${reason}.`, { position: event.position })
        )
      )
      yield* keep(event.position)
    })

    const known = yield* fs
      .readFileString(note)
      .pipe(Effect.flatMap(Schema.decodeEffect(Told)), Effect.option)
    const isKnown = Option.isSome(known) && known.value.url === url
    const from = isKnown ? known.value.position : yield* store.lastPosition
    // Also where nothing happens before the next start.
    if (!isKnown) yield* keep(from)
    yield* Stream.runForEach(follow(undefined, from), tell)
  },
  Effect.catch((error) => Effect.logError(`The webhook has ended: ${String(error)}`))
)
