import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import * as E from "../Errors.ts"

export class Authorization extends HttpApiMiddleware.Service<Authorization>()(
  "@rejoin/contracts/Authorization",
  {
    requiredForClient: true,
    security: { bearer: HttpApiSecurity.bearer },
    error: [E.Unauthorized, E.TooManyRequests, E.DeviceNotAllowed]
  }
) {}

/** Every rejection of a malformed request is an InvalidInput that names the field. */
export class SchemaErrors extends HttpApiMiddleware.Service<SchemaErrors>()(
  "@rejoin/contracts/SchemaErrors",
  {
    error: [E.InvalidInput, E.PayloadTooLarge]
  }
) {}

/** A database that is away is a 503, and a thread that another machine runs a 409, whatever was asked for. */
export class StoreAway extends HttpApiMiddleware.Service<StoreAway>()("@rejoin/contracts/StoreAway", {
  error: [E.StoreUnavailable, E.ThreadOwnedElsewhere]
}) {}
