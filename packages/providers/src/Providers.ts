import * as Acp from "@rejoin/adapter-acp/AcpAdapter"
import * as Claude from "@rejoin/adapter-claude/ClaudeAdapter"
import * as Codex from "@rejoin/adapter-codex/CodexAdapter"
import * as Ollama from "@rejoin/adapter-ollama/OllamaAdapter"
import * as OpenCode from "@rejoin/adapter-opencode/OpenCodeAdapter"
import type { ProviderConfig } from "@rejoin/contracts/Config"
import { InvalidInput } from "@rejoin/contracts/Errors"
import type { ProviderAdapter } from "@rejoin/core/providers/ProviderAdapter"
import type { ProcessOwner } from "@rejoin/agent-kit/ProcessOwner"
import { ollamaUrl } from "./OllamaListens.ts"
import { Effect, type FileSystem, type Layer, Redacted } from "effect"
import type { ChildProcessSpawner } from "effect/process"

/** What the adapters need to know of the machine that they run on. */
export interface Surroundings {
  /** Our own environment. What is ours in it (`REJOIN_*`) never reaches an agent. */
  readonly environment: Readonly<Record<string, string>>
  /** The agents' own programs where an instance names none. */
  readonly opencode: string | undefined
  readonly codex: string | undefined
  readonly claude: string | undefined
  /** Our own data directory: what no agent keeps is kept there. */
  readonly dataDirectory: string
}

/** An instance as it is configured, and what is merged into the agent's own configuration for it. */
export interface Instance extends ProviderConfig {
  readonly agentConfig?: Readonly<Record<string, unknown>>
}

export type AdapterLayer = Layer.Layer<
  ProviderAdapter,
  never,
  FileSystem.FileSystem | ChildProcessSpawner.ChildProcessSpawner | ProcessOwner
>

const environmentOf = (surroundings: Surroundings, { env, home }: Instance): Record<string, string> => {
  const inherited = Object.entries(surroundings.environment).filter(
    ([name]) => !name.startsWith("REJOIN_") && !(home !== undefined && name.startsWith("XDG_"))
  )
  return { ...Object.fromEntries(inherited), ...(home !== undefined && { HOME: home }), ...env }
}

/** What a user's terminal must be given to find the same data: what is the instance's own, and nothing of ours. */
const terminalEnvironmentOf = ({ env, home }: Instance): Record<string, string> => ({
  ...(home !== undefined && {
    HOME: home,
    XDG_CONFIG_HOME: `${home}/.config`,
    XDG_DATA_HOME: `${home}/.local/share`,
    XDG_STATE_HOME: `${home}/.local/state`,
    XDG_CACHE_HOME: `${home}/.cache`
  }),
  ...env
})

/** The adapter of a configured instance, as a layer. */
export const adapterOf = (
  surroundings: Surroundings,
  instance: Instance
): Effect.Effect<AdapterLayer, InvalidInput> => {
  const { driver, id } = instance
  switch (driver) {
    case "opencode": {
      const environment = environmentOf(surroundings, instance)
      const password = environment["OPENCODE_SERVER_PASSWORD"]
      return Effect.succeed(
        OpenCode.layer({
          id,
          binary: instance.binary ?? surroundings.opencode ?? "opencode",
          url: instance.url,
          password:
            instance.url !== undefined && password !== undefined ? Redacted.make(password) : undefined,
          environment: { ...environment, OPENCODE_DISABLE_AUTOUPDATE: "1" },
          terminalEnvironment: terminalEnvironmentOf(instance),
          config: instance.agentConfig ?? {},
          model: instance.model
        })
      )
    }
    case "codex":
      return Effect.succeed(
        Codex.layer({
          id,
          binary: instance.binary ?? surroundings.codex ?? "codex",
          environment: environmentOf(surroundings, instance),
          terminalEnvironment: terminalEnvironmentOf(instance),
          model: instance.model
        })
      )
    case "claude":
      return Effect.succeed(
        Claude.layer({
          id,
          binary: instance.binary ?? surroundings.claude ?? "claude",
          environment: environmentOf(surroundings, instance),
          terminalEnvironment: terminalEnvironmentOf(instance),
          model: instance.model
        })
      )
    case "acp": {
      const [binary, ...args] = instance.command ?? []
      if (binary === undefined) {
        return Effect.fail(
          new InvalidInput({
            field: "providers",
            message: `The provider ${id} needs its command, as ["gemini", "--acp"].`
          })
        )
      }
      return Effect.succeed(
        Acp.layer({
          id,
          command: [binary, ...args],
          environment: environmentOf(surroundings, instance),
          directory: `${surroundings.dataDirectory}/acp`,
          model: instance.model
        })
      )
    }
    case "ollama": {
      const environment = environmentOf(surroundings, instance)
      const wire = instance.wire ?? "ollama"
      // A key in our own environment is for whom that names: only an instance's own goes to its server.
      const key = instance.env?.[wire === "ollama" ? "OLLAMA_API_KEY" : "OPENAI_API_KEY"]
      const url = instance.url ?? (wire === "ollama" ? ollamaUrl(environment["OLLAMA_HOST"]) : undefined)
      if (
        url === undefined ||
        !/^https?:\/\/./.test(url) ||
        !URL.canParse(url) ||
        new URL(url).username !== "" ||
        new URL(url).password !== ""
      ) {
        return Effect.fail(
          new InvalidInput({
            field: "providers",
            message: `The provider ${id} needs the url of its server, as http://127.0.0.1:8000/v1, without a name and a password in it.`
          })
        )
      }
      return Effect.succeed(
        Ollama.layer({
          id,
          wire,
          url: url.replace(/\/+$/, ""),
          key: key !== undefined ? Redacted.make(key) : undefined,
          model: instance.model,
          context: instance.context,
          directory: `${surroundings.dataDirectory}/conversations/${id}`
        })
      )
    }
    default:
      return Effect.fail(
        new InvalidInput({
          field: "providers",
          message: `The provider ${id} has the driver ${driver}, which this version does not have. It has: acp, claude, codex, ollama, opencode.`
        })
      )
  }
}
