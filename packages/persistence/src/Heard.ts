import { Context, Stream } from "effect"

/** How far other servers on this database have come, where there may be any (`ThreadStore.heard`). */
export const Heard = Context.Reference<Stream.Stream<number>>("@rejoin/persistence/Heard", {
  defaultValue: () => Stream.never
})
