import { Authorization, SchemaErrors, StoreAway } from "@rejoin/contracts/api/Guards"
import {
  InvalidInput,
  OriginNotAllowed,
  PayloadTooLarge,
  StoreFailed,
  StoreUnavailable,
  ThreadOwnedElsewhere,
  TooManyRequests,
  Unauthorized
} from "@rejoin/contracts/Errors"
import { ByteSize, Effect, Layer, Option, Redacted } from "effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiMiddleware } from "effect/http-api"
import { allowMode, Caller, ownersAlone } from "./Caller.ts"
import { type Needs, needsOf } from "./DeviceLimits.ts"
import { Devices } from "./Devices.ts"
import type { Device } from "@rejoin/contracts/Device"
import { ThreadId } from "@rejoin/contracts/Ids"
import { Threads } from "@rejoin/core/threads/Threads"
import { makeAttemptLimit } from "./AttemptLimit.ts"
import { Configuration } from "./Configuration.ts"
import { hostsOf } from "./Hosts.ts"
import { Secure } from "./Secure.ts"
import { Token } from "./Token.ts"

const unknownToken = new Unauthorized({
  message: "The bearer token is missing or wrong.",
  hint: "The server prints at its start where its token is."
})

/** The bearer token, or a device's. Too many wrong ones within a minute are answered 429 until it is over; the right one passes. */
export const layerAuthorization = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const token = yield* Token
    const devices = yield* Devices
    const threads = yield* Threads
    const limit = makeAttemptLimit()
    /** Looked at before the request is read: what a device may not do it does not do by being odd. */
    const admit = Effect.fnUntraced(function* (device: Device, needs: Needs) {
      if (needs === "owner") return yield* ownersAlone(device)
      if (needs === "read") return
      const { params } = yield* HttpRouter.RouteContext
      // One that is not there is refused as any other; one that cannot be read is not let through.
      const thread = yield* threads.record(ThreadId.make(params["id"] ?? "")).pipe(
        Effect.asSome,
        Effect.catchTag("ThreadNotFound", () => Effect.succeedNone),
        Effect.orDie
      )
      if (Option.isNone(thread)) return
      yield* Effect.provideService(allowMode(thread.value.runtimeMode), Caller, device)
    })
    return Authorization.of({
      bearer: Effect.fnUntraced(function* (handler, { credential, endpoint, group }) {
        if (token.matches(Redacted.value(credential))) return yield* handler
        const device = yield* devices.owning(Redacted.value(credential))
        if (device !== undefined) {
          yield* admit(device, needsOf(group.identifier, endpoint.identifier))
          // What it waits for when it is revoked it gets no more.
          const out = Effect.flatMap(devices.awaitRevoked(device.id), () => Effect.fail(unknownToken))
          return yield* Effect.raceFirst(Effect.provideService(handler, Caller, device), out)
        }
        if (yield* limit.exceeded) {
          return yield* new TooManyRequests({
            message: "Too many wrong tokens.",
            hint: "Try again in a minute."
          })
        }
        return yield* unknownToken
      })
    })
  })
)

/** A request that does not fit its schema is an InvalidInput that says where. */
export const layerSchemaErrors = HttpApiMiddleware.layerSchemaErrorTransform(SchemaErrors, (error) =>
  Effect.fail(new InvalidInput({ field: error.kind.toLowerCase(), message: error.cause.message }))
)

/** A database that is away is told as that, and by a status that says: again, later. So is a thread of another machine's. */
export const layerStoreAway = Layer.succeed(StoreAway, (handler) =>
  Effect.mapError(handler, (failure) => {
    const error: unknown = failure
    if (!(error instanceof StoreFailed)) return failure
    const { elsewhere: machine, hint, message } = error
    if (machine !== undefined) return new ThreadOwnedElsewhere({ machine, message, ...(hint && { hint }) })
    if (error.away !== true) return failure
    return new StoreUnavailable({
      message,
      hint: "Send it again when it answers, with the same idempotencyKey where there is one."
    })
  })
)

const refuse = (error: OriginNotAllowed | PayloadTooLarge | InvalidInput, status: number) =>
  HttpServerResponse.jsonUnsafe({ ...error, _tag: error._tag, message: error.message }, { status })

/** What the router itself answers is text. */
const unknownType = new InvalidInput({
  field: "content-type",
  message: "A body of this type is not taken here.",
  hint: "Send application/json."
})

/** It is read line by line, and counted there. */
const isImport = (url: string) => url.split("?")[0] === "/api/threads/import"

const maxBodyBytes = 24 * 1024 * 1024

/**
 * For every route: Host and Origin must be this server's own, with its port, or another page's script could reach us
 * through a name that it points at loopback (DNS rebinding).
 */
export const layerOriginGuard = HttpRouter.middleware(
  Effect.gen(function* () {
    const server = yield* HttpServer.HttpServer
    const { host, hosts } = yield* Configuration
    const secure = yield* Secure
    const port = "port" in server.address ? server.address.port : 0
    // A renewed certificate may have other names.
    let names = secure.names()
    let own = hostsOf({ host, port, listed: [...hosts, ...names] })
    const current = () => {
      if (secure.names() === names) return own
      names = secure.names()
      own = hostsOf({ host, port, listed: [...hosts, ...names] })
      return own
    }
    return (handler) =>
      Effect.gen(function* () {
        const { headers, url } = yield* HttpServerRequest.HttpServerRequest
        const { "content-length": length, host, origin } = headers
        const { isHost, isOrigin } = current()
        if (host === undefined || !isHost(host)) {
          const message = "The Host header is not this server's own."
          const hint = "The operator can allow other names: REJOIN_HOSTS, separated by commas."
          return refuse(new OriginNotAllowed({ message, hint }), 403)
        }
        if (origin !== undefined && !isOrigin(origin)) {
          return refuse(new OriginNotAllowed({ message: "The Origin header is not this server's own." }), 403)
        }
        // In no id and no name, and PostgreSQL takes it nowhere.
        if (/%00/.test(url)) {
          const message = "There is a NUL in this address."
          return refuse(new InvalidInput({ field: "path", message }), 400)
        }
        if (Number(length ?? 0) > maxBodyBytes && !isImport(url)) {
          return refuse(
            new PayloadTooLarge({
              message: `A request may have ${maxBodyBytes / 1024 / 1024} MB at most; files that go with a message some 18 MB together.`
            }),
            413
          )
        }
        // A body without a length is counted while it is read.
        const response = yield* Effect.provideService(
          handler,
          HttpServerRequest.MaxBodySize,
          ByteSize.fromInputUnsafe(maxBodyBytes)
        )
        return response.status === 415 ? refuse(unknownType, 415) : response
      })
  }),
  { global: true }
)

/** Beside what the API has, there is nothing: for programs in the same words as every error. */
export const layerNowhere = HttpRouter.add(
  "*",
  "/api/*",
  Effect.succeed(
    refuse(new InvalidInput({ field: "path", message: "There is nothing at this address." }), 404)
  )
)
