import { StoreFailed } from "@rejoin/contracts/Errors"
import { Predicate } from "effect"
import type { SqlError } from "effect/sql"

/**
 * It ends, begins, has no room for another connection, may only be read for now, has ended what took too long, or chose us to
 * give way: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const passing = /^(57P0[1-5]|57014|53300|25006|25P0[34]|55P03|40P01|40001)$/

/** Whether the same may be taken later, as it is. A file that another program holds is not away. */
const isAway = ({ reason: { _tag, cause } }: SqlError.SqlError): boolean =>
  _tag === "ConnectionError" || (Predicate.hasProperty(cause, "code") && passing.test(String(cause.code)))

/** What it says itself; the driver's own words say only what was tried. */
export const saidIn = (error: SqlError.SqlError): string => {
  const { cause } = error.reason
  return Predicate.isError(cause) && cause.message !== "" ? cause.message : error.message
}

/**
 * What the database says, as the error that callers know. Nothing of the failed write was kept; where it is away, that is not
 * certain of a commit.
 */
export const storeFailed = (error: SqlError.SqlError | { readonly message: string }): StoreFailed => {
  if (!("reason" in error)) return new StoreFailed({ message: `The database refused: ${error.message}` })
  const message = saidIn(error)
  return isAway(error)
    ? new StoreFailed({ message: `The database does not answer now: ${message}`, away: true })
    : new StoreFailed({ message: `The database refused: ${message}` })
}
