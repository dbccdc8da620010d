import { ProviderFailed } from "@rejoin/contracts/Errors"
import { Effect, Result } from "effect"
import { existsSync } from "node:fs"
import { DatabaseSync, type SQLInputValue } from "node:sqlite"

type Row = Readonly<Record<string, unknown>>

/** Rows of a database that is an agent's, and is never written. None where there is no such file. */
export const rowsOf = (
  provider: string,
  path: string | undefined,
  sql: string,
  ...values: ReadonlyArray<SQLInputValue>
) =>
  Effect.try({
    try: (): ReadonlyArray<Row> => {
      if (path === undefined || !existsSync(path)) return []
      const database = new DatabaseSync(path, { readOnly: true, timeout: 2000 })
      try {
        return database.prepare(sql).all(...values)
      } finally {
        database.close()
      }
    },
    catch: (error) =>
      new ProviderFailed({ provider, message: `Its own database cannot be read: ${String(error)}` })
  })

/** What can be made of rows, and how many of them it cannot: one that is damaged hides no other. */
export const readable = <A>(rows: ReadonlyArray<Row>, make: (row: Row) => A) => {
  const made = rows.map((row) => Result.try(() => make(row)))
  const items = made.flatMap((result) => (Result.isSuccess(result) ? [result.success] : []))
  return { items, unreadable: made.length - items.length }
}

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

const mark = /\s*\[thr_\w+\]\s*$/

/** Whether we made it: what we put behind the titles of sessions. */
export const isMarked = (title: string): boolean => mark.test(title)
export const unmarked = (title: string): string => title.replace(mark, "")
