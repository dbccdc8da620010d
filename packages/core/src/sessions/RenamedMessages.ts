import { MessageId, type ThreadId } from "@rejoin/contracts/Ids"
import { Effect } from "effect"
import type { ThreadStore } from "../store/ThreadStore.ts"

const page = 500

/**
 * Turns are found upstream by their messages, a fork from one of them for example: where carrying a conversation over
 * gave the messages other ids, the turns follow.
 */
export const renameMessages = Effect.fnUntraced(function* (
  store: ThreadStore["Service"],
  threadId: ThreadId,
  renamed: ReadonlyMap<string, string>
) {
  if (renamed.size === 0) return
  let after: string | undefined
  for (;;) {
    const turns = yield* store.listTurns(threadId, { after, limit: page })
    for (const turn of turns) {
      const id = turn.messageId === null ? undefined : renamed.get(turn.messageId)
      if (id !== undefined) yield* store.saveTurn({ ...turn, messageId: MessageId.make(id) })
    }
    if (turns.length < page) return
    after = turns.at(-1)?.id
  }
})
