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
  .add(
    HttpApiEndpoint.post("drain", "/runners/drain", {
      payload: Schema.Struct({
        /** For how long turns that are under way may go on, in seconds; 60. */
        seconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3600 }))),
        /** Gives its threads up: others go on with them from our copies. */
        handOver: Schema.optionalKey(Schema.Boolean)
      }),
      success: Schema.Struct({
        /** Turns that are still under way. */
        running: Schema.Int,
        /** Threads that were given up. */
        handedOver: Schema.Int
      }),
      error: [E.StoreFailed, E.ThreadBusy]
    }).annotate(OpenApi.Summary, "Bring the server that is asked to rest: no turn begins there any more")
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Runners", description: "Several machines on one database." })
  ) {}
