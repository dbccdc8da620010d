import type { RejoinClient } from "@rejoin/client/Client"
import type { ChannelConfig } from "@rejoin/contracts/Channel"
import { Cause, Data, Effect, Exit, Queue, type Scope } from "effect"
import type { NotLetIn } from "./ChannelFailure.ts"
import type { ChannelAdapter } from "./ChannelAdapter.ts"
import type { ChannelStore } from "./ChannelStore.ts"
import type { ChatKey } from "./Inbound.ts"

/** What everything that is done for a channel stands on. */
export interface Channel {
  readonly config: ChannelConfig
  readonly adapter: ChannelAdapter
  readonly store: ChannelStore
  readonly rejoin: RejoinClient
  /** The bot's own name there. */
  readonly bot: string
  /** What came in this chat is to be dealt with. */
  readonly wakeIn: (chat: ChatKey) => Effect.Effect<void>
  /** Something is to be said in this chat. */
  readonly wakeOut: (chat: ChatKey) => Effect.Effect<void>
  /** What is open is to be looked at anew, in a while: something could not be looked at. */
  readonly lookAgain: Effect.Effect<void>
  /** The platform does not take the bot any more: it is made anew. */
  readonly notLetIn: (failure: NotLetIn) => Effect.Effect<void>
  /** Something could not be done; shown to the operator. */
  readonly report: (problem: string) => Effect.Effect<void>
}

/** It cannot be done now, and is tried again. */
export class Later extends Data.TaggedError("Later")<{ readonly message: string }> {}

/** How long is waited before the next attempt, in ms. */
export const pauseAfter = (attempts: number): number => Math.min(30_000, 500 * 2 ** Math.min(attempts, 6))

/**
 * Does the same for each chat, one after the other within it, for as long as the scope: each time something is to be done
 * there, until nothing is. What fails is tried again, in longer and longer pauses, and holds up its own chat alone.
 */
export const makeRooms = <E>(
  scope: Scope.Scope,
  /** Does one thing; false where there is none. */
  step: (chat: ChatKey) => Effect.Effect<boolean, E>,
  report: (problem: string) => Effect.Effect<void>
) => {
  const rooms = new Map<ChatKey, Queue.Queue<void>>()
  const live = (chat: ChatKey, signal: Queue.Queue<void>) => {
    let attempts = 0
    const once = Effect.exit(step(chat)).pipe(
      Effect.flatMap((exit) => {
        if (Exit.isSuccess(exit)) {
          attempts = 0
          return exit.value ? Effect.void : Queue.take(signal)
        }
        if (Cause.hasInterruptsOnly(exit.cause)) return Effect.interrupt
        const why = Cause.squash(exit.cause)
        return Effect.andThen(
          attempts === 0 ? report(why instanceof Error ? why.message : String(why)) : Effect.void,
          Effect.sleep(pauseAfter(attempts++))
        )
      })
    )
    return Effect.forever(once)
  }
  return Effect.fnUntraced(function* (chat: ChatKey) {
    let signal = rooms.get(chat)
    if (signal === undefined) {
      const made = yield* Queue.sliding<void>(1)
      // Somebody else may have made one meanwhile.
      signal = rooms.get(chat) ?? made
      if (signal === made) {
        rooms.set(chat, made)
        yield* Effect.forkIn(live(chat, made), scope)
      }
    }
    yield* Queue.offer(signal, undefined)
  })
}
