import * as E from "../Errors.ts"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"

export class HealthGroup extends HttpApiGroup.make("health")
  .add(
    HttpApiEndpoint.get("health", "/health", {
      query: {
        /** Chosen at random: the answer then proves that this server is the one that wrote `server.json`. */
        challenge: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(200)))
      },
      success: Schema.Struct({
        status: Schema.Literal("ok"),
        version: Schema.String,
        /** Only where there is a challenge. */
        proof: Schema.optionalKey(Schema.String)
      }),
      error: E.InvalidInput
    }).annotate(OpenApi.Summary, "Alive, and which version")
  )
  .add(
    HttpApiEndpoint.get("ready", "/ready", {
      success: Schema.Struct({ status: Schema.Literal("ready"), version: Schema.String }),
      error: E.NotReady
    }).annotate(OpenApi.Summary, "Can do its work: its database answers")
  )
  .annotateMerge(OpenApi.annotations({ title: "Health", description: "Without a token." })) {}

export class MetricsGroup extends HttpApiGroup.make("metrics")
  .add(
    HttpApiEndpoint.get("metrics", "/metrics", {
      success: Schema.String.pipe(
        HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4; charset=utf-8" })
      )
    }).annotate(OpenApi.Summary, "Metrics for Prometheus")
  )
  .annotateMerge(OpenApi.annotations({ title: "Metrics", description: "For Prometheus." })) {}
