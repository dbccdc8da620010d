import type { StoreFailed } from "@rejoin/contracts/Errors"
import { Effect } from "effect"
import type { ChatKey } from "./Inbound.ts"
import type { Channel } from "./Room.ts"
import { split } from "./Splitter.ts"

/**
 * A word of ours, as an answer to a message: once, however often it is said about the same. Who stands in a transaction
 * wakes the chat behind it.
 */
export const say = (
  { config, adapter, store }: Channel,
  {
    about,
    chat,
    text,
    to
  }: { readonly chat: ChatKey; readonly to: string | null; readonly about: string; readonly text: string }
): Effect.Effect<void, StoreFailed> =>
  Effect.forEach(
    split(text, adapter.limits.text),
    (text, part) =>
      store.addPart(config.id, {
        item: `word:${about}:${chat}:${to ?? ""}`,
        part,
        kind: "word",
        chat,
        to,
        threadId: null,
        state: "planned",
        remote: null,
        text
      }),
    { discard: true }
  )
