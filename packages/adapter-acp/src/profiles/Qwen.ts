import { modelFailure, refusalOf } from "@rejoin/agent-kit/ModelFailure"
import { Option, Predicate, Schema } from "effect"
import type { AcpProfile, Powers } from "../AcpProfile.ts"
import { qwenStore } from "./QwenStore.ts"
import { from } from "./Versions.ts"

// Qwen Code: docs/providers/qwen.md.

/** Each of them can change something, start something that does, or reach outside. */
const tools = [
  "Bash",
  "Edit",
  "Write",
  "NotebookEdit",
  "Monitor",
  "WebFetch",
  "WebSearch",
  "Agent",
  "cron_create",
  "enter_worktree",
  "send_message"
]

/**
 * The system's settings, which go before the user's and the repository's. Directories are never trusted: nothing that a
 * repository brings is loaded. Sub-agents and timers, which begin turns by themselves, are never there.
 */
const settings = (permissions: Readonly<Record<string, ReadonlyArray<string>>>) =>
  JSON.stringify({
    security: { folderTrust: { enabled: true } },
    permissions,
    memory: { enableManagedAutoMemory: false, enableManagedAutoDream: false },
    ui: { enableFollowupSuggestions: false },
    experimental: { sessionWriterLease: true },
    general: { enableAutoUpdate: false }
  })

const powers = (file: string, mode: string, answers: Powers["answers"]): Powers => ({
  env: {
    QWEN_CODE_SYSTEM_SETTINGS_PATH: "{files}/system.json",
    QWEN_CODE_TRUSTED_FOLDERS_PATH: "{files}/nothing-is-trusted.json"
  },
  files: { "system.json": file },
  set: [{ by: "option", id: "mode", value: mode }],
  answers
})
const background = ["Agent", "cron_create"]
const asking = settings({ ask: tools.filter((tool) => !background.includes(tool)), deny: background })

const decodeShell = Schema.decodeUnknownOption(
  Schema.Struct({
    type: Schema.Literal("shell_result"),
    output: Schema.optionalKey(Schema.NullOr(Schema.String)),
    directory: Schema.optionalKey(Schema.NullOr(Schema.String)),
    exitCode: Schema.optionalKey(Schema.NullOr(Schema.Int))
  })
)
const decodeUsage = Schema.decodeUnknownOption(
  Schema.Struct({ usage: Schema.Struct({ inputTokens: Schema.Finite, outputTokens: Schema.Finite }) })
)
const decodeQuestions = Schema.decodeUnknownOption(
  Schema.Struct({
    qwenQuestions: Schema.Array(
      Schema.Struct({
        question: Schema.String,
        header: Schema.optionalKey(Schema.String),
        options: Schema.Array(
          Schema.Struct({ label: Schema.String, description: Schema.optionalKey(Schema.String) })
        ),
        multiSelect: Schema.optionalKey(Schema.Boolean)
      })
    )
  })
)

export const qwen: AcpProfile = {
  name: "qwen-code",
  title: "Qwen Code",
  isSupported: from("0.24.4"),
  supported: "0.24.4 and later 0.x",
  // Else a second process writes on when the first is killed.
  env: { QWEN_CODE_NO_RELAUNCH: "1" },
  modes: {
    "read-only": powers(settings({ deny: tools }), "plan", "none"),
    "approval-required": powers(asking, "default", "user"),
    "auto-accept-edits": powers(asking, "default", "edits"),
    // Its own mode for that ignores our settings, and lets a repository's code run.
    "full-access": powers(asking, "default", "all")
  },
  allow: "proceed_once",
  reject: "cancel",
  questions: ({ toolCall: { _meta } }) =>
    Option.getOrUndefined(decodeQuestions(_meta))?.qwenQuestions.map(({ multiSelect, ...question }) => ({
      ...question,
      ...(multiSelect === true && { multiple: true })
    })),
  answered: (answers) => ({
    outcome: { outcome: "selected", optionId: "proceed_once" },
    answers: Object.fromEntries(answers.map((labels, at) => [String(at), labels.join(", ")]))
  }),
  open: "resume",
  heldCode: -32020,
  ownId: "qwen-code/sessionId",
  escapes: true,
  model: { args: (model) => ["--model", model] },
  systemPrompt: (text) => ({ args: ["--append-system-prompt", text] }),
  tool: ({ rawOutput }) => {
    const shell = Option.getOrUndefined(decodeShell(rawOutput))
    return {
      ...(shell?.directory != null && { cwd: shell.directory }),
      ...(shell?.exitCode != null && { exitCode: shell.exitCode }),
      ...(shell?.output != null && { output: shell.output })
    }
  },
  usedIn: (update) =>
    update.sessionUpdate === "agent_message_chunk"
      ? Option.getOrUndefined(decodeUsage(update._meta))?.usage
      : undefined,
  failure: (provider, { data, message }) => {
    const details =
      Predicate.hasProperty(data, "details") && Predicate.isString(data.details) ? data.details : message
    const status = Number(/^(\d{3}) /.exec(details)?.[1] ?? Number.NaN)
    return modelFailure({
      provider,
      agent: "Qwen Code",
      message: details,
      refusal: Number.isNaN(status) ? undefined : refusalOf(status),
      detail: { status: Number.isNaN(status) ? null : status }
    })
  },
  store: qwenStore
}
