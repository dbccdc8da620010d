import { visible } from "@rejoin/shown/Visible"
import { Cause, Console, Effect, Exit, Option, Predicate, Schema } from "effect"
import { CliError } from "effect/cli"
import { HttpClientError } from "effect/http"

/** The exit codes, for scripts. */
export const exitCodes = {
  done: 0,
  /** Refused, or the turn failed: what is printed says why. */
  failed: 1,
  usage: 2,
  serverAway: 3,
  /** Ctrl-C, or the turn was interrupted by somebody else. */
  interrupted: 130,
  /** The reader of the output went away; as a shell tells of SIGPIPE. */
  brokenPipe: 141
} as const

/** A turn that was seen to its end, and did not complete. What it was is printed by then. */
export class TurnEnded extends Schema.TaggedError<TurnEnded>()("TurnEnded", {
  status: Schema.Literals(["failed", "interrupted"])
}) {}

/** A program of the server's that was run here has failed, and has said why. */
export class ProgramFailed extends Schema.TaggedError<ProgramFailed>()("ProgramFailed", {}) {}

const errorOf = (cause: Cause.Cause<unknown>): unknown => Option.getOrUndefined(Cause.findErrorOption(cause))

const tagOf = (error: unknown) => (Predicate.hasProperty(error, "_tag") ? error._tag : undefined)

export const exitCode = <E, A>(exit: Exit.Exit<E, A>, end: (code: number) => void): void => {
  if (Exit.isSuccess(exit)) return end(exitCodes.done)
  if (Cause.hasInterruptsOnly(exit.cause)) return end(exitCodes.interrupted)
  const error = errorOf(exit.cause)
  if (CliError.isCliError(error)) {
    return end(error._tag === "ShowHelp" && error.errors.length === 0 ? exitCodes.done : exitCodes.usage)
  }
  if (error instanceof TurnEnded) {
    return end(error.status === "interrupted" ? exitCodes.interrupted : exitCodes.failed)
  }
  const tag = tagOf(error)
  if (tag === "InvalidInput") return end(exitCodes.usage)
  end(tag === "ServerAway" || tag === "StoreUnavailable" ? exitCodes.serverAway : exitCodes.failed)
}

/** Says why, on the error output: in words, or as one line of JSON. What was said already is not said again. */
export const tell =
  (json: boolean) =>
  (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
    const error = errorOf(cause)
    if (Cause.hasInterruptsOnly(cause) || CliError.isCliError(error)) return Effect.void
    if (error instanceof TurnEnded || error instanceof ProgramFailed) return Effect.void
    if (!Predicate.isError(error)) return Console.error(Cause.pretty(cause))
    const tag = tagOf(error)
    const hint =
      Predicate.hasProperty(error, "hint") && Predicate.isString(error.hint) ? error.hint : undefined
    const message =
      error instanceof HttpClientError.HttpClientError
        ? `The way to the server broke: ${error.message}`
        : error.message
    if (json) return Console.error(JSON.stringify({ error: { _tag: tag, message, ...(hint && { hint }) } }))
    return Console.error(visible(`${message}${hint === undefined ? "" : `\n${hint}`}`))
  }
