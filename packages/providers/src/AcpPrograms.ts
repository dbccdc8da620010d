import { Effect, FileSystem, Option, Path, Result } from "effect"
import { createRequire } from "node:module"
import { arch, platform } from "node:os"

/** The agents that are looked for on the PATH and speak the Agent Client Protocol. */
export const acpAgents = ["copilot", "gemini", "qwen"] as const
export type AcpAgent = (typeof acpAgents)[number]

type Command = readonly [string, ...ReadonlyArray<string>]

/** The program behind a wrapper in JavaScript: one process, which is the agent, is ended as one. */
const behind = Effect.fnUntraced(function* (agent: AcpAgent, script: string) {
  const fs = yield* FileSystem.FileSystem
  const { dirname, join } = yield* Path.Path
  const node = (file: string): Command => [process.execPath, file, "--acp"]
  switch (agent) {
    case "copilot": {
      const require = createRequire(script)
      for (const system of [`${platform()}-${arch()}`, `linuxmusl-${arch()}`]) {
        const found = Result.try(() => require.resolve(`@github/copilot-${system}`))
        if (Result.isSuccess(found)) return [found.success, "--acp"] satisfies Command
      }
      return node(script)
    }
    case "qwen": {
      const whole = join(dirname(script), "cli.js")
      return node((yield* Effect.orElseSucceed(fs.exists(whole), () => false)) ? whole : script)
    }
    case "gemini":
      return node(script)
  }
})

/** How an agent that is at this path is started; through links. */
export const acpCommandAt = Effect.fnUntraced(function* (agent: AcpAgent, path: string) {
  const fs = yield* FileSystem.FileSystem
  const real = yield* Effect.option(fs.realPath(path))
  if (Option.isNone(real)) return undefined
  const isScript = /\.(js|cjs|mjs)$/.test(real.value)
  const command: Command = isScript ? yield* behind(agent, real.value) : [path, "--acp"]
  return command
})

/** How the agent that the PATH has is started; undefined where it has none. */
export const acpCommand = Effect.fnUntraced(function* (agent: AcpAgent, path: string) {
  const { join } = yield* Path.Path
  for (const directory of path.split(":").filter((directory) => directory !== "")) {
    const found = yield* acpCommandAt(agent, join(directory, agent))
    if (found !== undefined) return found
  }
  return undefined
})
