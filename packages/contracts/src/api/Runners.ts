import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import * as E from "../Errors.ts"

/** One of the machines that share the threads. */
export const Runner = Schema.Struct({
  id: Schema.String,
  /** The name of its machine. */
  machine: Schema.String,
  /** `away`: it has not been heard of for a while, and others take over what is asked of its threads. */
  status: Schema.Literals(["up", "away"]),
  /** How many of its threads have a live session. */
  threads: Schema.Int,
  version: Schema.String
}).annotate({ identifier: "Runner" })
export type Runner = typeof Runner.Type

export class RunnersGroup extends HttpApiGroup.make("runners")
  .add(
    HttpApiEndpoint.get("list", "/runners", {
      success: Schema.Struct({ items: Schema.Array(Runner) }),
      error: E.StoreFailed
    }).annotate(OpenApi.Summary, "The machines that run threads, the one that answers first")
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Runners", description: "Several machines on one database." })
  ) {}
