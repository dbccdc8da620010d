import { Effect } from "effect"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { DatabaseSync } from "node:sqlite"
import { processesWith, type Server, type World } from "../World.ts"

/** Of the database, read beside the server that has it open. */
const rowsIn = (file: string): number => {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const tables = database.prepare("select name from sqlite_master where type = 'table'").all()
    return tables.reduce(
      (sum, { name }) =>
        sum + Number(database.prepare(`select count(*) n from "${String(name)}"`).get()?.["n"]),
      0
    )
  } finally {
    database.close()
  }
}

const filesUnder = (directory: string) =>
  readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())

/** What a server holds: its memory and handles, its processes, our files, the rows of its database. */
export const heldBy = Effect.fnUntraced(function* (world: World, server: Server | undefined) {
  const status = server === undefined ? "" : readFileSync(`/proc/${server.pid}/status`, "utf8")
  const processes = yield* processesWith(`REJOIN_HOME=${world.home}`)
  const rest = {
    MB: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024),
    handles: server === undefined ? 0 : readdirSync(`/proc/${server.pid}/fd`).length,
    processes: processes.length,
    files: filesUnder(world.home).length,
    temporary: readdirSync(tmpdir()).filter((name) => /^rejoin-(?!e2e-)/.test(name)).length,
    rows: rowsIn(`${world.home}/rejoin.db`),
    databaseMB: Math.round(statSync(`${world.home}/rejoin.db`).size / 1e6)
  }
  return Object.entries(rest)
    .map(([name, value]) => `${name} ${value}`)
    .join(" · ")
})
