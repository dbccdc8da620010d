import { ServerFileJson } from "@rejoin/contracts/ServerFile"
import { Effect, FileSystem, Option, Schema } from "effect"
import type { Finding } from "./Finding.ts"

const decodeServerFile = Schema.decodeUnknownEffect(ServerFileJson)

const isAlive = (pid: number) =>
  Effect.match(Effect.try({ try: () => process.kill(pid, 0), catch: () => "gone" as const }), {
    onFailure: () => false,
    onSuccess: () => true
  })

/** Whether our own directory is as a server leaves it. `held`: one works on it now. */
export const installation = Effect.fn("installation")(function* (home: string, held: boolean) {
  const fs = yield* FileSystem.FileSystem
  const findings: Array<Finding> = []
  const readable = "Others on this machine can read it."

  const isPrivate = Effect.fnUntraced(function* (path: string, wanted: number) {
    const found = yield* Effect.option(fs.stat(path))
    if (Option.isNone(found) || (found.value.mode & 0o077) === 0) return
    findings.push({
      check: "permissions",
      about: path,
      severity: "problem",
      message: readable,
      fix: { does: `Lets only its owner at ${path}.`, run: fs.chmod(path, wanted) }
    })
  })
  yield* isPrivate(home, 0o700)
  for (const name of ["logs", "scratch"]) yield* isPrivate(`${home}/${name}`, 0o700)
  for (const name of ["token", "server.json", "lock.db", "rejoin.db", "rejoin.db-wal", "logs/server.log"])
    yield* isPrivate(`${home}/${name}`, 0o600)

  const serverFile = `${home}/server.json`
  if (!held && (yield* Effect.orElseSucceed(fs.exists(serverFile), () => false))) {
    const told = yield* fs.readFileString(serverFile).pipe(Effect.flatMap(decodeServerFile), Effect.option)
    const who = Option.match(told, { onNone: () => "a server", onSome: ({ pid }) => `process ${pid}` })
    const ended = Option.isNone(told) || !(yield* isAlive(told.value.pid))
    findings.push({
      check: "server.json",
      about: serverFile,
      severity: "warning",
      message: `It says that ${who} serves here. ${ended ? "That is gone." : "That is another process by now."}`,
      fix: { does: `Removes ${serverFile}.`, run: fs.remove(serverFile) }
    })
  }

  const token = yield* fs.readFileString(`${home}/token`).pipe(Effect.option)
  if (Option.isSome(token) && token.value.trim().length < 32) {
    findings.push({
      check: "token",
      about: `${home}/token`,
      severity: "warning",
      message: "It is too short to be one.",
      hint: "The next start of the server makes a new one. Clients must read it anew."
    })
  }
  return findings
})

/** Files that agents in terminals wrote to and that no thread waits for any more. */
export const leftovers = Effect.fn("leftovers")(function* (home: string, wanted: ReadonlySet<string>) {
  const fs = yield* FileSystem.FileSystem
  const scratch = `${home}/scratch`
  const names = yield* fs.readDirectory(scratch).pipe(Effect.orElseSucceed(() => []))
  return names
    .map((name) => `${scratch}/${name}`)
    .filter((path) => path.endsWith(".jsonl") && !wanted.has(path))
    .map((path): Finding => ({
      check: "leftovers",
      about: path,
      severity: "warning",
      message: "Nobody waits for what an agent in a terminal wrote there.",
      fix: { does: `Removes ${path}.`, run: fs.remove(path) }
    }))
})
