import { StoreFailed } from "@rejoin/contracts/Errors"
import { Context, Effect, FileSystem, Layer, Option, Result } from "effect"
import type { TerminalLease } from "./Records.ts"
import { isTerminalReport, type TerminalReport } from "./TerminalReports.ts"
import { Settings } from "./Settings.ts"

/** By this variable an agent in a user's terminal, and all that it starts, is known. */
export const terminalVariable = "REJOIN_TERMINAL"

/** The machine on which users' terminals run: what their agents write down for us, and whether they still run. */
export class TerminalHost extends Context.Service<
  TerminalHost,
  {
    /** A new file for the agent's hook to write to; null where none is to be given one. */
    readonly open: (leaseId: string) => Effect.Effect<string | null, StoreFailed>
    /** What was written there, a line a report. A line that is none is passed over (E6). */
    readonly reports: (lease: TerminalLease) => Effect.Effect<ReadonlyArray<TerminalReport>>
    /** Whether the agent still runs; undefined where the system does not tell (it reads /proc). */
    readonly holds: (lease: TerminalLease) => Effect.Effect<boolean | undefined>
    readonly close: (lease: TerminalLease) => Effect.Effect<void>
  }
>()("@rejoin/core/TerminalHost") {
  static readonly layer = Layer.effect(
    TerminalHost,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { notificationHooks, scratch } = yield* Settings

      const open = Effect.fn("TerminalHost.open")(
        function* (leaseId: string) {
          if (scratch === null || !notificationHooks) return null
          yield* fs.makeDirectory(scratch, { recursive: true, mode: 0o700 })
          const path = `${scratch}/${leaseId}.jsonl`
          yield* fs.writeFileString(path, "", { mode: 0o600 })
          return path
        },
        Effect.catchTag("PlatformError", ({ message }) =>
          Effect.fail(
            new StoreFailed({ message: `A file for the terminal's agent cannot be made: ${message}` })
          )
        )
      )

      const reports = Effect.fn("TerminalHost.reports")(function* ({ reports }: TerminalLease) {
        if (reports === null) return []
        const text = yield* fs.readFileString(reports).pipe(Effect.orElseSucceed(() => ""))
        return text
          .split("\n")
          .filter((line) => line.trim() !== "")
          .flatMap((line) => {
            const report = Result.try(() => JSON.parse(line) as unknown)
            return Result.isSuccess(report) && isTerminalReport(report.success) ? [report.success] : []
          })
      })

      const holds = Effect.fn("TerminalHost.holds")(function* (lease: TerminalLease) {
        const { id, program } = lease
        // Once it has told its own number, that one counts: what it leaves in the background holds no session of ours.
        const [first] = yield* reports(lease)
        const names = yield* Effect.option(fs.readDirectory("/proc"))
        if (Option.isNone(names)) return undefined
        const real = yield* fs.realPath(program).pipe(Effect.orElseSucceed(() => program))
        const pids =
          first === undefined ? names.value.filter((name) => /^\d+$/.test(name)) : [String(first.pid)]
        for (const name of pids) {
          const environ = yield* fs
            .readFileString(`/proc/${name}/environ`)
            .pipe(Effect.orElseSucceed(() => ""))
          if (!environ.split("\0").includes(`${terminalVariable}=${id}`)) continue
          const runs = yield* fs.readLink(`/proc/${name}/exe`).pipe(Effect.orElseSucceed(() => ""))
          if (fileOf(runs) === fileOf(real)) return true
        }
        return false
      })

      return TerminalHost.of({
        open,
        reports,
        holds,
        close: ({ reports }) =>
          reports === null ? Effect.void : Effect.ignore(fs.remove(reports, { force: true }))
      })
    })
  )

  /** Nobody has a terminal here. */
  static readonly layerNone = Layer.succeed(TerminalHost, {
    open: () => Effect.succeed(null),
    reports: () => Effect.succeed([]),
    holds: () => Effect.succeed(false),
    close: () => Effect.void
  })
}

/** Without its directory, as a program is also found by its bare name. One that was replaced by an update is marked. */
const fileOf = (path: string) => path.replace(/ \(deleted\)$/, "").slice(path.lastIndexOf("/") + 1)
