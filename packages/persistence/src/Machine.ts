import { Context, type Stream } from "effect"

/** This server among those on one database (`ThreadStore.ownership`). */
export interface Machine {
  /** The same over all restarts. */
  readonly id: string
  /** In seconds. */
  readonly lease: number
  /** Whenever its lease ran out before it was renewed: others may have taken its threads over. */
  readonly doubted: Stream.Stream<void>
}

/** Absent where one server has the database for itself. */
export const Machine = Context.Reference<Machine | undefined>("@rejoin/persistence/Machine", {
  defaultValue: () => undefined
})
