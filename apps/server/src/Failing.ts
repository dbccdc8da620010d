import { visible } from "@rejoin/shown/Visible"
import { Cause, Console, Effect, Exit, Option, Predicate } from "effect"

/** Why the server could not start, in words: an error that we know has them, anything else is shown whole. */
export const tell = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  if (!Predicate.isError(error)) return Console.error(Cause.pretty(cause))
  const hint = Predicate.hasProperty(error, "hint") && Predicate.isString(error.hint) ? `\n${error.hint}` : ""
  // An error of the platform has its reason in its cause: that a port is taken, for one.
  const reason = error.message === "" && Predicate.isError(error.cause) ? error.cause.message : error.message
  const taken = /EADDRINUSE/.test(reason) ? "\nSet REJOIN_PORT to another port, or to 0 for any." : ""
  return Console.error(visible(`Rejoin cannot start. ${reason}${hint}${taken}`))
}

/** EX_TEMPFAIL of sysexits.h: another server works on the data directory. */
const held = 75

/** A server that was told to stop, and did, has done well. */
export const exitCode = <E, A>(exit: Exit.Exit<E, A>, end: (code: number) => void): void => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return end(0)
  const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  end(Predicate.isTagged(error, "DataDirectoryHeld") ? held : 1)
}
