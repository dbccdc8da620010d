import type { Brand, Effect } from "effect"
import type { HttpClientResponse } from "effect/http"

/** The same data with strings and numbers as they are: for people who have no ids of ours but in a string. */
export type Plain<A> =
  A extends Brand.Brand<string>
    ? A extends string
      ? string
      : number
    : A extends ReadonlyArray<infer Item>
      ? ReadonlyArray<Plain<Item>>
      : A extends Uint8Array
        ? A
        : A extends object
          ? { readonly [Key in keyof A]: Plain<A[Key]> }
          : A

/** What is answered, where the response itself is not asked for. */
type Answered<A> = A extends HttpClientResponse.HttpClientResponse
  ? never
  : A extends readonly [unknown, HttpClientResponse.HttpClientResponse]
    ? never
    : A

type Promised<Call> = Call extends (request: infer Request) => Effect.Effect<infer Answer, infer _Error>
  ? (request: Plain<Request>) => Promise<Answered<Answer>>
  : never

/** Every group of operations, as it is for Effect, with promises that reject with the typed error. */
export type PromisedApi<Api> = {
  readonly [Group in keyof Api]: { readonly [Name in keyof Api[Group]]: Promised<Api[Group][Name]> }
}
