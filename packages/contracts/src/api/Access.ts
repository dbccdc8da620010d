import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Browser, BrowserKey } from "../Browser.ts"
import * as E from "../Errors.ts"
import { Timestamp } from "../Time.ts"
import { Authorization } from "./Guards.ts"
import { page } from "./Shared.ts"

/** Good once, for an hour: in the fragment of a link to the page, which no server and no log ever sees. */
export const AccessCode = Schema.Struct({
  code: Schema.String,
  /** The page, with the code in its fragment. */
  link: Schema.String,
  expiresAt: Timestamp
})

const short = Schema.NonEmptyString.check(Schema.isMaxLength(200))

export class AccessGroup extends HttpApiGroup.make("access")
  .add(
    HttpApiEndpoint.post("issue", "/codes", { success: AccessCode })
      .middleware(Authorization)
      .annotate(OpenApi.Summary, "A code for a link to the page: `/#code=…`"),
    HttpApiEndpoint.post("redeem", "/codes/redeem", {
      payload: Schema.Struct({
        code: Schema.NonEmptyString.check(Schema.isMaxLength(100)),
        /** Of a browser that is to let itself in from now on. */
        key: Schema.optionalKey(BrowserKey)
      }),
      success: Schema.Struct({
        token: Schema.String,
        /** Its id, where there was a key. */
        browser: Schema.optionalKey(Schema.String)
      }),
      error: [E.Unauthorized, E.TooManyRequests, E.StoreFailed]
    }).annotate(OpenApi.Summary, "The token, for a code that was not used yet. Takes no token"),
    HttpApiEndpoint.post("challenge", "/browsers/challenge", {
      success: Schema.Struct({ challenge: Schema.String }),
      error: E.TooManyRequests
    }).annotate(
      OpenApi.Summary,
      "What a browser signs to be let in: good once, for a minute. Takes no token"
    ),
    HttpApiEndpoint.post("enter", "/browsers/enter", {
      payload: Schema.Struct({
        browser: short,
        challenge: short,
        /** Of `rejoin <origin> <challenge>`, by its key: ECDSA with SHA-256, in base64 as WebCrypto makes it. */
        signature: short
      }),
      success: Schema.Struct({ token: Schema.String }),
      error: [E.Unauthorized, E.TooManyRequests]
    }).annotate(OpenApi.Summary, "The token, for a browser that was let in before. Takes no token"),
    HttpApiEndpoint.get("browsers", "/browsers", { success: page(Browser) })
      .middleware(Authorization)
      .annotate(OpenApi.Summary, "The browsers that let themselves in, the one that was seen last first"),
    HttpApiEndpoint.delete("forget", "/browsers/:id", {
      params: { id: Schema.String },
      success: HttpApiSchema.NoContent
    })
      .middleware(Authorization)
      .annotate(
        OpenApi.Summary,
        "Let a browser in no more, until it has another link; one that is not known is no error"
      )
  )
  .annotateMerge(OpenApi.annotations({ title: "Access", description: "How the page gets the token." })) {}
