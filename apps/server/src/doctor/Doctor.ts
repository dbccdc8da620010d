import { type DataDirectoryHeld, InvalidInput, type StoreFailed } from "@rejoin/contracts/Errors"
import { ServerFileJson } from "@rejoin/contracts/ServerFile"
import { ProcessOwner } from "@rejoin/agent-kit/ProcessOwner"
import { ProviderCall } from "@rejoin/core/providers/ProviderCall"
import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
import { Settings } from "@rejoin/core/Settings"
import { WorkingDirectory } from "@rejoin/core/threads/WorkingDirectory"
import { DataDirectory, hold } from "@rejoin/persistence/DataDirectory"
import { Config, Effect, FileSystem, Layer, Option, Result, Schema } from "effect"
import {
  Configuration,
  type ConfigurationShape,
  databaseUrl,
  homeDirectory,
  settingsOf
} from "../Configuration.ts"
import { register } from "../Instances.ts"
import { ownerOf } from "@rejoin/agent-kit/Owner"
import { agents } from "./Agents.ts"
import { channels } from "./Channels.ts"
import { conversations } from "./Conversations.ts"
import { database, postgres } from "./Database.ts"
import type { Finding } from "./Finding.ts"
import { installation, leftovers } from "./Installation.ts"

/** What was looked at, and what is not as it should be. */
export interface Examination {
  readonly home: string
  /** Why we do not have the directory to ourselves: a server works there, or that cannot be told. Nothing is fixed then. */
  readonly held: DataDirectoryHeld | StoreFailed | undefined
  readonly providers: number
  readonly threads: number
  readonly findings: ReadonlyArray<Finding>
  /** What is worth knowing and nothing wrong. */
  readonly notes: ReadonlyArray<string>
}

export type Progress = (done: number, of: number) => Effect.Effect<void>

/** A lock that cannot be had, and not because somebody has it, says that nothing here is safe to touch. */
const locked = (held: Examination["held"]): ReadonlyArray<Finding> =>
  held?._tag === "StoreFailed"
    ? [{ check: "lock", about: "lock.db", severity: "problem", message: held.message }]
    : []

const orphans = Effect.gen(function* () {
  const owner = yield* ProcessOwner
  const pids = yield* owner.earlier
  if (pids.length === 0) return []
  const finding: Finding = {
    check: "processes",
    about: pids.join(", "),
    severity: "problem",
    message: "An earlier server was killed, and what it had started still runs.",
    fix: {
      does: `Ends the processes ${pids.join(", ")}, and removes what they keep in the temporary directory.`,
      run: Effect.asVoid(owner.sweepEarlier)
    }
  }
  return [finding]
})

const decodeServerFile = Schema.decodeUnknownEffect(ServerFileJson)

/**
 * Where threads may work: for the server that works here, if one does. Without REJOIN_ROOTS it depends on where the next
 * one is started, which nobody knows: then anywhere.
 */
const rootsOf = Effect.fnUntraced(function* (path: string, { roots }: ConfigurationShape, isHeld: boolean) {
  const fs = yield* FileSystem.FileSystem
  const told = yield* fs
    .readFileString(`${path}/server.json`)
    .pipe(Effect.flatMap(decodeServerFile), Effect.option)
  if (isHeld && Option.isSome(told) && told.value.roots !== undefined) return told.value.roots
  const set = yield* Effect.orElseSucceed(Config.option(Config.NonEmptyString("REJOIN_ROOTS")), () =>
    Option.none()
  )
  return Option.isSome(set) ? roots : ["/"]
})

/** The parts of a server by which conversations are looked at, and none that serves. */
const parts = (path: string, isHeld: boolean) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const configuration = yield* Configuration
      const roots = yield* rootsOf(path, configuration, isHeld)
      return Layer.mergeAll(ProviderRegistry.layer, WorkingDirectory.layer, ProviderCall.layer).pipe(
        Layer.provideMerge(Layer.succeed(Settings, { ...settingsOf(configuration, path), roots }))
      )
    })
  ).pipe(
    Layer.provideMerge(
      Layer.succeed(DataDirectory, {
        path,
        database: `${path}/rejoin.db`,
        serverFile: `${path}/server.json`
      })
    ),
    Layer.provideMerge(Configuration.layer)
  )

