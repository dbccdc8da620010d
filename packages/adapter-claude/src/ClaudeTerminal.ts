import type { AdapterFailure } from "@rejoin/core/providers/ResumeCursor"
import { ProviderSessionId } from "@rejoin/contracts/Ids"
import { newUuid } from "@rejoin/core/NewId"
import type { TerminalAccess, TerminalRequest } from "@rejoin/core/providers/TerminalAccess"
import { followedFrom, reportCommand, withoutFlags } from "@rejoin/core/terminal/TerminalReports"
import { Effect, Option, Schema } from "effect"
import { type ClaudeCursor, cursorOf } from "./ClaudeCursor.ts"
import { terminalFlagsOf } from "./ClaudeModes.ts"
import type { ClaudeFiles } from "./ClaudeFiles.ts"
import { sourcesOf } from "./ClaudePowers.ts"
import { type ClaudeOptions, configDirectory } from "./ClaudeOptions.ts"
import type { ClaudeTranscripts } from "./ClaudeTranscripts.ts"

const SessionStart = Schema.Struct({
  hook_event_name: Schema.Literal("SessionStart"),
  session_id: Schema.NonEmptyString,
  source: Schema.String
})
const decode = Schema.decodeUnknownOption(SessionStart)

/** What would choose another session than the thread's (E3). */
const choosing = {
  plain: ["--continue", "-c", "--fork-session", "--no-session-persistence"],
  valued: ["--resume", "-r", "--session-id", "--resume-session-at", "--from-pr"]
}

/**
 * Claude's own interface on exactly this session. `/clear` and `/branch` go on under a new id, which Claude tells its
 * SessionStart hook at once, and nobody else (docs/providers/claude.md: The session id of a user's own TUI).
 */
export const makeTerminal = (
  options: ClaudeOptions,
  transcripts: ClaudeTranscripts,
  needs: {
    readonly filesFor: (start: {
      readonly session: string
      readonly cwd: string
      readonly loads: string | null
      readonly systemPrompt: string | null
    }) => Effect.Effect<ClaudeFiles, AdapterFailure>
  }
): TerminalAccess<ClaudeCursor> => {
  const opened = Effect.fnUntraced(function* (
    id: string,
    session: ReadonlyArray<string>,
    request: TerminalRequest
  ) {
    const model = request.model ?? options.model
    const { cwd, loads, systemPrompt } = request
    const files = yield* needs.filesFor({ session: id, cwd, loads, systemPrompt })
    const hook = request.reports && [{ type: "command", command: reportCommand(request.reports) }]
    const settings = {
      cleanupPeriodDays: 3650,
      ...(hook && { hooks: { SessionStart: [{ hooks: hook }] } })
    }
    return {
      command: options.binary,
      args: [
        ...session,
        ...terminalFlagsOf(request.mode),
        ...(model === undefined ? [] : ["--model", model]),
        ...sourcesOf(loads),
        ...files.prompt,
        ...[...request.additionalDirectories, ...files.directories].flatMap((directory) => [
          "--add-dir",
          directory
        ]),
        "--settings",
        JSON.stringify(settings),
        ...withoutFlags(request.flags, choosing)
      ],
      env: {
        ...options.terminalEnvironment,
        ...request.extraEnv,
        ...files.env,
        CLAUDE_CONFIG_DIR: configDirectory(options.environment)
      }
    }
  })

  const followedTo = (from: string, reports: ReadonlyArray<unknown>) =>
    followedFrom(
      from,
      reports.flatMap((told) =>
        Option.toArray(
          Option.map(decode(told), ({ session_id: id, source }) => ({
            id,
            derived: source === "clear" || source === "fork"
          }))
        )
      )
    )

  return {
    command: Effect.fn("Claude.terminal")(function* ({ from, providerSessionId: id }, request) {
      const written = yield* Effect.orElseSucceed(transcripts.find(id), () => [])
      // A fork that was never written is made again from its source, under the same id.
      const session =
        written.length === 0 && from !== undefined
          ? [
              "--resume",
              from.id,
              "--fork-session",
              "--session-id",
              id,
              ...(from.at === undefined ? [] : ["--resume-session-at", from.at])
            ]
          : ["--resume", id]
      return yield* opened(id, session, request)
    }),
    begin: Effect.fn("Claude.begin")(function* (request) {
      const assigned = ProviderSessionId.make(yield* newUuid)
      return { ...(yield* opened(assigned, ["--session-id", assigned], request)), assigned }
    }),
    begun: ({ assigned, reports }) =>
      Effect.succeed(
        assigned === null ? Option.none() : Option.some(ProviderSessionId.make(followedTo(assigned, reports)))
      ),
    follow: (cursor, { reports }) => {
      const id = followedTo(cursor.providerSessionId, reports)
      return Effect.succeed(
        id === cursor.providerSessionId ? Option.none() : Option.some(cursorOf(id, cursor.storeId))
      )
    }
  }
}
