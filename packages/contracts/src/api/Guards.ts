import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import * as E from "../Errors.ts"

export class Authorization extends HttpApiMiddleware.Service<Authorization>()(
  "@rejoin/contracts/Authorization",
  {
    requiredForClient: true,
    security: { bearer: HttpApiSecurity.bearer },
    error: [E.Unauthorized, E.TooManyRequests]
  }
) {}

/** Every rejection of a malformed request is an InvalidInput that names the field. */
export class SchemaErrors extends HttpApiMiddleware.Service<SchemaErrors>()(
  "@rejoin/contracts/SchemaErrors",
  {
    error: [E.InvalidInput, E.PayloadTooLarge]
  }
) {}
