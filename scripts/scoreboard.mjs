// `pnpm scoreboard`: what the agents themselves do with a conversation, as the conformance suite has just measured it on the
// real programs, in docs/who-remembers.md. A cell that no test has measured is empty.
import { spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const report = join(root, ".results", "scoreboard.json")
const files = [
  "OpenCodeConformance.test.ts",
  "CodexConformance.test.ts",
  "ClaudeConformance.test.ts",
  "CopilotConformance.long.test.ts",
  "QwenConformance.long.test.ts",
  "GeminiConformance.long.test.ts"
]

/** Each with what is measured, as the suite notes it. */
const columns = [
  { title: "after kill -9 in mid-turn", names: ["kill -9 in mid-turn"] },
  { title: "a lost session", names: ["lost session"] },
  { title: "another directory", names: ["another directory"] },
  { title: "two writers", names: ["two writers"] },
  { title: "a cancelled turn", names: ["cancelled turn"] },
  { title: "that a message never came", names: ["absence of a message"] },
  {
    title: "modes that hold, after a resume too",
    names: ["read-only", "approval-required", "auto-accept-edits", "full-access"]
  }
]

/** What was measured of one agent, and by which test. */
function measuredIn({ assertionResults }) {
  const found = new Map()
  for (const { ancestorTitles, meta, status, title } of assertionResults) {
    if (status !== "passed") continue
    for (const [what, value] of Object.entries(meta?.measured ?? {}))
      found.set(what, { value, test: [...ancestorTitles.slice(1), title].join(" › ") })
  }
  return found
}

function cell(found, names) {
  const there = names.flatMap((name) => found.get(name) ?? [])
  if (there.length === 0) return ""
  return names.length === 1 ? there[0].value : names.filter((name) => found.has(name)).join(", ")
}

export function scoreboard(node, environment) {
  const { status } = spawnSync(
    node,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      "--project=e2e",
      "--project=long",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
      ...files.map((name) => `e2e/src/${name}`)
    ],
    { cwd: root, env: environment, stdio: "inherit" }
  )
  const { testResults } = JSON.parse(readFileSync(report, "utf8"))
  const agents = files.flatMap((file) => {
    const result = testResults.find(({ name }) => basename(name) === file)
    return result === undefined ? [] : [{ name: file.split("Conformance")[0], found: measuredIn(result) }]
  })
  const heading = ["agent", "version", ...columns.map(({ title }) => title)]
  const rows = agents.map(({ found, name }) => [
    name,
    found.get("version")?.value ?? "",
    ...columns.map(({ names }) => cell(found, names))
  ])
  const line = (/** @type {ReadonlyArray<string>} */ cells) => `| ${cells.join(" | ")} |`
  const tests = new Map()
  for (const { found } of agents)
    for (const { names, title } of columns)
      for (const name of names)
        if (found.has(name)) tests.set(`${title}${names.length > 1 ? `: ${name}` : ""}`, found.get(name).test)
  writeFileSync(
    join(root, "docs", "who-remembers.md"),
    `# Who remembers

What the agents do with a conversation, as our conformance suite measures it on the real programs, offline. Made by
\`pnpm scoreboard\`; only what a test has just measured is in it.

${[heading, heading.map(() => "---"), ...rows].map((row) => line(row)).join("\n")}

- **After kill -9 in mid-turn**: the agent is killed while it answers, and asked again.
- **A lost session**: what becomes of a follow-up whose session its agent has lost. *Told*: it begins anew, and says so.
- **Another directory**: whether the conversation goes on where its user moves it; *refused* where it would not be the same one.
- **Two writers**: another program says something in the session, while ours has it open. *Taken in*: the next turn holds it. *One at a time*: the second is kept out.
- **A cancelled turn**: whether the model is told of it afterwards.
- **That a message never came**: whether that can be proved from the agent's own record after a crash. If not, it is not sent again.
- **Modes that hold**: each tried by a write and a command, and read back, before and after a resume.

The tests, in \`packages/testkit/src/conformance\`:

${[...tests].map(([what, test]) => `- ${what}: *${test}*`).join("\n")}
`
  )
  return status ?? 1
}
