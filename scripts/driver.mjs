// Puts the SQLite driver of Effect into what was built of @rejoin/persistence: it is out for an earlier version of Effect, and the
// patch that it needs does not travel with a package. MIT, as we are; its licence lies beside it.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

const driver = "@effect/sql-sqlite-node"
const from = realpathSync(join("node_modules", driver))
const to = join("dist", "driver")
mkdirSync(to, { recursive: true })
for (const name of readdirSync(join(from, "dist")).filter((name) => /\.(js|d\.ts)$/.test(name)))
  copyFileSync(join(from, "dist", name), join(to, name))
const licence = readdirSync(from).find((name) => /^licen[cs]e/i.test(name))
if (licence !== undefined) copyFileSync(join(from, licence), join(to, "LICENSE"))

for (const name of readdirSync("dist", { recursive: true }).map(String)) {
  if (!/\.(js|d\.ts)$/.test(name) || name.startsWith("driver")) continue
  const file = join("dist", name)
  const text = readFileSync(file, "utf8")
  const depth = dirname(name) === "." ? "./" : "../".repeat(dirname(name).split("/").length)
  const own = text.replaceAll(`"${driver}"`, `"${depth}driver/index.js"`)
  if (own !== text) writeFileSync(file, own)
}
