import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Item } from "@rejoin/contracts/Item"
import { brief } from "@rejoin/shown/Visible"
import { Option, Schema } from "effect"
import type { ChatKey } from "./Inbound.ts"

const decodeItem = Schema.decodeUnknownOption(Schema.Struct({ item: Item }))
const decodeDelta = Schema.decodeUnknownOption(
  Schema.Struct({ delta: Schema.String, field: Schema.Literal("text") })
)

interface Running {
  readonly chat: ChatKey
  /** What was said, by item. */
  readonly said: Map<string, string>
  /** What the agent is at besides. */
  at: string | undefined
}

export interface Previews {
  readonly begin: (item: string, chat: ChatKey) => void
  readonly end: (item: string) => void
  readonly isOver: (item: string) => boolean
  /** The chat in which there is more to see now. */
  readonly hear: (event: RuntimeEvent) => ChatKey | undefined
  /** What is to be shown in a chat and was not shown yet. */
  readonly take: (chat: ChatKey) => { readonly item: string; readonly text: string } | undefined
}

const doing = ({ command, kind, status, title, toolName }: Item): string | undefined => {
  if (status !== "started") return undefined
  switch (kind) {
    case "command":
      return `⚙ ${brief(command ?? "")}`
    case "file-change":
      return `✎ ${brief(title ?? "editing")}`
    case "tool-call":
      return `⚙ ${brief(title ?? toolName ?? "")}`
    case "reasoning":
      return "… thinking"
    default:
      return undefined
  }
}

/**
 * How far answers have come, to be shown while they are made. It is kept nowhere: the answer itself is told by its turn.
 * What does not fit is left out at the beginning.
 */
export const makePreviews = (limit: number): Previews => {
  const running = new Map<string, Running>()
  const changed = new Map<ChatKey, string>()
  return {
    begin: (item, chat) =>
      void (running.has(item) || running.set(item, { chat, said: new Map(), at: undefined })),
    end: (item) => void running.delete(item),
    isOver: (item) => !running.has(item),
    hear: ({ data, itemId, turnId }) => {
      const turn = turnId === undefined ? undefined : running.get(turnId)
      if (turn === undefined || turnId === undefined) return undefined
      const item = Option.getOrUndefined(decodeItem(data))?.item
      if (item?.kind === "assistant-message") turn.said.set(item.id, item.text ?? "")
      else if (item !== undefined) turn.at = doing(item)
      const delta = Option.getOrUndefined(decodeDelta(data))?.delta
      const before = itemId === undefined ? undefined : turn.said.get(itemId)
      if (itemId !== undefined && before !== undefined && delta !== undefined) {
        turn.said.set(itemId, before + delta)
        turn.at = undefined
      }
      if (item === undefined && (delta === undefined || before === undefined)) return undefined
      changed.set(turn.chat, turnId)
      return turn.chat
    },
    take: (chat) => {
      const item = changed.get(chat)
      changed.delete(chat)
      const turn = item === undefined ? undefined : running.get(item)
      if (turn === undefined || item === undefined) return undefined
      const said = [...turn.said.values()].filter((text) => text.trim() !== "").join("\n\n")
      const text = [said, turn.at].filter((part) => part !== undefined && part !== "").join("\n\n")
      if (text === "") return undefined
      return { item, text: text.length <= limit ? text : `…${text.slice(text.length - limit + 1)}` }
    }
  }
}
