import { Data } from "effect"
import type { ChatKey } from "./Inbound.ts"

/** The platform does not take the bot: a wrong or revoked token, a permission that is missing. */
export class NotLetIn extends Data.TaggedError("NotLetIn")<{
  readonly message: string
  readonly hint?: string
}> {}

/** Another program receives for the same bot. */
export class TakenElsewhere extends Data.TaggedError("TakenElsewhere")<{ readonly message: string }> {}

/** It was not done, and may be asked again after so many ms. */
export class TooFast extends Data.TaggedError("TooFast")<{
  readonly message: string
  readonly retryAfter: number
}> {}

/** It was not done, and will not be: `code` is the platform's. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly message: string
  readonly code: string
  /** What was meant to be changed is not there any more. */
  readonly gone?: boolean
  /** The chat is another one now. */
  readonly movedTo?: ChatKey
}> {}

/** No answer, or one that says nothing: it may have been done. */
export class Unanswered extends Data.TaggedError("Unanswered")<{ readonly message: string }> {}

/** What a platform's call can end with. None of them carries the token, or an address in which it stands. */
export type ChannelFailure = NotLetIn | TakenElsewhere | TooFast | Refused | Unanswered
