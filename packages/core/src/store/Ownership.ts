import { StoreFailed } from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { Effect, type Option, Stream } from "effect"

type Stored<A> = Effect.Effect<A, StoreFailed>

/** Where another machine is reached. */
export interface Place {
  readonly machine: string
  readonly url: string
}

export interface MachineState {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly lives: boolean
  /** How many of its threads have a live session. */
  readonly threads: number
}

/**
 * Which server runs a thread, where several work on one database: one at a time (M2), and the same one as long as it lives
 * (M3). What another one writes of a thread's session is refused by `ThreadStore.lock`.
 */
export interface Ownership {
  /** The machine that runs this thread, where it is another one and lives; none where it is to be run here. */
  readonly placeOf: (id: ThreadId) => Stored<Option.Option<Place>>
  /** All machines there are or were, this one first; none where one server is alone. */
  readonly machines: Stored<ReadonlyArray<MachineState>>
  /** Where this server is reached by the others. */
  readonly announce: (url: string) => Stored<void>
  /**
   * From now on this thread is run here. `taken` where it was not before: then nothing of it that looks alive is, and its
   * generation is another one. Fails with `elsewhere` where another machine has it that lives, or whose end we cannot know.
   */
  readonly claim: (id: ThreadId) => Stored<"held" | "taken">
  /** Those of these threads that are run here. */
  readonly ours: (ids: ReadonlyArray<ThreadId>) => Stored<ReadonlyArray<ThreadId>>
  /** The session of its agent is on this machine from now on. */
  readonly settled: (id: ThreadId) => Stored<void>
  /** The other machine that has the session of its agent; none where we have it, or nobody. */
  readonly homeOf: (id: ThreadId) => Stored<Option.Option<string>>
  /** Nothing can be done with it here: it is its home's again, whether that lives or not. */
  readonly giveBack: (id: ThreadId) => Stored<void>
  /** All threads that are run here are nobody's, and none is claimed here any more. Returns how many. */
  readonly leave: Stored<number>
  /**
   * Threads on which a turn waits or was under way, and whose machine is gone, or that nobody runs; each again and again,
   * until somebody has claimed it.
   */
  readonly forsaken: Stream.Stream<ThreadId>
  /** Whenever we may have been taken for gone: what was run here may be another's by now. */
  readonly doubted: Stream.Stream<void>
}

/** One server has all of them. */
export const alone: Ownership = {
  placeOf: () => Effect.succeedNone,
  machines: Effect.succeed([]),
  announce: () => Effect.void,
  claim: () => Effect.succeed("held"),
  ours: (ids) => Effect.succeed(ids),
  settled: () => Effect.void,
  homeOf: () => Effect.succeedNone,
  giveBack: () => Effect.void,
  leave: Effect.succeed(0),
  forsaken: Stream.never,
  doubted: Stream.never
}

/** What `lock` returns there. */
export const nothingElsewhere: ReadonlyMap<ThreadId, string> = new Map()

export const runElsewhere = (id: ThreadId, machine: string): StoreFailed =>
  new StoreFailed({
    message: `The thread ${id} is run by the machine ${machine}, not by this one.`,
    hint: "Ask that one; another takes it over when it has been gone for a while.",
    elsewhere: machine
  })

export const isElsewhere = (error: unknown): boolean =>
  error instanceof StoreFailed && error.elsewhere !== undefined

/** `ThreadStore.lock` for what only the server that runs the thread may change. Fails with `elsewhere` otherwise. */
export const lockOurs = <E>(
  store: {
    readonly lock: (ids: ReadonlyArray<ThreadId>) => Effect.Effect<ReadonlyMap<ThreadId, string>, E>
  },
  id: ThreadId
): Effect.Effect<void, E | StoreFailed> =>
  Effect.flatMap(store.lock([id]), (elsewhere) => {
    const machine = elsewhere.get(id)
    return machine === undefined ? Effect.void : Effect.fail(runElsewhere(id, machine))
  })
