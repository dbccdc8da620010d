import type { Failure } from "@rejoin/contracts/Failure"
import type { Question } from "@rejoin/contracts/Request"
import type { Brought } from "@rejoin/contracts/Trust"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Effect, FileSystem } from "effect"
import type { Refused } from "./AcpConnection.ts"
import type { Permission, Prompted, ToolCall, Update } from "./AcpSchema.ts"
import type { AcpStore } from "./AcpStore.ts"

/** One thing to set in a session, and to read back. */
export type Setting =
  | { readonly by: "option"; readonly id: string; readonly value: string }
  | { readonly by: "mode"; readonly value: string }

/** How an agent is brought to hold one of our modes. `{files}` in a text is where `files` are written. */
export interface Powers {
  readonly args?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  readonly set: ReadonlyArray<Setting>
  /**
   * What is answered by us where the agent asks: nothing is allowed, its user is asked, edits in the thread's directories
   * are allowed and for the rest its user is asked, or all is allowed.
   */
  readonly answers: "none" | "user" | "edits" | "all"
}

/** What a tool call tells beyond the protocol. */
export interface Told {
  readonly cwd?: string
  readonly exitCode?: number
  readonly output?: string
}

/**
 * What was measured of an agent (docs/providers), as data: the adapter itself knows no agent. Codecs are pure. What is
 * left out the agent lacks, or it was not measured.
 */
export interface AcpProfile {
  /** As the agent calls itself: `agentInfo.name`. */
  readonly name: string
  /** As its user does. */
  readonly title: string
  readonly isSupported: (version: string) => boolean
  /** For the error. */
  readonly supported: string
  /** Set for each of its processes; and what of our own environment would widen its powers, and is taken out. */
  readonly env?: Readonly<Record<string, string>>
  readonly without?: ReadonlyArray<string>
  readonly modes: { readonly [Mode in RuntimeMode]?: Powers }
  /** A changed mode is announced as a piece of an answer: the mode, where this is one. */
  readonly announced?: (text: string) => string | undefined
  /** Ids of the options by which it is allowed once, and told no. Without them, the one option of that kind. */
  readonly allow?: string
  readonly reject?: string
  /** A question in the guise of an approval, and how it is answered. */
  readonly questions?: (asked: Permission) => ReadonlyArray<Question> | undefined
  readonly answered?: (answers: ReadonlyArray<ReadonlyArray<string>>) => unknown
  readonly open: "load" | "resume"
  /** The code of the no to who opens what another process has open. */
  readonly heldCode?: number
  /** In ms. What comes after the answer to a load, until it is quiet for so long, belongs to the replay. */
  readonly quiet?: number
  /** In another directory it goes on there. */
  readonly moves?: true
  /** A session takes an id of ours, by this key of `_meta`. */
  readonly ownId?: string
  /** A text that begins with a slash would be carried out by the agent, with its user's powers: this keeps it a text. */
  readonly escapes?: true
  readonly model?: { readonly args: (model: string) => ReadonlyArray<string> }
  readonly systemPrompt?: (text: string) => {
    readonly args?: ReadonlyArray<string>
    readonly env?: Readonly<Record<string, string>>
    readonly files?: Readonly<Record<string, string>>
  }
  readonly tool?: (call: ToolCall) => Told
  /** What of a message's pieces is the agent's own word and not the model's. */
  readonly isNoise?: (text: string) => boolean
  /** What was used, as far as a piece or the end of a turn tells it. Of an end that counts from its start on, the whole. */
  readonly usedIn?: (update: Update) => Used | undefined
  readonly usedBy?: (prompted: Prompted) => { readonly used: Used; readonly isSum: boolean } | undefined
  /** Why a turn failed, where that is told by a no. */
  readonly failure?: (provider: string, refused: Refused) => Failure
  /** What it reads of a directory and cannot be kept from. */
  readonly brings?: (
    fs: FileSystem.FileSystem,
    environment: Readonly<Record<string, string>>
  ) => (directory: string) => Effect.Effect<ReadonlyArray<Brought>>
  /** Its own records, where they were measured. */
  readonly store?: (fs: FileSystem.FileSystem, environment: Readonly<Record<string, string>>) => AcpStore
}

export interface Used {
  readonly inputTokens: number
  readonly outputTokens: number
}
