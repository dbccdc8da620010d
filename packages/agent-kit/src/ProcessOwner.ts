import { Context, Effect, FileSystem, Layer, type PlatformError, Schedule, type Scope } from "effect"
import { tmpdir } from "node:os"

/** The environment variable by which a process and all that it starts are known to be ours (law 9). */
export const ownerVariable = "REJOIN_OWNER"

/** Nothing where the process is gone already. */
export const sendSignal = (pid: number, signal: "SIGTERM" | "SIGKILL"): Effect.Effect<void> =>
  Effect.ignore(Effect.try({ try: () => process.kill(pid, signal), catch: () => "gone" as const }))

/** A process as it is told apart from a later one with the same number. */
export interface ProcessId {
  readonly pid: number
  /** Clock ticks since boot. */
  readonly started: string
}

export interface OwnerShape {
  /** All that the process has started and that still leads to it, however its environment was changed. */
  readonly descendants: (pid: number) => Effect.Effect<ReadonlyArray<ProcessId>>
  /** Kills those of them that are left. */
  readonly sweep: (processes: ReadonlyArray<ProcessId>) => Effect.Effect<void>
  /** Marks the processes of one pool: `<dataDirId>:<bootId>:<pool>`. */
  readonly mark: (pool: string) => Readonly<Record<string, string>>
  /** Kills what carries this pool's mark, and waits until it is gone. Returns the pids. */
  readonly sweepPool: (pool: string) => Effect.Effect<ReadonlyArray<number>>
  /**
   * Kills the orphans of one of an agent's own helpers, which drops our mark: it runs `program` (the name of its
   * file), has `environment` somewhere in its own, and no `parents` (how names of files begin) is its parent any more.
   * Who adopts an orphan is not told by a number: process 1, or a session's own manager (`systemd --user`).
   */
  readonly sweepStrays: (stray: {
    readonly program: string
    readonly parents: ReadonlyArray<string>
    readonly environment: string
  }) => Effect.Effect<void>
  /** What earlier lives of this data directory left. */
  readonly earlier: Effect.Effect<ReadonlyArray<number>>
  /**
   * A directory for what a process writes down while it runs. It goes with the scope; where we are killed, with a
   * later life's `sweepEarlier`: OpenCode unpacks 5 MB into its own at every start (docs/providers/opencode.md).
   */
  readonly scratch: Effect.Effect<string, PlatformError.PlatformError, Scope.Scope>
  /** Kills that, waits until it is gone, and removes what it had for scratch. */
  readonly sweepEarlier: Effect.Effect<ReadonlyArray<number>>
}

/**
 * Finds processes by the mark in their environment and kills them, so that nothing outlives its owner, not even one
 * that was killed itself. It reads /proc: on systems without it, what a kill -9 of us leaves is not found, and only
 * what ends with its parent's connection ends.
 */
