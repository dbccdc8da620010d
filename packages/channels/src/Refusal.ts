import { Data, Effect, Predicate } from "effect"
import { Later } from "./Room.ts"
import { failureText } from "./Words.ts"

/** The server does not do it, and why, in words for whoever asked. */
export class Refusal extends Data.TaggedError("Refusal")<{ readonly message: string }> {}

const said = (error: unknown): { readonly message: string; readonly hint?: string } =>
  Predicate.hasProperty(error, "message") && typeof error.message === "string"
    ? {
        message: error.message,
        ...(Predicate.hasProperty(error, "hint") && typeof error.hint === "string" && { hint: error.hint })
      }
    : { message: String(error) }

/** Not an answer of the server's own: it is away, or its database is. */
const passing = new Set([
  "HttpClientError",
  "StoreFailed",
  "StoreUnavailable",
  "StartInProgress",
  "Unauthorized"
])

/** What the server refuses is said; that it is away is waited for. */
export const refusing = <A, E extends { readonly _tag: string }, R>(
  call: Effect.Effect<A, E, R>
): Effect.Effect<A, Refusal | Later, R> =>
  Effect.mapError(call, (error) =>
    passing.has(error._tag)
      ? new Later({ message: said(error).message })
      : new Refusal({ message: failureText(said(error)) })
  )
