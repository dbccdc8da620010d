import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { recallName } from "@rejoin/model-server/Recall"
import type { Instance } from "@rejoin/providers/Providers"
import { Effect, FileSystem, Option, Path, Predicate, Result } from "effect"
import { createRequire } from "node:module"
import { arch, platform } from "node:os"

// The variables by which OpenCode's common model providers take a key.
const keys =
  /^(ANTHROPIC|OPENAI|OPENROUTER|GEMINI|GOOGLE_GENERATIVE_AI|GROQ|XAI|MISTRAL|DEEPSEEK|AZURE)_API_KEY$/

/** OpenCode's own program out of its npm package, where that is installed as seen from this file. */
export const openCodeBeside = Effect.fnUntraced(function* (from: string) {
  const fs = yield* FileSystem.FileSystem
  const { dirname, join } = yield* Path.Path
  const cpu = yield* fs.readFileString("/proc/cpuinfo").pipe(Effect.orElseSucceed(() => "avx2"))
  const names = [`opencode-${platform()}-${arch()}`, `opencode-${platform()}-${arch()}-baseline`]
  const wrapper = Result.try(() => createRequire(from).resolve("opencode-ai/package.json"))
  if (Result.isFailure(wrapper)) return undefined
  const require = createRequire(wrapper.success)
  for (const name of cpu.includes("avx2") ? names : names.toReversed()) {
    const found = Result.try(() => require.resolve(`${name}/package.json`))
    if (Result.isSuccess(found)) return join(dirname(found.success), "bin", "opencode")
  }
  return undefined
})

/** The one that a clone of ours installs. */
export const bundledBinary = openCodeBeside(import.meta.url)

/** Whether the user's OpenCode has an account or a configuration of its own, without reading what is secret in it. */
const isConfigured = Effect.fnUntraced(function* (environment: Readonly<Record<string, string>>) {
  const fs = yield* FileSystem.FileSystem
  const { join } = yield* Path.Path
  if (Object.keys(environment).some((name) => keys.test(name))) return true
  if (environment["OPENCODE_CONFIG"] !== undefined) return true
  const home = environment["HOME"] ?? "/"
  const data = environment["XDG_DATA_HOME"] ?? join(home, ".local/share")
  const config = environment["XDG_CONFIG_HOME"] ?? join(home, ".config")
  const auth = yield* fs.readFileString(join(data, "opencode/auth.json")).pipe(Effect.option)
  const accounts = Option.map(auth, (text) =>
    Result.getOrUndefined(Result.try(() => JSON.parse(text) as unknown))
  )
  if (Option.exists(accounts, (value) => Predicate.isObject(value) && Object.keys(value).length > 0))
    return true
  const files = ["opencode.json", "opencode.jsonc"].map((name) => join(config, "opencode", name))
  const texts = yield* Effect.forEach(files, (file) => Effect.option(fs.readFileString(file)))
  return texts.some(Option.exists((text) => /"(model|provider)"\s*:/.test(text)))
})

/**
 * The instance for those who have configured none: the user's own OpenCode where it has a model, else one with the
 * built-in model, its data and configuration kept in our own directory.
 */
export const defaultInstance = Effect.fnUntraced(function* (
  home: string,
  environment: Readonly<Record<string, string>>,
  recallUrl: Effect.Effect<string>,
  /** Where it is only looked at, nothing is laid out for it. */
  prepare: boolean
) {
  const id = ProviderInstanceId.make("opencode")
  if (yield* isConfigured(environment)) return { id, driver: "opencode" } satisfies Instance
  const { join } = yield* Path.Path
  const own = join(home, "opencode")
  if (prepare) yield* noPluginInstall(join(own, ".config/opencode"))
  const instance: Instance = {
    id,
    driver: "opencode",
    home: own,
    env: {
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
      OPENCODE_DISABLE_DEFAULT_PLUGINS: "1"
    },
    agentConfig: recallConfig(yield* recallUrl)
  }
  return instance
})

/** OpenCode's own way to a model that speaks OpenAI's chat completions. */
export const recallConfig = (baseURL: string) => ({
  model: "recall/recall",
  small_model: "recall/recall",
  enabled_providers: ["recall"],
  provider: {
    recall: {
      npm: "@ai-sdk/openai-compatible",
      name: "Recall (built-in, offline)",
      options: { baseURL, apiKey: "none" },
      models: { recall: { name: recallName, tool_call: true, limit: { context: 128_000, output: 8_000 } } }
    }
  }
})

/**
 * OpenCode installs its plugin package from the network into each configuration directory that does not list it.
 * Ours needs no plugin, and must work without a network.
 */
const noPluginInstall = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const { join } = yield* Path.Path
  const dependencies = { "@opencode-ai/plugin": "*" }
  yield* fs.makeDirectory(join(directory, "node_modules"), { recursive: true })
  yield* fs.writeFileString(join(directory, "package.json"), JSON.stringify({ private: true, dependencies }))
  const lock = { lockfileVersion: 3, packages: { "": { dependencies } } }
  yield* fs.writeFileString(join(directory, "package-lock.json"), JSON.stringify(lock))
})
