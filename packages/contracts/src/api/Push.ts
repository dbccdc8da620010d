import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import * as E from "../Errors.ts"
import { PushSubscription, PushTarget, QuietHours } from "../Push.ts"
import { page } from "./Shared.ts"

export class PushGroup extends HttpApiGroup.make("push")
  .add(
    HttpApiEndpoint.get("key", "/push/key", {
      success: Schema.Struct({ publicKey: Schema.String }),
      error: E.StoreFailed
    }).annotate(OpenApi.Summary, "The key that a browser subscribes with (VAPID, in base64url)"),
    HttpApiEndpoint.get("list", "/push/subscriptions", { success: page(PushSubscription) }).annotate(
      OpenApi.Summary,
      "The subscriptions of who asks"
    ),
    HttpApiEndpoint.post("subscribe", "/push/subscriptions", {
      payload: Schema.Struct({ ...PushTarget.fields, quiet: Schema.optionalKey(QuietHours) }),
      success: PushSubscription.pipe(HttpApiSchema.status(201)),
      error: [E.InvalidInput, E.StoreFailed, E.TooManyRequests]
    }).annotate(OpenApi.Summary, "Tell this browser from now on; the same one again changes its quiet hours"),
    HttpApiEndpoint.delete("unsubscribe", "/push/subscriptions/:id", {
      params: { id: Schema.String },
      success: HttpApiSchema.NoContent,
      error: E.StoreFailed
    }).annotate(OpenApi.Summary, "Tell it nothing more; one that is not there is no error")
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Push",
      description: "Web push: what waits and what has ended, told on a phone whose page is closed."
    })
  ) {}
