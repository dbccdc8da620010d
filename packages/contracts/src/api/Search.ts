import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import * as E from "../Errors.ts"
import { SearchHit } from "../Search.ts"
import { plain } from "../Text.ts"
import { Limit, page } from "./Shared.ts"

export class SearchGroup extends HttpApiGroup.make("search")
  .add(
    HttpApiEndpoint.get("search", "/search", {
      query: {
        /** Words that all have to be there, `"phrases"`, and beginnings of words: `begin*`. */
        q: plain(500).check(Schema.isNonEmpty()),
        project: Schema.optionalKey(Schema.String),
        provider: Schema.optionalKey(Schema.String),
        thread: Schema.optionalKey(Schema.String),
        /** `next` of the page before. */
        after: Schema.optionalKey(
          Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 0, maximum: 100_000 }))
        ),
        limit: Schema.optionalKey(Limit)
      },
      success: page(SearchHit),
      error: [E.InvalidInput, E.StoreFailed]
    }).annotate(OpenApi.Summary, "Where it was said or done, in all threads; the best of the newest first")
  )
  .annotateMerge(OpenApi.annotations({ title: "Search", description: "Over all that was said and done." })) {}
