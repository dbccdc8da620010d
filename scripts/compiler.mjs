// The executable of @effect/tsgo: a full TypeScript compiler that reports Effect's diagnostics too.
import { execFileSync, spawnSync } from "node:child_process"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

const require = createRequire(import.meta.url)

/** Compiles the package in the working directory, and returns the exit code. */
export function compile(args) {
  const root = dirname(require.resolve("@effect/tsgo/package.json"))
  const cli = join(root, require("@effect/tsgo/package.json").bin["effect-tsgo"])
  const exe = execFileSync(process.execPath, [cli, "get-exe-path"], { encoding: "utf8" }).trim()
  return spawnSync(exe, args, { stdio: "inherit" }).status ?? 1
}