export class ProcessOwner extends Context.Service<ProcessOwner, OwnerShape>()(
  "@rejoin/agent-kit/ProcessOwner"
) {
  static readonly layer = (owner: { readonly dataDirId: string; readonly bootId: string }) =>
    Layer.effect(
      ProcessOwner,
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const { bootId, dataDirId } = owner

        const ownerOf = (pid: number) =>
          fs.readFileString(`/proc/${pid}/environ`).pipe(
            Effect.map((environ) =>
              environ
                .split("\0")
                .find((entry) => entry.startsWith(`${ownerVariable}=`))
                ?.slice(ownerVariable.length + 1)
            ),
            // Another user's process, or one that ended while we looked.
            Effect.orElseSucceed(() => undefined)
          )

        const isEarlier = (owner: string) =>
          owner.startsWith(`${dataDirId}:`) && !owner.startsWith(`${dataDirId}:${bootId}:`)

        const find = Effect.fnUntraced(function* (matches: (owner: string) => boolean) {
          const names = yield* fs.readDirectory("/proc").pipe(Effect.orElseSucceed(() => []))
          const pids = names.map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid)
          const found: Array<number> = []
          for (const pid of pids) {
            const owner = yield* ownerOf(pid)
            if (owner !== undefined && matches(owner) && (yield* isAlive(pid))) found.push(pid)
          }
          return found
        })

        /** A zombie is dead: it only waits for its parent to look. */
        const isAlive = (pid: number) =>
          fs.readFileString(`/proc/${pid}/stat`).pipe(
            Effect.map((stat) => !/\) Z /.test(stat)),
            Effect.orElseSucceed(() => false)
          )

        const sweep = Effect.fnUntraced(function* (matches: (owner: string) => boolean) {
          const killed = new Set<number>()
          // What is killed may have started something since: until nothing is left.
          yield* Effect.gen(function* () {
            const found = yield* find(matches)
            for (const pid of found) {
              killed.add(pid)
              yield* sendSignal(pid, "SIGKILL")
            }
            return found.length
          }).pipe(
            Effect.repeat({ until: (left) => left === 0, schedule: Schedule.spaced("20 millis"), times: 250 })
          )
          return [...killed]
        })

        /** Parent and start of a process, or undefined where it is gone or dead. */
        const lineOf = (pid: number) =>
          fs.readFileString(`/proc/${pid}/stat`).pipe(
            Effect.map((stat) => {
              // The name may have blanks in it.
              const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
              return state === "Z" ? undefined : { pid, parent: Number(parent), started: rest[17] ?? "" }
            }),
            Effect.orElseSucceed(() => undefined)
          )

        const descendants = Effect.fnUntraced(function* (root: number) {
          const names = yield* fs.readDirectory("/proc").pipe(Effect.orElseSucceed(() => []))
          const lines = yield* Effect.forEach(names.map(Number).filter(Number.isInteger), lineOf)
          const found = new Set([root])
          // Children may stand before their parents in the list.
          for (let before = 0; before < found.size;) {
            before = found.size
            for (const line of lines) if (line && found.has(line.parent)) found.add(line.pid)
          }
          return lines.flatMap((line) => (line && line.pid !== root && found.has(line.pid) ? [line] : []))
        })

        const sweepListed = Effect.fnUntraced(function* (processes: ReadonlyArray<ProcessId>) {
          for (const { pid, started } of processes) {
            const line = yield* lineOf(pid)
            if (line?.started === started) yield* sendSignal(pid, "SIGKILL")
          }
        })

        /** The name of the file that it runs; empty where it is gone or another user's. */
        const programOf = (pid: number) =>
          fs.readLink(`/proc/${pid}/exe`).pipe(
            // A file that was replaced by an update is marked.
            Effect.map((exe) => exe.replace(/ \(deleted\)$/, "").slice(exe.lastIndexOf("/") + 1)),
            Effect.orElseSucceed(() => "")
          )

        const sweepStrays: OwnerShape["sweepStrays"] = Effect.fnUntraced(function* ({
          environment,
          parents,
          program
        }) {
          const names = yield* fs.readDirectory("/proc").pipe(Effect.orElseSucceed(() => []))
          for (const pid of names.map(Number).filter(Number.isInteger)) {
            if ((yield* programOf(pid)) !== program) continue
            const line = yield* lineOf(pid)
            if (line === undefined) continue
            const parent = yield* programOf(line.parent)
            if (parents.some((name) => parent.startsWith(name))) continue
            const environ = yield* fs
              .readFileString(`/proc/${pid}/environ`)
              .pipe(Effect.orElseSucceed(() => ""))
            if (environ.includes(environment)) yield* sendSignal(pid, "SIGKILL")
          }
        })

        // Whatever the ids are made of, they are no path.
        const plain = (id: string) => id.replaceAll(/\W/g, "_")
        const ofHome = `rejoin-${plain(dataDirId)}.`
        const ofLife = `${ofHome}${plain(bootId)}.`

        const removeScratch = Effect.gen(function* () {
          const names = yield* fs.readDirectory(tmpdir())
          const left = names.filter((name) => name.startsWith(ofHome) && !name.startsWith(ofLife))
          yield* Effect.forEach(
            left,
            (name) => Effect.ignore(fs.remove(`${tmpdir()}/${name}`, { recursive: true })),
            { discard: true }
          )
        }).pipe(Effect.ignore)

        return ProcessOwner.of({
          descendants,
          scratch: fs.makeTempDirectoryScoped({ prefix: ofLife }),
          sweepStrays,
          sweep: sweepListed,
          mark: (pool) => ({ [ownerVariable]: `${dataDirId}:${bootId}:${pool}` }),
          sweepPool: (pool) => sweep((owner) => owner === `${dataDirId}:${bootId}:${pool}`),
          earlier: find(isEarlier),
          sweepEarlier: Effect.tap(sweep(isEarlier), () => removeScratch)
        })
      })
    )
}
