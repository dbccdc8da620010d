// Builds what `npm start`, the command and the tests run: each program as one file, and the page. A program of hundreds of
// files takes longer to load than to do its work. Runs on the workspace's own Node; run.mjs calls it where it is needed.
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stamp = join(root, "node_modules", ".cache", "programs")

/** Each by the directory that it is built in: from there it finds what is not part of it. */
const programs = {
  // OpenCode loads the plugin by itself, in a user's terminal.
  "apps/server": [
    "src/main.ts",
    "src/demo.ts",
    "src/doctor.ts",
    "src/channels.ts",
    "../../packages/adapter-opencode/src/TerminalPlugin.ts"
  ],
  "apps/cli": ["src/main.ts"],
  e2e: ["src/crash/server.ts"]
}

// Its agents are not there where nobody tests.
if (!existsSync(join(root, "e2e", "node_modules"))) delete programs.e2e

const sources = ["apps", "packages"].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => join(group, name, "src"))
)

/** Changes with every source, and with what is installed. */
function state() {
  const hash = createHash("sha256").update(Object.keys(programs).join(" "))
  for (const directory of [...sources, "e2e/src/crash"]) {
    if (!existsSync(join(root, directory))) continue
    for (const name of readdirSync(join(root, directory), { recursive: true }).map(String).sort()) {
      const { mtimeMs, size } = statSync(join(root, directory, name))
      hash.update(`${directory}/${name} ${mtimeMs} ${size}\n`)
    }
  }
  for (const file of [
    "pnpm-lock.yaml",
    "scripts/programs.mjs",
    "apps/console/vite.config.ts",
    "apps/console/index.html"
  ])
    hash.update(readFileSync(join(root, file)))
  return hash.digest("hex")
}

/** Whether what is built is of the sources as they are. */
export const isBuilt = () => existsSync(stamp) && readFileSync(stamp, "utf8") === state()

async function build() {
  const now = state()
  const packages = new Set()
  const { rolldown } = await import("rolldown")
  for (const [directory, entries] of Object.entries(programs)) {
    const bundle = await rolldown({
      cwd: join(root, directory),
      input: Object.fromEntries(
        entries.map((entry) => [entry.replace(/^.*src\/(.*)\.ts$/, "$1").replace("/", "-"), entry])
      ),
      platform: "node",
      logLevel: "silent"
    })
    const { output } = await bundle.write({
      dir: join(root, directory, "dist"),
      format: "esm",
      entryFileNames: "[name].js",
      // Read at every start: without blanks and comments it is two thirds. Names stay, for whoever reads a stack.
      minify: { mangle: false, compress: true, codegen: { removeWhitespace: true } },
      cleanDir: true
    })
    await bundle.close()
    for (const id of output.flatMap(({ moduleIds }) => moduleIds ?? [])) {
      const [, path] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id) ?? []
      if (path !== undefined && directory.startsWith("apps/")) packages.add(relative(root, path))
    }
  }
  // Whose licences go with what is packed.
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(
    join(dirname(stamp), "bundled.json"),
    JSON.stringify([...packages].sort((a, b) => a.localeCompare(b)))
  )
  const { build: vite } = await import("vite")
  await vite({ root: join(root, "apps/console"), logLevel: "warn" })
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, now)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build()
