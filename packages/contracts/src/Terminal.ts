import { Schema } from "effect"
import { ProviderSessionId } from "./Ids.ts"

/**
 * How the user's own terminal opens a thread's session, or a new one where it has none: in the agent's own interface, on the machine of the server.
 * `env` is set beside what the terminal has; nothing of it is to be shown, as it may hold what the operator configured.
 */
export const TerminalCommand = Schema.Struct({
  /** Null for a new one, to which its agent gives an id when something is said. */
  providerSessionId: Schema.NullOr(ProviderSessionId),
  /** The agent's program. */
  command: Schema.String,
  args: Schema.Array(Schema.String),
  /** Realpath of the directory in which it is to be run. */
  cwd: Schema.String,
  env: Schema.Record(Schema.String, Schema.String)
})
export type TerminalCommand = typeof TerminalCommand.Type
