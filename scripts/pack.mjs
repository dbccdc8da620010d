// Lays out what the package `rejoin` holds, before it is packed: the programs, the page, and the licences of what is bundled
// in them. Run by `pnpm pack` in apps/rejoin.
import { spawnSync } from "node:child_process"
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { isBuilt } from "./programs.mjs"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const place = join(root, "apps/rejoin")

if (!isBuilt()) {
  const node = join(root, "node_modules/.bin/node")
  const { status } = spawnSync(node, [join(root, "scripts/programs.mjs")], {
    cwd: root,
    stdio: ["ignore", 2, 2]
  })
  if (status !== 0) process.exit(status ?? 1)
}
for (const part of ["cli", "server", "console"]) {
  rmSync(join(place, part), { recursive: true, force: true })
  cpSync(join(root, "apps", part, "dist"), join(place, part, "dist"), { recursive: true })
}
for (const file of ["README.md", "LICENSE"]) cpSync(join(root, file), join(place, file))

/** The packages of which something is in the programs, and in the page. */
const bundled = new Set(JSON.parse(readFileSync(join(root, "node_modules/.cache/bundled.json"), "utf8")))
const page = JSON.parse(readFileSync(join(root, "apps/console/package.json"), "utf8")).dependencies
for (const name of Object.keys(page).filter((name) => !name.startsWith("@rejoin/")))
  bundled.add(`apps/console/node_modules/${name}`)

const notices = new Map()
for (const path of bundled) {
  const directory = join(root, path)
  if (!existsSync(join(directory, "package.json"))) continue
  const { license, name, version } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"))
  const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry))
  const text = file === undefined ? "" : readFileSync(join(directory, file), "utf8").trim()
  notices.set(`${name} ${version}`, `${name} ${version} (${license})\n\n${text}`)
}
const line = "\n\n" + "-".repeat(80) + "\n\n"
writeFileSync(
  join(place, "THIRD-PARTY.txt"),
  `What is bundled in this package, with its licences.${line}${[...notices.keys()]
    .sort((a, b) => a.localeCompare(b))
    .map((key) => notices.get(key))
    .join(line)}\n`
)
