import { Effect, FileSystem, Option, Path, Result } from "effect"
import { createRequire } from "node:module"
import { arch, platform } from "node:os"

/** The agents whose npm package is a wrapper around a native program, which is started directly. */
export type NativeAgent = "codex" | "claude"

const triples: Readonly<Record<string, string>> = {
  "linux-x64": "x86_64-unknown-linux-musl",
  "linux-arm64": "aarch64-unknown-linux-musl",
  "darwin-x64": "x86_64-apple-darwin",
  "darwin-arm64": "aarch64-apple-darwin"
}

/** The platform's own package of an agent, and where the program is in it. */
const nativeOf = (agent: NativeAgent) => {
  const system = `${platform()}-${arch()}`
  return agent === "codex"
    ? [{ name: `@openai/codex-${system}`, file: `vendor/${triples[system] ?? system}/bin/codex` }]
    : [system, `${system}-musl`].map((system) => ({
        name: `@anthropic-ai/claude-code-${system}`,
        file: "claude"
      }))
}

/** The native program of the npm package whose `package.json` this is; undefined where it is not installed. */
export const nativeProgram = Effect.fnUntraced(function* (agent: NativeAgent, packageJson: string) {
  const fs = yield* FileSystem.FileSystem
  const { dirname, join } = yield* Path.Path
  const require = createRequire(packageJson)
  for (const { file, name } of nativeOf(agent)) {
    const found = Result.try(() => require.resolve(`${name}/package.json`))
    if (Result.isFailure(found)) continue
    const program = join(dirname(found.success), file)
    if (yield* Effect.orElseSucceed(fs.exists(program), () => false)) return program
  }
  return undefined
})

/**
 * The program that the user has installed: what the PATH has, or the native one behind it where that is a wrapper in
 * JavaScript, which would abort turns when it is killed.
 */
export const installedProgram = Effect.fnUntraced(function* (agent: NativeAgent, path: string) {
  const fs = yield* FileSystem.FileSystem
  const { dirname, join } = yield* Path.Path
  for (const directory of path.split(":").filter((directory) => directory !== "")) {
    const real = yield* Effect.option(fs.realPath(join(directory, agent)))
    if (Option.isNone(real)) continue
    const program = real.value
    // By its link: an agent that updates itself lets that lead to its new version, and removes the old one.
    if (!/\.(js|cjs|mjs)$/.test(program)) return join(directory, agent)
    const native = yield* nativeProgram(agent, join(dirname(dirname(program)), "package.json"))
    return native ?? program
  }
  return undefined
})
