import { ProviderFailed } from "@rejoin/contracts/Errors"
import { ProviderSessionId } from "@rejoin/contracts/Ids"
import type { TerminalAccess, TerminalRequest } from "@rejoin/core/providers/TerminalAccess"
import { followedFrom, reportCommand, type Step, withoutFlags } from "@rejoin/core/terminal/TerminalReports"
import { Effect, type FileSystem, Option, Predicate, Schedule, Schema } from "effect"
import { createHash } from "node:crypto"
import { type CodexCursor, cursorOf, ThreadUuid } from "./CodexCursor.ts"
import { terminalPowersOf } from "./CodexModes.ts"
import { codexHome, type CodexOptions } from "./CodexOptions.ts"
import type { CodexRollouts } from "./CodexRollouts.ts"
import { writerOf } from "./CodexWriters.ts"

const SessionStart = Schema.Struct({
  hook_event_name: Schema.Literal("SessionStart"),
  session_id: ThreadUuid,
  /** Null where the session is kept nowhere: a `/side` question. */
  transcript_path: Schema.NonEmptyString,
  source: Schema.String
})
const decode = Schema.decodeUnknownOption(SessionStart)

/** What would choose another session than the thread's (E3). */
const choosing = { plain: ["--last", "--all"], valued: [] }

/**
 * Our own hook, attested: one whose hash is not told is not run, and Codex asks its user about it. The hash is of its
 * definition with sorted keys (docs/providers/codex.md: The session id of a user's own interactive TUI).
 */
const hookOf = (command: string): ReadonlyArray<string> => {
  const defined = { async: false, command, timeout: 5, type: "command" }
  const hash = createHash("sha256")
    .update(JSON.stringify({ event_name: "session_start", hooks: [defined] }))
    .digest("hex")
  // A JSON string is one of TOML's too.
  const hook = `[{hooks=[{type="command",command=${JSON.stringify(command)},timeout=5}]}]`
  const state = `{"/<session-flags>/config.toml:session_start:0:0"={trusted_hash="sha256:${hash}"}}`
  return ["-c", `hooks.SessionStart=${hook}`, "-c", `hooks.state=${state}`]
}

/** Codex's own interface on exactly this thread, and the threads that come out of it there. */
export const makeTerminal = (
  options: CodexOptions,
  fs: FileSystem.FileSystem,
  home: string,
  rollouts: CodexRollouts
): TerminalAccess<CodexCursor> => {
  const failed = ({ message }: { readonly message: string }) =>
    new ProviderFailed({ provider: options.id, message })

  /** What the thread's file says that it came out of. */
  const parentOf = Effect.fnUntraced(function* (id: string) {
    const { files } = yield* rollouts.located(id)
    const [path] = files
    if (path === undefined || path.endsWith(".zst")) return undefined
    const { meta } = yield* rollouts.read(path)
    return meta?.forked_from_id ?? undefined
  })

  const openedBy = (session: ReadonlyArray<string>, request: TerminalRequest) => {
    const { additionalDirectories, cwd, extraEnv, flags, mode, reports, systemPrompt } = request
    const model = request.model ?? options.model
    return {
      command: options.binary,
      args: [
        ...session,
        "--no-daemon",
        "-C",
        cwd,
        ...terminalPowersOf(mode),
        ...(model === undefined ? [] : ["-m", model]),
        ...(systemPrompt === null ? [] : ["-c", `developer_instructions=${JSON.stringify(systemPrompt)}`]),
        ...additionalDirectories.flatMap((directory) => ["--add-dir", directory]),
        ...(reports === null ? [] : hookOf(reportCommand(reports))),
        ...withoutFlags(flags, choosing)
      ],
      env: { ...options.terminalEnvironment, ...extraEnv, CODEX_HOME: codexHome(options.environment) }
    }
  }

  /** From a thread, or from none: then the first that was begun there. */
  const followedTo = Effect.fnUntraced(function* (from: string, reports: ReadonlyArray<unknown>) {
    const known = reports.flatMap((told) => Option.toArray(decode(told)))
    const parents = new Map<string, string | undefined>()
    for (const { session_id, source } of known) {
      if (source === "fork") parents.set(session_id, yield* parentOf(session_id))
    }
    const steps: Array<Step> = []
    let shown = from
    for (const { session_id: id, source } of known) {
      // The hook tells of a session with its first turn only: what a fork came out of stands in its file.
      const parent = parents.get(id)
      if (source === "fork" && parent !== undefined && parent !== shown)
        steps.push({ id: parent, derived: false })
      steps.push({ id, derived: source === "startup" || source === "clear" || source === "fork" })
      shown = id
    }
    return followedFrom(from, steps)
  })

  return {
    command: Effect.fn("Codex.terminal")(function* ({ providerSessionId: id }, request) {
      // Codex in the terminal would only say that the thread is open elsewhere.
      yield* writerOf(fs, home, id).pipe(
        Effect.repeat({ while: Predicate.isNumber, schedule: Schedule.spaced("20 millis") })
      )
      return openedBy(["resume", id], request)
    }),
    begin: (request) => Effect.succeed({ ...openedBy([], request), assigned: null }),
    begun: Effect.fn("Codex.begun")(
      function* ({ reports }) {
        const id = yield* followedTo("", reports)
        return id === "" ? Option.none() : Option.some(ProviderSessionId.make(id))
      },
      Effect.catchTags({
        PlatformError: (error) => Effect.fail(failed(error)),
        IndexUnreadable: (error) => Effect.fail(failed(error))
      })
    ),
    follow: Effect.fn("Codex.follow")(
      function* (cursor, { reports }) {
        const id = yield* followedTo(cursor.providerSessionId, reports)
        if (id === cursor.providerSessionId) return Option.none()
        const { files } = yield* rollouts.located(id)
        const [path] = files
        const found = path === undefined ? Option.none() : yield* rollouts.conversation(path)
        const lineage = Option.match(found, { onNone: () => [], onSome: ({ lineage }) => lineage })
        return Option.some(
          cursorOf(
            id,
            cursor.storeId,
            lineage.map((id) => ProviderSessionId.make(id))
          )
        )
      },
      Effect.catchTags({
        PlatformError: (error) => Effect.fail(failed(error)),
        IndexUnreadable: (error) => Effect.fail(failed(error))
      })
    )
  }
}
