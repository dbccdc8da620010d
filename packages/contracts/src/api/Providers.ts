import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import * as E from "../Errors.ts"
import { ProviderInfo } from "../Provider.ts"
import { page } from "./Shared.ts"

export class ProvidersGroup extends HttpApiGroup.make("providers")
  .add(
    HttpApiEndpoint.get("list", "/providers", { success: page(ProviderInfo), error: E.StoreFailed }).annotate(
      OpenApi.Summary,
      "The configured agents: found where, which version, usable or why not"
    )
  )
  .annotateMerge(OpenApi.annotations({ title: "Providers", description: "The configured agents." })) {}
