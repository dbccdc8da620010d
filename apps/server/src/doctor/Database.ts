import type { StoreFailed } from "@rejoin/contracts/Errors"
import { inspect, type Inspection } from "@rejoin/persistence/Inspection"
import { Effect, FileSystem, Option, type Redacted } from "effect"
import type { Finding } from "./Finding.ts"

const problem = (about: string, message: string, hint?: string): Finding => ({
  check: "database",
  about,
  severity: "problem",
  message,
  ...(hint !== undefined && { hint })
})

/** Whether the database can be read, whole and row by row; and what is in it, where it can. */
export const database = Effect.fn("database")(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  if (!(yield* Effect.orElseSucceed(fs.exists(file), () => false))) {
    return { findings: [], inspection: Option.none<Inspection>() }
  }
  return yield* foundIn(file, inspect(file))
})

/** The same of a PostgreSQL database: what is in it of this machine's, and who the others are. */
export const postgres = Effect.fn("postgres")(function* (home: string, url: Redacted.Redacted) {
  const fs = yield* FileSystem.FileSystem
  const machine = yield* Effect.option(
    Effect.map(fs.readFileString(`${home}/machine`), (text) => text.trim())
  )
  const { inspect } = yield* Effect.promise(() => import("@rejoin/persistence/Postgres"))
  let notes: ReadonlyArray<string> = []
  const looked = Effect.map(inspect({ url, machine }), ({ inspection, machines }) => {
    const away = machines.filter(({ lives }) => !lives).map(({ name }) => name)
    const others = away.length === 0 ? "" : ` Not heard of now: ${away.join(", ")}.`
    if (machines.length > 1)
      notes = [
        `${machines.length} machines share the database; what is run elsewhere is looked at there.${others}`
      ]
    return inspection
  })
  const found = yield* foundIn("PostgreSQL", looked)
  return { ...found, notes }
})

const foundIn = (file: string, looked: Effect.Effect<Inspection, StoreFailed>) =>
  looked.pipe(
    Effect.map((inspection) => ({
      findings: [
        ...inspection.damage.map((line) =>
          problem(file, `It is damaged: ${line}`, "Restore it from a copy.")
        ),
        ...inspection.unreadable.map(({ reason, table, thread }) =>
          problem(
            thread,
            `A row of ${table} cannot be read: ${reason.split("\n")[0] ?? ""}`,
            "Servers pass it over. Restore it from a copy."
          )
        ),
        ...owners(inspection)
      ],
      inspection: Option.some(inspection)
    })),
    Effect.catch(({ hint, message }) =>
      Effect.succeed({ findings: [problem(file, message, hint)], inspection: Option.none<Inspection>() })
    )
  )

/** Upstream sessions that two threads have: each would hear what the other was told. */
const owners = ({ bindings }: Inspection): ReadonlyArray<Finding> => {
  const byId = new Map<string, Array<string>>()
  for (const { driver, providerSessionId, storeId, threadId } of bindings) {
    if (providerSessionId === null) continue
    const key = JSON.stringify([driver, storeId, providerSessionId])
    byId.set(key, [...(byId.get(key) ?? []), threadId])
  }
  return [...byId].flatMap(([key, threads]) =>
    threads.length < 2
      ? []
      : [
          {
            check: "owners",
            about: threads.join(", "),
            severity: "problem" as const,
            message: `They have one upstream session: ${String((JSON.parse(key) as ReadonlyArray<unknown>)[2])}.`,
            hint: "Reset all of them but the one to which it belongs, or delete them."
          }
        ]
  )
}
