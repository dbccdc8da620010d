import { assert, describe, it } from "@effect/vitest"
import { ProviderInstanceId, StoreId } from "@rejoin/contracts/Ids"
import { Effect, Option } from "effect"
import { cursorOf } from "./ClaudeCursor.ts"
import { makeTerminal } from "./ClaudeTerminal.ts"
import type { ClaudeTranscripts } from "./ClaudeTranscripts.ts"

const transcripts = { find: () => Effect.succeed(["/a.jsonl"]) } as unknown as ClaudeTranscripts
const terminal = makeTerminal(
  {
    id: ProviderInstanceId.make("claude"),
    binary: "claude",
    environment: { HOME: "/home/ada", SECRET: "not the instance's own" },
    terminalEnvironment: { ANTHROPIC_BASE_URL: "http://127.0.0.1:1" }
  },
  transcripts,
  {
    filesFor: ({ loads, session, systemPrompt }) =>
      Effect.succeed({
        prompt: systemPrompt === null ? [] : ["--append-system-prompt-file", `/scratch/${session}`],
        directories: loads === null ? ["/work"] : [],
        env: loads === null ? { MEMORY: "1" } : {}
      })
  }
)
const cursor = cursorOf("11111111-1111-4111-8111-111111111111", StoreId.make("store"))
const request = {
  cwd: "/work",
  mode: "read-only",
  model: null,
  systemPrompt: "Be brief.",
  extraEnv: {},
  additionalDirectories: [],
  loads: null
} as const
const told = (source: string, session_id: string) => ({ hook_event_name: "SessionStart", source, session_id })
const followed = (...reports: ReadonlyArray<unknown>) =>
  Effect.map(terminal.follow(cursor, { reports, titleMark: "" }), (next) =>
    Option.getOrUndefined(Option.map(next, ({ providerSessionId }) => providerSessionId as string))
  )

describe("Claude's own interface in a user's terminal", () => {
  it.effect(
    "law 4: what the directory brings is left out, unless that was trusted; no prompt in an argument",
    () =>
      Effect.gen(function* () {
        const args = (loads: string | null) =>
          Effect.map(terminal.command(cursor, { ...request, loads, flags: [], reports: null }), ({ args }) =>
            args.join(" ")
          )
        const kept = yield* args(null)
        assert.include(kept, "--setting-sources user")
        assert.include(kept, "--add-dir /work")
        assert.notInclude(kept, "Be brief.")
        assert.notInclude(yield* args("trusted"), "--setting-sources")
      })
  )

  it.effect(
    "E1, E3, E14: this session, whatever the user's options choose; without the hook where it is off",
    () =>
      Effect.gen(function* () {
        const flags = ["--continue", "--resume", "other", "--verbose"]
        const off = yield* terminal.command(cursor, { ...request, flags, reports: null })
        assert.deepEqual(off.args.slice(0, 4), [
          "--resume",
          cursor.providerSessionId,
          "--permission-mode",
          "dontAsk"
        ])
        assert.strictEqual(off.args.filter((arg) => arg === "--resume" || arg === "--continue").length, 1)
        assert.strictEqual(off.args.at(-1), "--verbose")
        assert.notInclude(off.args.join(" "), "hooks")
        const on = yield* terminal.command(cursor, { ...request, flags, reports: "/scratch/r.jsonl" })
        assert.include(on.args.join(" "), "/scratch/r.jsonl")
      })
  )

  it.effect("its environment is what is the instance's own, and where its sessions are", () =>
    Effect.gen(function* () {
      const { env } = yield* terminal.command(cursor, { ...request, flags: [], reports: null })
      assert.deepEqual(env, {
        ANTHROPIC_BASE_URL: "http://127.0.0.1:1",
        MEMORY: "1",
        CLAUDE_CONFIG_DIR: "/home/ada/.claude"
      })
    })
  )

  it.effect(
    "E4, E6, E7: /clear and /branch are followed; /resume, /compact and what is no report are not",
    () =>
      Effect.gen(function* () {
        const own = cursor.providerSessionId
        assert.isUndefined(yield* followed(told("resume", own), told("compact", own)))
        assert.strictEqual(yield* followed(told("resume", own), told("clear", "b"), told("fork", "c")), "c")
        assert.isUndefined(yield* followed(told("resume", "other"), told("clear", "of other")))
        assert.isUndefined(
          yield* followed(null, "x", { ...told("clear", "b"), hook_event_name: "Stop" }, told("clear", ""))
        )
      })
  )
})
