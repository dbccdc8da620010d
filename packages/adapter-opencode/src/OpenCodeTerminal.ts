import { ProviderSessionId } from "@rejoin/contracts/Ids"
import type { TerminalAccess, TerminalRequest } from "@rejoin/core/providers/TerminalAccess"
import { followedFrom, type Step, withoutFlags } from "@rejoin/core/terminal/TerminalReports"
import { Effect, Option, Schema } from "effect"
import { cursorOf, type OpenCodeCursor } from "./OpenCodeCursor.ts"
import type { OpenCodeOptions } from "./OpenCodeOptions.ts"
import { baseConfig } from "./OpenCodeProcess.ts"
import { keptOutOfInterface } from "./OpenCodePowers.ts"
import { serverPermission } from "./OpenCodePermissions.ts"
import { SessionId } from "./OpenCodeSchema.ts"

const Created = Schema.Struct({
  type: Schema.Literal("session.created"),
  info: Schema.Struct({
    id: SessionId,
    title: Schema.String,
    parentID: Schema.optional(Schema.NullOr(Schema.String))
  })
})
const Spoken = Schema.Struct({ type: Schema.Literal("chat.message"), sessionID: SessionId })
const decode = Schema.decodeUnknownOption(Schema.Union([Created, Spoken]))

/** Beside us, as a source, as it was published, and where we were bundled with others. */
const plugin = new URL(
  import.meta.url.endsWith(".ts") ? "./TerminalPlugin.ts" : "./TerminalPlugin.js",
  import.meta.url
).href

/** What would choose another session than the thread's (E3). */
const choosing = { plain: ["--continue", "-c", "--fork"], valued: ["--session", "-s"] }

// OpenCode's own name for a fork: it tells of no parent, and copies the title, with our mark in it.
const isFork = (title: string) => / \(fork #\d+\)$/.test(title)

/** Where the terminal went, as its plugin told it (docs/providers/opencode.md: Session ids from a user's own TUI). */
export const stepsOf = (reports: ReadonlyArray<unknown>, titleMark: string): ReadonlyArray<Step> => {
  const steps: Array<Step> = []
  // A sub-agent's session is no place where the user is.
  const children = new Set<string>()
  for (const report of reports.flatMap((told) => Option.toArray(decode(told)))) {
    if (report.type === "chat.message") {
      if (!children.has(report.sessionID)) steps.push({ id: report.sessionID, derived: false })
      continue
    }
    const { id, parentID, title } = report.info
    if (typeof parentID === "string") children.add(id)
    else steps.push({ id, derived: !isFork(title) || title.includes(titleMark) })
  }
  return steps
}

/** OpenCode's own interface on exactly this session. The session's rules hold there as they do here. */
export const makeTerminal = (options: OpenCodeOptions): TerminalAccess<OpenCodeCursor> => {
  const opened = (
    session: ReadonlyArray<string>,
    { extraEnv, flags, loads, mode, reports }: TerminalRequest
  ) => {
    // By configuration its sub-agents ask too, and so do sessions that are begun there, to which no rule is copied.
    const asking = mode === "full-access" ? {} : { permission: serverPermission }
    const own = options.config?.["plugin"]
    const plugins = [
      ...(Array.isArray(own) ? (own as ReadonlyArray<unknown>) : []),
      ...(reports === null ? [] : [plugin])
    ]
    const config = {
      ...baseConfig,
      ...options.config,
      ...asking,
      ...(plugins.length > 0 && { plugin: plugins })
    }
    return {
      command: options.binary,
      args: [...session, ...withoutFlags(flags, choosing)],
      env: {
        ...options.terminalEnvironment,
        ...extraEnv,
        ...(loads === null && keptOutOfInterface),
        OPENCODE_DISABLE_AUTOUPDATE: "1",
        XDG_DATA_HOME: dataHome(options.environment),
        OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
        ...(mode !== "full-access" && { OPENCODE_PERMISSION: JSON.stringify(serverPermission) }),
        ...(reports !== null && { REJOIN_REPORTS: reports })
      }
    }
  }
  return {
    command: ({ providerSessionId }, request) =>
      Effect.sync(() => opened(["--session", providerSessionId], request)),
    begin: (request) => Effect.sync(() => ({ ...opened([], request), assigned: null })),
    // A fork of one that was begun there has nothing of ours in its title: the thread stays with that one.
    begun: ({ reports }) =>
      Effect.sync(() => {
        const id = followedFrom("", stepsOf(reports, "\0"))
        return id === "" ? Option.none() : Option.some(ProviderSessionId.make(id))
      }),
    follow: (cursor, { reports, titleMark }) => {
      const id = followedFrom(cursor.providerSessionId, stepsOf(reports, titleMark))
      return Effect.succeed(
        id === cursor.providerSessionId ? Option.none() : Option.some(cursorOf(id, cursor.storeId))
      )
    }
  }
}

/** Where the user's own configuration is: of nobody's repository. */
export const configHomes = (environment: Readonly<Record<string, string>>): ReadonlyArray<string> => [
  `${environment["XDG_CONFIG_HOME"] ?? `${environment["HOME"] ?? ""}/.config`}/opencode`,
  ...["OPENCODE_CONFIG", "OPENCODE_CONFIG_DIR"].flatMap((name) => environment[name] ?? [])
]

/** Under which OpenCode keeps its data. */
export const dataHome = (environment: Readonly<Record<string, string>>): string =>
  environment["XDG_DATA_HOME"] ?? `${environment["HOME"] ?? ""}/.local/share`
