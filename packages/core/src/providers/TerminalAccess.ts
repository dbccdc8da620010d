import type { ProviderSessionId } from "@rejoin/contracts/Ids"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { TerminalCommand } from "@rejoin/contracts/Terminal"
import type { Effect, Option } from "effect"
import type { AdapterFailure, Environment, ResumeCursor } from "./ResumeCursor.ts"

/** A session that the user's own terminal is to open. */
export interface TerminalRequest extends Environment {
  /** Realpath of the directory of the session. */
  readonly cwd: string
  readonly mode: RuntimeMode
  readonly model: string | null
  /** Of the thread; for sessions that are begun there too. */
  readonly systemPrompt: string | null
  /** Where the agent's own hook is to write each session that it comes to; null to inject none (E14). */
  readonly reports: string | null
  /** The user's own options for the agent's command. */
  readonly flags: ReadonlyArray<string>
}

/** What is run in a terminal, beside where. */
export type Opening = Omit<TerminalCommand, "providerSessionId" | "cwd">

/** How the agent's own interface opens a session in a terminal, and what it tells of it. */
export interface TerminalAccess<C extends ResumeCursor> {
  /**
   * The command that opens exactly this session, with the powers it has. Returns when nothing of ours is in its way
   * any more. Writes nothing into the user's project or configuration.
   */
  command(cursor: C, request: TerminalRequest): Effect.Effect<Opening, AdapterFailure>
  /**
   * The command that begins a new session there, with the powers that are wanted; and the id that it will have, where
   * the agent lets us choose it (E4). Writes as little as the other one.
   */
  begin(
    request: TerminalRequest
  ): Effect.Effect<Opening & { readonly assigned: ProviderSessionId | null }, AdapterFailure>
  /**
   * The session that was begun so, or the one that came out of it, from what the hook wrote. None where nothing was told
   * and no id was given, and where the user went to another conversation (E6, E7).
   */
  begun(told: {
    readonly reports: ReadonlyArray<unknown>
    readonly assigned: ProviderSessionId | null
  }): Effect.Effect<Option.Option<ProviderSessionId>, AdapterFailure>
  /**
   * The session that the terminal went on in, from what the hook wrote: a new one that came out of this one. None
   * where it stayed, and where the user looked at another conversation (E6, E7).
   */
  follow(
    cursor: C,
    told: {
      /** Of the agent that was opened, oldest first. */
      readonly reports: ReadonlyArray<unknown>
      /** Part of the title of every session that we made for the thread. */
      readonly titleMark: string
    }
  ): Effect.Effect<Option.Option<C>, AdapterFailure>
}
