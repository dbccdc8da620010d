import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { type AcpAgent, acpCommandAt } from "@rejoin/providers/AcpPrograms"
import { type NativeAgent, nativeProgram } from "@rejoin/providers/Programs"
import { Effect, FileSystem } from "effect"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"

/** The real agents, each with a home of its own in the world's directory, whose only model is the scripted one. */
export type Agent = "opencode" | "codex" | "claude"
/** And those that speak the Agent Client Protocol. */
export type AnyAgent = Agent | AcpAgent

export const opencode = ProviderInstanceId.make("opencode")
export const codex = ProviderInstanceId.make("codex")
export const claude = ProviderInstanceId.make("claude")
export const instances: Readonly<Record<Agent, ProviderInstanceId>> = { opencode, codex, claude }

const packages: Readonly<Record<NativeAgent, string>> = {
  codex: "@openai/codex",
  claude: "@anthropic-ai/claude-code"
}

/** The agent's own program, out of its npm package. */
export const programOf = Effect.fnUntraced(function* (agent: NativeAgent) {
  const manifest = createRequire(import.meta.url).resolve(`${packages[agent]}/package.json`)
  const program = yield* nativeProgram(agent, manifest)
  return program ?? (yield* Effect.die(`${packages[agent]} has no program for this system`))
})

const acpPackages: Readonly<Record<AcpAgent, string>> = {
  copilot: "@github/copilot/npm-loader.js",
  gemini: "@google/gemini-cli/bundle/gemini.js",
  qwen: "@qwen-code/qwen-code/cli.js"
}

/** How an agent of the Agent Client Protocol is started, out of its npm package. */
const acpCommandOf = Effect.fnUntraced(function* (agent: AcpAgent) {
  const [name, ...file] = acpPackages[agent].split(/\/(?=[^/]*$|bundle)/)
  const packages = createRequire(import.meta.url).resolve.paths(name ?? "") ?? []
  const fs = yield* FileSystem.FileSystem
  for (const place of packages) {
    const path = `${place}/${name}/${file.join("/")}`
    if (yield* Effect.orElseSucceed(fs.exists(path), () => false)) {
      const command = yield* acpCommandAt(agent, path)
      if (command !== undefined) return command
    }
  }
  return yield* Effect.die(`${name} is not installed`)
})

/** Configures an agent under `root`, and returns its instance as `config.json` has it. Nothing reaches the network. */
export const instanceOf = Effect.fnUntraced(function* (agent: AnyAgent, root: string, model: string) {
  const fs = yield* FileSystem.FileSystem
  const home = `${root}/${agent === "opencode" ? "agent" : agent}`
  yield* fs.makeDirectory(home, { recursive: true })
  switch (agent) {
    case "opencode":
      yield* configureOpenCode(home, `${model}/v1`)
      return opencodeInstance(home)
    case "codex": {
      yield* fs.makeDirectory(`${root}/tmp`, { recursive: true })
      yield* fs.writeFileString(`${home}/config.toml`, codexConfig(`${model}/v1`))
      return {
        id: "codex",
        driver: "codex",
        binary: yield* programOf("codex"),
        // It does not want its home under the directory of temporary files.
        env: { CODEX_HOME: home, TMPDIR: `${root}/tmp` }
      }
    }
    case "claude":
      return {
        id: "claude",
        driver: "claude",
        binary: yield* programOf("claude"),
        env: claudeEnvironment(home, model)
      }
    case "copilot":
      return {
        id: agent,
        driver: "acp",
        command: yield* acpCommandOf(agent),
        env: {
          HOME: home,
          // It unpacks itself at its first start: once a machine, not once a test.
          XDG_CACHE_HOME: `${tmpdir()}/rejoin-e2e-cache`,
          COPILOT_PROVIDER_BASE_URL: `${model}/v1`,
          COPILOT_PROVIDER_API_KEY: "none",
          COPILOT_MODEL: "scripted",
          COPILOT_OFFLINE: "true"
        }
      }
    case "qwen":
      yield* fs.makeDirectory(`${home}/.qwen`, { recursive: true })
      yield* fs.writeFileString(
        `${home}/.qwen/settings.json`,
        JSON.stringify({ security: { auth: { selectedType: "openai" } } })
      )
      return {
        id: agent,
        driver: "acp",
        command: yield* acpCommandOf(agent),
        env: {
          HOME: home,
          OPENAI_API_KEY: "none",
          OPENAI_BASE_URL: `${model}/v1`,
          OPENAI_MODEL: "scripted"
        }
      }
    case "gemini":
      return {
        id: agent,
        driver: "acp",
        command: yield* acpCommandOf(agent),
        env: { HOME: home, GEMINI_API_KEY: "none", GOOGLE_GEMINI_BASE_URL: model }
      }
  }
})

export const claudeEnvironment = (home: string, model: string) => ({
  CLAUDE_CONFIG_DIR: home,
  ANTHROPIC_BASE_URL: model,
  ANTHROPIC_API_KEY: "none",
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  CLAUDE_CODE_MAX_RETRIES: "2",
  // The tests may run as root.
  IS_SANDBOX: "1"
})

const codexConfig = (baseUrl: string) => `model = "gpt-5.5"
model_provider = "scripted"
check_for_update_on_startup = false
web_search = "disabled"
model_context_window = 128000
[model_providers.scripted]
name = "scripted"
base_url = "${baseUrl}"
wire_api = "responses"
requires_openai_auth = false
request_max_retries = 1
stream_max_retries = 1
stream_idle_timeout_ms = 20000
supports_websockets = false
[analytics]
enabled = false
[feedback]
enabled = false
[features]
plugins = false
apps = false
`

/** An OpenCode of its own home, whose only model is the scripted one. Nothing of it reaches the network. */
export const opencodeInstance = (home: string) => ({
  id: "opencode",
  driver: "opencode",
  home,
  env: {
    OPENCODE_CONFIG: `${home}/opencode.json`,
    OPENCODE_DISABLE_MODELS_FETCH: "1",
    OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
    OPENCODE_DISABLE_DEFAULT_PLUGINS: "1"
  }
})

const configureOpenCode = Effect.fnUntraced(function* (home: string, baseURL: string) {
  const fs = yield* FileSystem.FileSystem
  const models = {
    scripted: {
      name: "Scripted",
      tool_call: true,
      reasoning: true,
      limit: { context: 128_000, output: 8000 }
    }
  }
  const provider = {
    npm: "@ai-sdk/openai-compatible",
    name: "Test",
    options: { baseURL, apiKey: "none" },
    models
  }
  const config = {
    $schema: "https://opencode.ai/config.json",
    autoupdate: false,
    share: "disabled",
    // Its own undo: several processes of git a turn, which no test looks at.
    snapshot: false,
    model: "test/scripted",
    small_model: "test/scripted",
    enabled_providers: ["test"],
    provider: { test: provider }
  }
  yield* fs.writeFileString(`${home}/opencode.json`, JSON.stringify(config))
  // A configuration directory that lists the plugin package is not installed into from the network.
  const directory = `${home}/.config/opencode`
  const dependencies = { "@opencode-ai/plugin": "*" }
  yield* fs.makeDirectory(`${directory}/node_modules`, { recursive: true })
  yield* fs.writeFileString(`${directory}/package.json`, JSON.stringify({ private: true, dependencies }))
  const lock = { lockfileVersion: 3, packages: { "": { dependencies } } }
  yield* fs.writeFileString(`${directory}/package-lock.json`, JSON.stringify(lock))
})
