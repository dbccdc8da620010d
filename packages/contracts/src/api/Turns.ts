import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import * as E from "../Errors.ts"
import { Turn } from "../Turn.ts"
import { SendTurn, UpdateTurn } from "./Requests.ts"
import { id, page, paging, thread } from "./Shared.ts"

export class TurnsGroup extends HttpApiGroup.make("turns")
  .add(
    HttpApiEndpoint.post("send", "/threads/:id/turns", {
      params: id,
      payload: SendTurn,
      success: Turn.pipe(HttpApiSchema.status(202)),
      error: [
        ...thread,
        E.IdempotencyConflict,
        E.ProviderNotFound,
        E.CapabilityMissing,
        E.DirectoryMismatch,
        E.PermissionMismatch,
        E.SessionHeldElsewhere,
        E.ProviderFailed,
        E.ProviderTimeout,
        E.ProviderUnavailable
      ]
    }).annotate(OpenApi.Summary, "Send a turn: durable when answered, run at most once"),
    HttpApiEndpoint.get("list", "/threads/:id/turns", {
      params: id,
      query: paging,
      success: page(Turn),
      error: [...thread, E.InvalidInput]
    }).annotate(OpenApi.Summary, "Turns, oldest first"),
    HttpApiEndpoint.get("get", "/threads/:id/turns/:turnId", {
      params: { ...id, turnId: Schema.String },
      query: {
        wait: Schema.optionalKey(
          Schema.FiniteFromString.check(Schema.isBetween({ minimum: 0, maximum: 600 }))
        )
      },
      success: Turn,
      error: [...thread, E.TurnNotFound]
    }).annotate(
      OpenApi.Summary,
      "One turn; `wait` holds the answer until it settles, for so many seconds (600 at most)"
    ),
    HttpApiEndpoint.patch("update", "/threads/:id/turns/:turnId", {
      params: { ...id, turnId: Schema.String },
      payload: UpdateTurn,
      success: Turn,
      error: [...thread, E.TurnNotFound, E.TurnBegun, E.InvalidInput]
    }).annotate(OpenApi.Summary, "Change what a turn that waits says, or when it is its turn"),
    HttpApiEndpoint.post("interrupt", "/threads/:id/turns/:turnId/interrupt", {
      params: { ...id, turnId: Schema.String },
      success: HttpApiSchema.NoContent,
      error: [
        ...thread,
        E.TurnNotFound,
        E.CapabilityMissing,
        E.ProviderFailed,
        E.ProviderTimeout,
        E.ProviderUnavailable
      ]
    }).annotate(OpenApi.Summary, "End this turn and no other: one that waits is withdrawn")
  )
  .annotateMerge(OpenApi.annotations({ title: "Turns", description: "One input until it settles." })) {}
