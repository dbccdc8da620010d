import type { StoreFailed } from "@rejoin/contracts/Errors"
import { Rule } from "@rejoin/contracts/Rule"
import type { RuleStore } from "@rejoin/core/store/RuleStore"
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { document } from "./Rows.ts"

const rules = document(Rule, "rule")

interface Within {
  readonly sql: SqlClient.SqlClient
  readonly failing: <A, E>(
    effect: Effect.Effect<A, E>
  ) => Effect.Effect<A, Exclude<E, SqlError.SqlError> | StoreFailed>
  readonly together: <A, E>(
    body: Effect.Effect<A, E>
  ) => Effect.Effect<A, Exclude<E, SqlError.SqlError> | StoreFailed>
}

export const makeRuleStore = ({ failing, sql, together }: Within): RuleStore => ({
  save: (rule) => {
    const { id, scope } = rule
    const row = {
      id,
      thread_id: "thread" in scope ? scope.thread : null,
      project: "project" in scope ? scope.project : null,
      record_json: rules.encode(rule)
    }
    return Effect.asVoid(together(sql`INSERT INTO rule ${sql.insert(row)}`))
  },
  // What cannot be read answers nothing: then a person is asked.
  list: (of) =>
    Effect.flatMap(
      failing(
        of === undefined
          ? sql<{ record_json: string }>`SELECT record_json FROM rule ORDER BY id`
          : sql<{ record_json: string }>`SELECT record_json FROM rule
              WHERE thread_id = ${of.thread} OR project = ${of.project} ORDER BY id`
      ),
      rules.many
    ),
  remove: (id) =>
    Effect.map(
      together(sql<{ id: string }>`DELETE FROM rule WHERE id = ${id} RETURNING id`),
      (rows) => rows.length > 0
    )
})
