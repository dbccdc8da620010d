// Type-checks the package in the working directory with Effect's diagnostics:
// the executable of @effect/tsgo is a full TypeScript compiler that reports them too.
import { execFileSync, spawnSync } from "node:child_process"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

const root = dirname(createRequire(import.meta.url).resolve("@effect/tsgo/package.json"))
const cli = join(root, createRequire(import.meta.url)("@effect/tsgo/package.json").bin["effect-tsgo"])
const exe = execFileSync(process.execPath, [cli, "get-exe-path"], { encoding: "utf8" }).trim()
const { status } = spawnSync(exe, ["-p", "tsconfig.json", ...process.argv.slice(2)], { stdio: "inherit" })
process.exit(status ?? 1)
