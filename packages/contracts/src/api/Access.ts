import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import * as E from "../Errors.ts"
import { Timestamp } from "../Time.ts"
import { Authorization } from "./Guards.ts"

/** Good once, for an hour: in the fragment of a link to the page, which no server and no log ever sees. */
export const AccessCode = Schema.Struct({
  code: Schema.String,
  /** The page, with the code in its fragment. */
  link: Schema.String,
  expiresAt: Timestamp
})

export class AccessGroup extends HttpApiGroup.make("access")
  .add(
    HttpApiEndpoint.post("issue", "/codes", { success: AccessCode })
      .middleware(Authorization)
      .annotate(OpenApi.Summary, "A code for a link to the page: `/#code=…`"),
    HttpApiEndpoint.post("redeem", "/codes/redeem", {
      payload: Schema.Struct({ code: Schema.NonEmptyString.check(Schema.isMaxLength(100)) }),
      success: Schema.Struct({ token: Schema.String }),
      error: [E.Unauthorized, E.TooManyRequests]
    }).annotate(OpenApi.Summary, "The token, for a code that was not used yet. Takes no token")
  )
  .annotateMerge(OpenApi.annotations({ title: "Access", description: "How the page gets the token." })) {}
