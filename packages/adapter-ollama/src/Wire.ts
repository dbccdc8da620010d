import type { ProviderModel } from "@rejoin/contracts/Provider"
import { Data, type Effect, type Stream } from "effect"
import type { Message } from "./OllamaRecord.ts"

/** What a model writes, as it comes, and last what its server counted. */
export type Written = Data.TaggedEnum<{
  Thought: { readonly text: string }
  Said: { readonly text: string }
  Ended: {
    /** The window, or a limit on the answer, ended it. */
    readonly cut: boolean
    /** Of everything that the model read; undefined where it is not told. */
    readonly promptTokens: number | undefined
    readonly answerTokens: number | undefined
  }
}>
export const Written = Data.taggedEnum<Written>()

/** Why there is no answer, from the status and structure of what came back. */
export class WireFailure extends Data.TaggedError("WireFailure")<{
  readonly kind:
    /** Nobody answers there. */
    | "away"
    | "no-model"
    /** What was said is longer than the window. */
    | "too-long"
    /** May pass by itself. */
    | "passing"
    | "refused"
  readonly message: string
  readonly status?: number
  /** Not before so many seconds are over. */
  readonly retryAfter?: number
  readonly promptTokens?: number
  readonly window?: number
}> {}

export interface Chat {
  readonly model: string
  readonly messages: ReadonlyArray<Message>
  /** In tokens; undefined where the server alone decides. */
  readonly window: number | undefined
}

/** An API by which a server of models is spoken to. */
export interface Wire {
  /** Whether it answers, and its version where it has one. */
  readonly version: Effect.Effect<string | null, WireFailure>
  readonly models: Effect.Effect<ReadonlyArray<ProviderModel>, WireFailure>
  /** The window that the model is asked for; undefined where the server alone decides. */
  readonly windowOf: (model: string) => Effect.Effect<number | undefined, WireFailure>
  /** Ends with `Ended`, or fails. */
  readonly chat: (chat: Chat) => Stream.Stream<Written, WireFailure>
  /** The window in which the model has just answered, where that is told. */
  readonly loadedWindow: (model: string) => Effect.Effect<number | undefined>
}
