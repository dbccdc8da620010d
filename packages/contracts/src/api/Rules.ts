import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import * as E from "../Errors.ts"
import { CreateRule, Rule } from "../Rule.ts"
import { RuleId } from "../Ids.ts"
import { page } from "./Shared.ts"

export class RulesGroup extends HttpApiGroup.make("rules")
  .add(
    HttpApiEndpoint.get("list", "/rules", {
      query: {
        /** Only those that hold in this thread: its own, and its project's. */
        thread: Schema.optionalKey(Schema.String)
      },
      success: page(Rule),
      error: [E.ThreadNotFound, E.StoreFailed]
    }).annotate(OpenApi.Summary, "The standing answers to approvals, oldest first")
  )
  .add(
    HttpApiEndpoint.post("create", "/rules", {
      payload: CreateRule,
      success: Rule.pipe(HttpApiSchema.status(201)),
      error: [E.ThreadNotFound, E.InvalidInput, E.StoreFailed]
    }).annotate(OpenApi.Summary, "Answers approvals of this kind from now on, without asking")
  )
  .add(
    HttpApiEndpoint.delete("remove", "/rules/:id", {
      params: { id: RuleId },
      success: HttpApiSchema.NoContent,
      error: [E.RuleNotFound, E.StoreFailed]
    }).annotate(OpenApi.Summary, "Asks again from now on")
  )
  .annotateMerge(OpenApi.annotations({ title: "Rules", description: "Standing answers to approvals." })) {}
