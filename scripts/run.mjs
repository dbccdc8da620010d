// `npm start`, `npm test`, `npm run demo` and the command: does the set-up itself, then runs the job on the workspace's own
// Node. Runs on Node 18 and later, with nothing installed.
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { picture } from "./picture.mjs"
import { isBuilt } from "./programs.mjs"
import { scoreboard } from "./scoreboard.mjs"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = join(root, "node_modules", ".bin")
// From npm a script inherits npm's own settings, which pnpm would take for its own and warn of.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(config|package|lifecycle)_/i.test(name))
)
environment.TURBO_TELEMETRY_DISABLED = "1"
environment.PATH = `${bin}:${environment.PATH ?? ""}`
// The tests run what was built, as users do.
environment.REJOIN_BUILT = "1"
// Node compiles the sources once, not at every start.
environment.NODE_COMPILE_CACHE ??= join(root, "node_modules", ".cache", "compiled")

/** What the server, the page and the command need: the agents of the tests are more than half of everything. */
const toRun = ["@rejoin/workspace", "@rejoin/cli...", "@rejoin/console..."].flatMap((name) => [
  "--filter",
  name
])

function install(everything) {
  const stamp = join(root, "node_modules", ".installed")
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "pnpm-lock.yaml")))
    .update(readFileSync(join(root, "pnpm-workspace.yaml")))
    .digest("hex")
  const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : ""
  if (installed === wanted || (!everything && installed === `${wanted} to run`)) return
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  const { status } = spawnSync(
    "npx",
    ["--yes", packageManager, "install", "--frozen-lockfile", ...(everything ? [] : toRun)],
    {
      cwd: root,
      env: environment,
      // The output is the job's own.
      stdio: ["ignore", 2, 2]
    }
  )
  if (status !== 0) process.exit(status ?? 1)
  writeFileSync(stamp, everything ? wanted : `${wanted} to run`)
}

/**
 * Runs a command to its end. npm passes no SIGTERM on, and a killed npm leaves its children: so signals are
 * forwarded, and a change of our parent counts as one.
 */
function run(command, args, cwd = root) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: environment, stdio: "inherit" })
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal))
    const parent = process.ppid
    const watch = setInterval(() => process.ppid !== parent && child.kill("SIGTERM"), 500)
    child.on("exit", (code, signal) => {
      clearInterval(watch)
      resolve(code ?? (signal === "SIGINT" ? 130 : 143))
    })
  })
}

const node = () => (existsSync(join(bin, "node")) ? join(bin, "node") : process.execPath)

/** What the tests drive, and no registry has: a browser and a terminal. Debian's, where they can be had. */
function installPrograms() {
  const isThere = (name) =>
    (environment.PATH ?? "").split(":").some((directory) => existsSync(join(directory, name)))
  const missing = ["chromium", "tmux"].filter(
    (name) => !isThere(name) && !(name === "chromium" && environment.CHROMIUM)
  )
  if (missing.length === 0) return
  const apt = (...args) => spawnSync("apt-get", ["-qq", ...args], { stdio: ["ignore", 2, 2] }).status === 0
  if (
    process.getuid?.() !== 0 ||
    !(apt("update") && apt("install", "-y", "--no-install-recommends", ...missing))
  )
    console.error(
      `The tests of the page and of the command need ${missing.join(" and ")}: install them (apt-get install ${missing.join(" ")}); CHROMIUM can name another browser.`
    )
}

/** Runs the tasks, whose suites leave their reports, and says what came of them in one line. */
async function check(tasks, suites) {
  installPrograms()
  const results = join(root, ".results")
  rmSync(results, { recursive: true, force: true })
  mkdirSync(results)
  const status = await run(join(bin, "turbo"), [
    "run",
    ...tasks,
    "--continue",
    "--output-logs=new-only",
    "--ui=stream",
    "--no-update-notifier"
  ])
  let passed = 0
  let failed = 0
  let again = 0
  for (const suite of suites) {
    const file = join(results, `${suite}.json`)
    if (!existsSync(file)) {
      failed += 1
      console.error(`\n${suite}: did not run to its end`)
      continue
    }
    const report = JSON.parse(readFileSync(file, "utf8"))
    passed += report.numPassedTests
    failed += report.numFailedTests + report.numPendingTests + report.numTodoTests
    if (!report.success && report.numFailedTests === 0) failed += 1
    again += flakesOf(report).length
    for (const told of [...failuresOf(report), ...flakesOf(report)]) console.error(`\n${suite}: ${told}`)
  }
  console.log(`${passed} passed${again > 0 ? ` (${again} at the second try)` : ""}, ${failed} failed`)
  return status === 0 && failed === 0 ? 0 : 1
}

