import type { Effect } from "effect"
import type { ChannelFailure } from "./ChannelFailure.ts"
import type { ChatKey, Inbound, RemoteFile } from "./Inbound.ts"
import type { StoreFailed } from "@rejoin/contracts/Errors"

export interface Button {
  /** Comes back with the press. At most 64 bytes. */
  readonly id: string
  readonly label: string
}

export interface Outgoing {
  /** Markdown as the agents write it. */
  readonly text: string
  readonly buttons?: ReadonlyArray<Button>
  /** It is not worth a sound. */
  readonly silent?: boolean
}

export interface File {
  readonly name: string
  readonly bytes: Uint8Array
}

/** How a send is attempted: the same `token`, however often it is. */
export interface Attempt {
  /** At most 25 letters and digits. */
  readonly token: string
  /** When the first attempt began, in ms since the epoch. */
  readonly since: number
}

/**
 * What became of an attempt whose answer never came. `unknown`: the platform cannot tell; `wait`: it may say so later.
 */
export type Doubt =
  | { readonly sent: string }
  | { readonly sent: null }
  | "unknown"
  | { readonly wait: number }

export interface ChannelLimits {
  /** The longest text of a message, in UTF-16 units. */
  readonly text: number
  /** The same of one with buttons, where that is shorter. */
  readonly asking?: number
  /** The largest file that can be fetched, and sent, in bytes. */
  readonly download: number
  readonly upload: number
  /** The most buttons of a message, and the longest label of one. */
  readonly buttons: number
  readonly label: number
}

/** What a platform sends to us by itself. */
export interface WebhookRequest {
  readonly method: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
  /** As it came: a signature is over the bytes. */
  readonly body: Uint8Array
}

export interface WebhookAnswer {
  readonly status: number
  readonly text: string
}

/**
 * A bot on a platform, as thin as can be: what it says is put into our words, what we say into its. It repeats nothing by
 * itself: whether that may be done is not for it to know.
 */
export interface ChannelAdapter {
  readonly limits: ChannelLimits
  /** What stands before a command there; `/`, unless the platform keeps that for itself. */
  readonly commandMark?: string
  /** Logs in. Its chats' keys begin with `prefix`. */
  readonly account: Effect.Effect<{ readonly prefix: string; readonly name: string }, ChannelFailure>
  /**
   * Receives without end. What `take` was given is durable when that returns, and only then is it confirmed to the
   * platform; `cursor` is where to go on in the next life, null for nothing new. `up` is told when it has begun.
   */
  readonly receive: (life: {
    readonly cursor: string | null
    readonly known: Effect.Effect<ReadonlyArray<ChatKey>, StoreFailed>
    readonly up: Effect.Effect<void>
    readonly take: (
      inbound: ReadonlyArray<Inbound>,
      cursor: string | null
    ) => Effect.Effect<void, StoreFailed>
  }) => Effect.Effect<never, ChannelFailure | StoreFailed>
  /** The id of the message that was sent. `to` is the message that it answers. */
  readonly send: (
    chat: ChatKey,
    to: string | null,
    outgoing: Outgoing,
    attempt: Attempt
  ) => Effect.Effect<string, ChannelFailure>
  /** Makes a message that was sent say something else; absent where the platform cannot. */
  readonly edit?: (chat: ChatKey, message: string, outgoing: Outgoing) => Effect.Effect<void, ChannelFailure>
  /** How long to wait between two edits in a chat, in ms. */
  readonly pace: (chat: ChatKey) => number
  /** `outgoing` is what was sent, if it was. */
  readonly doubt: (
    chat: ChatKey,
    to: string | null,
    outgoing: Outgoing,
    attempt: Attempt
  ) => Effect.Effect<Doubt, ChannelFailure>
  /** A message is sent empty first, and then made to say what it is to say: an edit can be repeated, a message cannot. */
  readonly beginsEmpty: boolean
  /** Tells the platform that a press has come, and its person what became of it. */
  readonly pressed: (receipt: string, text: string) => Effect.Effect<void, ChannelFailure>
  /** Shows that an answer is being worked on, for some seconds. */
  readonly typing: (chat: ChatKey, to: string | null) => Effect.Effect<void, ChannelFailure>
  readonly download: (file: RemoteFile) => Effect.Effect<Uint8Array, ChannelFailure>
  readonly upload: (
    chat: ChatKey,
    to: string | null,
    file: File,
    attempt: Attempt
  ) => Effect.Effect<string, ChannelFailure>
  /** Absent where the platform sends nothing by itself. Whoever can reach us can call it: it believes what is signed. */
  readonly webhook?: (request: WebhookRequest) => Effect.Effect<WebhookAnswer>
}
