import { StoreFailed } from "@rejoin/contracts/Errors"
import type { PushTarget } from "@rejoin/contracts/Push"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Threads } from "@rejoin/core/threads/Threads"
import { brief } from "@rejoin/shown/Visible"
import { nameOf } from "@rejoin/shown/Words"
import { Context, Duration, Effect, FileSystem, Layer, Option, Schedule, Schema, Semaphore } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { Configuration } from "./Configuration.ts"
import { saidOf } from "./Occasions.ts"

const once = Duration.seconds(10)

/** Then it is left out: what waits behind it is newer. */
const patience = Duration.minutes(10)

/** In s: for so long a push service keeps it for a device that is off. */
const ttl = 24 * 60 * 60

const Keys = Schema.fromJsonString(Schema.Struct({ publicKey: Schema.String, privateKey: Schema.String }))

const asks: ReadonlySet<string> = new Set(["request.opened", "user-input.opened"])

/**
 * One message to one browser by its push service: sealed for that browser (RFC 8291), signed with our key (RFC 8292).
 * There is nothing of the conversation in it but the thread's title.
 */
export class PushDelivery extends Context.Service<
  PushDelivery,
  {
    readonly publicKey: Effect.Effect<string, StoreFailed>
    /** `gone` where the browser takes none any more. What nobody takes for ten minutes is logged and left out. */
    readonly send: (target: PushTarget, event: RuntimeEvent) => Effect.Effect<"taken" | "gone" | "left out">
  }
>()("@rejoin/server/PushDelivery") {
  static readonly layer = Layer.effect(
    PushDelivery,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { file, home } = yield* Configuration
      const threads = yield* Threads
      const http = yield* HttpClient.HttpClient
      const path = `${home}/vapid.json`
      const contact = file.push?.contact ?? "mailto:nobody@example.org"
      // Nobody who is not told needs it.
      const library = Effect.map(
        Effect.promise(() => import("web-push")),
        (module) => module.default
      )

      let own: typeof Keys.Type | undefined
      const making = yield* Semaphore.make(1)
      const keys = Effect.gen(function* () {
        if (own !== undefined) return own
        const known = yield* fs
          .readFileString(path)
          .pipe(Effect.flatMap(Schema.decodeEffect(Keys)), Effect.option)
        if (Option.isSome(known)) return (own = known.value)
        const made = (yield* library).generateVAPIDKeys()
        yield* Effect.ignore(fs.remove(path))
        yield* fs.writeFileString(path, `${JSON.stringify(made)}\n`, { mode: 0o600, flag: "wx" })
        return (own = made)
      }).pipe(
        making.withPermits(1),
        Effect.mapError(
          ({ message }) => new StoreFailed({ message: `The key for web push cannot be kept: ${message}` })
        )
      )

      const requestFor = Effect.fnUntraced(function* (
        target: PushTarget,
        event: RuntimeEvent,
        title: string
      ) {
        const payload = JSON.stringify({
          title: brief(title, 120),
          body: saidOf(event),
          thread: event.threadId,
          at: event.at
        })
        const vapidDetails = { subject: contact, ...(yield* keys) }
        const urgency = asks.has(event.type) ? "high" : "normal"
        const web = yield* library
        const made = yield* Effect.try({
          try: () =>
            web.generateRequestDetails(target, payload, {
              vapidDetails,
              TTL: ttl,
              urgency,
              contentEncoding: "aes128gcm"
            }),
          catch: (error) => new StoreFailed({ message: String(error) })
        })
        return HttpClientRequest.post(made.endpoint).pipe(
          HttpClientRequest.setHeaders(made.headers as Record<string, string>),
          HttpClientRequest.bodyUint8Array(made.body, "application/octet-stream")
        )
      })

      const send = Effect.fn("PushDelivery.send")(
        function* (target: PushTarget, event: RuntimeEvent) {
          // One that is deleted by now is nobody's business any more.
          const thread = yield* Effect.option(threads.get(event.threadId))
          if (Option.isNone(thread)) return "left out" as const
          const request = yield* requestFor(target, event, nameOf(thread.value))
          const status = yield* http.execute(request).pipe(
            Effect.timeout(once),
            Effect.flatMap(({ status }) =>
              status >= 500 || status === 429 ? Effect.fail(`it answered ${status}`) : Effect.succeed(status)
            ),
            Effect.mapError((error) => (typeof error === "string" ? error : "it cannot be reached")),
            Effect.retry({
              schedule: Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("1 minute")]).pipe(
                Schedule.upTo({ duration: patience })
              )
            })
          )
          if (status === 404 || status === 410) return "gone" as const
          if (status >= 200 && status < 300) return "taken" as const
          return yield* Effect.fail(`it answered ${status}`)
        },
        // Its address is a secret: whoever has it can send there.
        Effect.catch((error) => {
          const why = typeof error === "string" ? error : error.message
          return Effect.as(
            Effect.logWarning(`A push service did not take a message: ${why}.`),
            "left out" as const
          )
        })
      )

      return PushDelivery.of({ publicKey: Effect.map(keys, ({ publicKey }) => publicKey), send })
    })
  ).pipe(
    Layer.provide(FetchHttpClient.layer),
    Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" }))
  )
}