const test = () => check(["types", "//#lint", "//#format", "//#test:unit", "//#test:e2e"], ["unit", "e2e"])

const testLong = () => check(["//#test:fleets"], ["long"])

/** What failed, once more where it is found: at the end. Two suites print into one log before. */
const failuresOf = ({ testResults }) =>
  testResults.flatMap(({ assertionResults, message, name }) => [
    ...(message ? [`${name}\n${message}`] : []),
    ...assertionResults
      .filter(({ status }) => status !== "passed")
      .map((test) => tell(test.status, test, name))
  ])

/** What passed at the second try only: a fault too, of ours or of the agent's, which is not found yet. */
const flakesOf = ({ testResults }) =>
  testResults.flatMap(({ assertionResults, name }) =>
    assertionResults
      .filter(({ failureMessages, status }) => status === "passed" && failureMessages.length > 0)
      .map((test) => tell("passed at the second try", test, name))
  )

const tell = (what, { failureMessages, fullName }, file) =>
  [`${what}: ${fullName}`, file, ...failureMessages].join("\n")

/** Where the sources have changed since, or nothing was built yet. */
function build() {
  if (isBuilt()) return
  const { status } = spawnSync(node(), [join(root, "scripts/programs.mjs")], {
    cwd: root,
    env: environment,
    // The output is the job's own.
    stdio: ["ignore", 2, 2]
  })
  if (status !== 0) process.exit(status ?? 1)
}

const program = (file, cwd) => () => run(node(), [join(root, file), ...process.argv.slice(3)], cwd)

/** One table, with what it takes, or all of them: `turns`, `stream`, `reads`, `growth`, `keeping`, `transfer`. */
const bench = async () => {
  const [table, ...args] = process.argv.slice(3)
  for (const name of table === undefined
    ? ["turns", "stream", "reads", "growth", "keeping", "transfer"]
    : [table]) {
    const status = await run(node(), [join(root, `bench/src/${name}.ts`), ...args])
    if (status !== 0) return status
  }
  return 0
}

/** Many requests to a server, made from its own description: `--requests N --seed N`. */
const fuzz = () => {
  const option = (name, otherwise) => {
    const at = process.argv.indexOf(`--${name}`)
    return at < 0 ? otherwise : process.argv[at + 1]
  }
  environment.REJOIN_FUZZ_REQUESTS = option("requests", "10000")
  environment.REJOIN_FUZZ_SEED = option("seed", String(Date.now() % 2 ** 31))
  console.log(`seed ${environment.REJOIN_FUZZ_SEED}`)
  const file = "apps/server/src/Fuzz.test.ts"
  return run(join(bin, "vitest"), [
    "run",
    "--project",
    "unit",
    file,
    "-t",
    "description",
    "--testTimeout",
    "600000"
  ])
}

/** The pictures of the page, by the tests that draw it. */
const screenshots = () => {
  environment.REJOIN_SCREENSHOTS = join(root, "docs/screenshots")
  return run(join(bin, "vitest"), ["run", "--project", "e2e", "e2e/src/Console"])
}

/** `docs/demo.svg`, from what the demo prints. */
const movingPicture = () => picture(root, node(), [join(root, "apps/server/dist/demo.js")], environment)

/** `docs/reference.md`, from what the command says of itself. */
const reference = async () => {
  const status = await run(node(), [join(root, "apps/cli/src/writeReference.ts")])
  return status === 0 ? run(join(bin, "oxfmt"), ["docs/reference.md"]) : status
}

/** One file to be installed anywhere: `npm install -g ./rejoin-….tgz`. */
const pack = () => run(join(bin, "pnpm"), ["pack", "--pack-destination", root], join(root, "apps/rejoin"))

const jobs = {
  test,
  pack,
  screenshots,
  scoreboard: async () => {
    const status = scoreboard(node(), environment)
    return (await run(join(bin, "oxfmt"), ["docs/who-remembers.md"])) || status
  },
  reference,
  picture: movingPicture,
  "test:long": testLong,
  start: program("apps/server/dist/main.js"),
  demo: program("apps/server/dist/demo.js"),
  // Where it is called, not where it lies: npm tells that in INIT_CWD.
  rejoin: program("apps/cli/dist/main.js", process.env.INIT_CWD ?? process.cwd()),
  crash: program("e2e/src/crash/main.ts"),
  soak: program("e2e/src/soak/main.ts"),
  chat: program("e2e/src/chat/main.ts", process.env.INIT_CWD ?? process.cwd()),
  bench,
  fuzz
}

const job = jobs[process.argv[2]]
if (job === undefined) {
  console.error(`usage: node scripts/run.mjs <${Object.keys(jobs).join("|")}>`)
  process.exit(2)
}
install(!["start", "demo", "rejoin"].includes(process.argv[2]))
build()
process.exit(await job())
