import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import * as E from "../Errors.ts"
import { OwnSession } from "../OwnSession.ts"
import { ProviderInfo, ProviderModel } from "../Provider.ts"
import { RuntimeMode } from "../RuntimeMode.ts"
import { PathText, plain } from "../Text.ts"
import { id, page, paging } from "./Shared.ts"

export class ProvidersGroup extends HttpApiGroup.make("providers")
  .add(
    HttpApiEndpoint.get("list", "/providers", {
      success: Schema.Struct({
        ...page(ProviderInfo).fields,
        /** What a thread has that is begun without saying it (S14). */
        defaults: Schema.Struct({ runtimeMode: RuntimeMode })
      }),
      error: E.StoreFailed
    }).annotate(OpenApi.Summary, "The configured agents: found where, which version, usable or why not")
  )
  .add(
    HttpApiEndpoint.get("sessions", "/providers/:id/sessions", {
      params: id,
      query: {
        /** Only those of this directory. */
        cwd: Schema.optionalKey(PathText),
        /** Part of a title. */
        q: Schema.optionalKey(plain(200).check(Schema.isNonEmpty())),
        ...paging
      },
      success: Schema.Struct({
        ...page(OwnSession).fields,
        /** So many of those that were looked at cannot be read, and are not among them. */
        unreadable: Schema.Int
      }),
      error: [
        E.ProviderNotFound,
        E.CapabilityMissing,
        E.ProviderFailed,
        E.ProviderTimeout,
        E.ProviderUnavailable,
        E.InvalidInput,
        E.StoreFailed
      ]
    }).annotate(
      OpenApi.Summary,
      "The sessions in the agent's own store, whoever began them, the newest first"
    )
  )
  .add(
    HttpApiEndpoint.get("models", "/providers/:id/models", {
      params: id,
      success: page(ProviderModel),
      error: [
        E.ProviderNotFound,
        E.CapabilityMissing,
        E.ProviderFailed,
        E.ProviderTimeout,
        E.ProviderUnavailable,
        E.StoreFailed
      ]
    }).annotate(OpenApi.Summary, "The models that the agent has for its user, as it calls them")
  )
  .annotateMerge(OpenApi.annotations({ title: "Providers", description: "The configured agents." })) {}
