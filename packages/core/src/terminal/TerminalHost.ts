import { StoreFailed } from "@rejoin/contracts/Errors"
import { Context, Effect, FileSystem, Layer, Option, Result } from "effect"
import type { TerminalLease } from "../store/Records.ts"
import { isTerminalReport, type TerminalReport } from "./TerminalReports.ts"
import { Settings } from "../Settings.ts"

/** By this variable an agent in a user's terminal, and all that it starts, is known. */
export const terminalVariable = "REJOIN_TERMINAL"

/**
 * What still runs in a terminal: the agent, something that it or a wrapper of it started, nothing; or the system does
 * not tell (it reads /proc).
 */
export type Holder = "agent" | "something" | "none" | "unknown"

/** The machine on which users' terminals run: what their agents write down for us, and whether they still run. */
export class TerminalHost extends Context.Service<
  TerminalHost,
  {
    /** A new file for the agent's hook to write to; null where none is to be given one. */
    readonly open: (leaseId: string) => Effect.Effect<string | null, StoreFailed>
    /** What was written there, a line a report. A line that is none is passed over (E6). */
    readonly reports: (lease: TerminalLease) => Effect.Effect<ReadonlyArray<TerminalReport>, StoreFailed>
    readonly holds: (lease: TerminalLease) => Effect.Effect<Holder, StoreFailed>
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

      // Only what is not there is empty: what cannot be read may say where the terminal went.
      const reports = Effect.fn("TerminalHost.reports")(
        function* ({ reports }: TerminalLease) {
          if (reports === null) return []
          const text = yield* fs.readFileString(reports).pipe(
            Effect.catchIf(
              ({ reason }) => reason._tag === "NotFound",
              () => Effect.succeed("")
            )
          )
          return text
            .split("\n")
            .filter((line) => line.trim() !== "")
            .flatMap((line) => {
              const report = Result.try(() => JSON.parse(line) as unknown)
              return Result.isSuccess(report) && isTerminalReport(report.success) ? [report.success] : []
            })
        },
        Effect.catchTag("PlatformError", ({ message }) =>
          Effect.fail(
            new StoreFailed({ message: `What the terminal's agent told cannot be read: ${message}` })
          )
        )
      )

      /** Undefined where it is not ours to read; the id is ours alone. */
      const carries = (pid: string, id: string) =>
        fs.readFileString(`/proc/${pid}/environ`).pipe(
          Effect.map((environ): boolean | undefined =>
            environ.split("\0").includes(`${terminalVariable}=${id}`)
          ),
          Effect.catch(({ reason }) => Effect.succeed(reason._tag === "NotFound" ? false : undefined))
        )

      const holds = Effect.fn("TerminalHost.holds")(function* (lease: TerminalLease) {
        const { id, program } = lease
        const names = yield* Effect.option(fs.readDirectory("/proc"))
        if (Option.isNone(names)) return "unknown"
        // Once it has told its own number, that one counts: what it leaves in the background holds no session of ours.
        const [first] = yield* reports(lease)
        if (first !== undefined) {
          const carried = yield* carries(String(first.pid), id)
          return carried === undefined ? "unknown" : carried ? "agent" : "none"
        }
        const real = yield* fs.realPath(program).pipe(Effect.orElseSucceed(() => program))
        const known = [fileOf(program), fileOf(real)]
        let found: Holder = "none"
        for (const name of names.value.filter((name) => /^\d+$/.test(name))) {
          if ((yield* carries(name, id)) !== true) continue
          const runs = yield* fs.readLink(`/proc/${name}/exe`).pipe(Effect.orElseSucceed(() => ""))
          if (known.includes(fileOf(runs))) return "agent"
          found = "something"
        }
        return found
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
    holds: () => Effect.succeed("none" as const),
    close: () => Effect.void
  })
}

/** Without its directory, as a program is also found by its bare name. One that was replaced by an update is marked. */
const fileOf = (path: string) => path.replace(/ \(deleted\)$/, "").slice(path.lastIndexOf("/") + 1)
