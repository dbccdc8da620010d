import type { ProviderInstanceId, ProviderSessionId } from "@rejoin/contracts/Ids"
import type { ProviderAdapter } from "@rejoin/core/providers/ProviderAdapter"
import type { WorkingDirectory } from "@rejoin/core/threads/WorkingDirectory"
import type { Effect, Layer } from "effect"

/** An adapter, ready to be built once a life of the server. */
export type AdapterLayer = Layer.Layer<ProviderAdapter>

/**
 * An agent and its world, as the suite needs it: an upstream that outlives the lives of our server, with a model
 * that does what the first word of the user's last message says, and hooks to break things.
 *
 * The model must do this, and answer anything else with all that the user has said in the conversation, as it
 * received it, joined by ` | `:
 *
 * - `run <command>` runs it with the agent's shell tool and answers with what it printed
 * - `write <path> <text>` writes a new file with the agent's tool for edits
 * - `think <text>` reasons, then answers `thought: <text>`
 * - `ask` asks the user a question with the options A and B, and answers with what was chosen
 * - `password` answers with the word after "The password is" in what it was told beside the conversation, else `none`
 * - `hold` begins to answer and never ends
 * - `fail 400` fails as a model error does that is not tried again; `stumble 500` fails once, then answers
 */
export interface Harness {
  readonly instance: ProviderInstanceId
  /** It writes down what was said some time after it began with it: that a message is not there proves nothing. */
  readonly writesLate?: true
  /** It tells what a command is, and neither what it printed nor how it ended. */
  readonly tellsNoOutput?: true
  /** It has no tool by which it asks its user a question. */
  readonly asksNothing?: true
  /** It has no tools, and so works in no directory. */
  readonly placeless?: true
  /** Its agent's processes may outlast the lives of the server, where it takes long to start. */
  readonly adapter: AdapterLayer
  /** The same, whose processes end with the life. Absent where those of `adapter` do. */
  readonly brief?: AdapterLayer
  /** The same instance, pointed at another store. Absent where there can be none. */
  readonly elsewhere?: AdapterLayer
  /** The same instance, whose agent cannot be started or reached. */
  readonly unreachable?: AdapterLayer
  /** The same store, by another of our servers. Absent where nothing but our own server can reach it. */
  readonly rival?: AdapterLayer
  /** Directories are checked on this disk. */
  readonly directories: Layer.Layer<WorkingDirectory>
  readonly places: {
    readonly repo: string
    /** Another worktree of it. */
    readonly tree: string
    /** Of another project, or of none. */
    readonly other: string
    /** The repository by another path: a link, or with `..` in it. */
    readonly alias: string
  }
  /** Whether the file is there, by its absolute path. */
  readonly isWritten: (path: string) => Effect.Effect<boolean>
  /** The sessions that are in the upstream's store, seen from outside. */
  readonly sessions: Effect.Effect<ReadonlyArray<string>>
  /** How many processes there are of those that end with the life; 0 where the agent has none of its own. */
  readonly processes: Effect.Effect<number>
  readonly faults: {
    /** Removes the session with all its traces. */
    readonly lose: (id: ProviderSessionId) => Effect.Effect<void>
    /** Leaves the session there, and unreadable. */
    readonly corrupt?: (id: ProviderSessionId) => Effect.Effect<void>
    /** kill -9 of the agent. */
    readonly crash: Effect.Effect<void>
  }
}
