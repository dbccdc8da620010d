import { Authorization, SchemaErrors } from "@rejoin/contracts/api/Guards"
import {
  InvalidInput,
  OriginNotAllowed,
  PayloadTooLarge,
  TooManyRequests,
  Unauthorized
} from "@rejoin/contracts/Errors"
import { ByteSize, Effect, Layer, Redacted } from "effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiMiddleware } from "effect/http-api"
import { makeAttemptLimit } from "./AttemptLimit.ts"
import { Configuration } from "./Configuration.ts"
import { hostsOf } from "./Hosts.ts"
import { Token } from "./Token.ts"

/** The bearer token. Too many wrong ones within a minute are answered 429 until it is over; the right one passes. */
export const layerAuthorization = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const token = yield* Token
    const limit = makeAttemptLimit()
    return Authorization.of({
      bearer: Effect.fnUntraced(function* (handler, { credential }) {
        if (token.matches(Redacted.value(credential))) return yield* handler
        if (yield* limit.exceeded) {
          return yield* new TooManyRequests({
            message: "Too many wrong tokens.",
            hint: "Try again in a minute."
          })
        }
        return yield* new Unauthorized({
          message: "The bearer token is missing or wrong.",
          hint: "The server prints at its start where its token is."
        })
      })
    })
  })
)

/** A request that does not fit its schema is an InvalidInput that says where. */
export const layerSchemaErrors = HttpApiMiddleware.layerSchemaErrorTransform(SchemaErrors, (error) =>
  Effect.fail(new InvalidInput({ field: error.kind.toLowerCase(), message: error.cause.message }))
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
    const { host, hosts: listed } = yield* Configuration
    const port = "port" in server.address ? server.address.port : 0
    const { isHost, isOrigin } = hostsOf({ host, port, listed })
    return (handler) =>
      Effect.gen(function* () {
        const { headers, url } = yield* HttpServerRequest.HttpServerRequest
        const { "content-length": length, host, origin } = headers
        if (host === undefined || !isHost(host)) {
          const message = "The Host header is not this server's own."
          const hint = "The operator can allow other names: REJOIN_HOSTS, separated by commas."
          return refuse(new OriginNotAllowed({ message, hint }), 403)
        }
        if (origin !== undefined && !isOrigin(origin)) {
          return refuse(new OriginNotAllowed({ message: "The Origin header is not this server's own." }), 403)
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