/**
 * Looks at a data directory and at all that its threads live on, and changes nothing. In the scope the directory is
 * held, so that no server comes in between.
 */
export const examine = Effect.fn("examine")(function* (progress: Progress) {
  const fs = yield* FileSystem.FileSystem
  const home = yield* homeDirectory
  const nothing: Examination = { home, held: undefined, providers: 0, threads: 0, findings: [], notes: [] }
  const path = Option.getOrUndefined(yield* Effect.option(fs.realPath(home)))
  if (path === undefined || !(yield* fs.exists(`${path}/lock.db`))) {
    return { ...nothing, notes: ["No server has worked here yet."] }
  }
  const lock = yield* Effect.result(hold(path))
  const held = Result.isFailure(lock) ? lock.failure : undefined
  const isHeld = held !== undefined
  const elsewhere = yield* Effect.orElseSucceed(databaseUrl, () => Option.none())
  const stored = Option.isSome(elsewhere)
    ? yield* postgres(path, elsewhere.value)
    : { ...(yield* database(`${path}/rejoin.db`)), notes: [] }
  const own = yield* installation(path, isHeld)
  const found: Examination = {
    ...nothing,
    home: path,
    held,
    findings: [...locked(held), ...own, ...stored.findings],
    notes: stored.notes
  }
  if (Option.isNone(stored.inspection)) return found
  const inspection = stored.inspection.value
  const { bindings, intents, openTurns, threads } = inspection

  const checked = yield* Effect.gen(function* () {
    const { file } = yield* Configuration
    yield* register({ prepare: false })
    const { checked, findings, usable } = yield* agents(bindings, file.providers !== undefined)
    const lost = isHeld ? [] : yield* orphans
    const upstream = yield* conversations(inspection, usable, { held: isHeld, progress })
    const chats = yield* channels(path, file.channels ?? [], isHeld)
    return { providers: checked, findings: [...findings, ...lost, ...upstream, ...chats] }
  }).pipe(
    Effect.provide(Layer.provideMerge(parts(path, isHeld), ownerOf(path))),
    Effect.catchTag("InvalidInput", ({ field, hint, message }) => {
      const finding: Finding = {
        check: "config",
        about: field ?? "config.json",
        severity: "problem",
        message,
        hint: hint ?? "No server starts with it, and nothing that depends on it was checked."
      }
      return Effect.succeed({ providers: 0, findings: [finding] })
    })
  )
  const waited = new Set(bindings.flatMap(({ terminal }) => (terminal?.reports ? [terminal.reports] : [])))
  return {
    ...found,
    providers: checked.providers,
    threads: threads.length,
    findings: [...found.findings, ...checked.findings, ...(yield* leftovers(path, waited))],
    notes: isHeld
      ? stored.notes
      : [
          ...stored.notes,
          ...(openTurns > 0
            ? [`Turns that have not settled: ${openTurns}. The next start of the server sees to them.`]
            : []),
          ...(intents > 0
            ? [`Starts that were cut off: ${intents}. The next start of the server undoes them.`]
            : [])
        ]
  }
})

/** A finding, and what became of its fix. */
export interface Treated extends Finding {
  readonly fixed: boolean
  readonly failed?: string
}

/** Does what the findings' fixes say, one after the other, and nothing else. */
export const treat = ({ findings, held }: Examination) =>
  held !== undefined
    ? Effect.fail(
        new InvalidInput({
          message: `Nothing is fixed while the directory is not ours alone. ${held.message}`,
          hint: "Stop the server first."
        })
      )
    : Effect.forEach(findings, (finding) =>
        Effect.gen(function* () {
          if (finding.fix === undefined) return { ...finding, fixed: false }
          const done = yield* Effect.result(finding.fix.run)
          const treated: Treated = Result.isSuccess(done)
            ? { ...finding, fixed: true }
            : { ...finding, fixed: false, failed: done.failure.message }
          return treated
        })
      )
