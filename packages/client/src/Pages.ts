import { Effect, Option, Stream } from "effect"

/** One page of a list; with `next` there is another. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly next?: string
}

/** What a list has on all of its pages, in its order. */
export const everything = <A, E, R>(
  page: (query: { readonly limit: number; readonly after?: string }) => Effect.Effect<Page<A>, E, R>
) =>
  Stream.paginate(undefined as string | undefined, (after) =>
    page({ limit: 500, ...(after !== undefined && { after }) }).pipe(
      Effect.map(({ items, next }) => [items, next === undefined ? Option.none() : Option.some(next)])
    )
  ).pipe(Stream.runCollect)
