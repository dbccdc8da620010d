import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { MessageId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { FileChange, Item } from "@rejoin/contracts/Item"
import type { Timestamp } from "@rejoin/contracts/Time"
import type { Attachment } from "@rejoin/contracts/Turn"
import { Data, Effect, Option } from "effect"
import type { TurnRecord } from "../store/Records.ts"
import type { ThreadStore } from "../store/ThreadStore.ts"

/** One thing of a conversation, as every agent can have it. */
export type Said = Data.TaggedEnum<{
  /** `id` is that of the message where it was said. */
  User: { readonly id: MessageId; readonly text: string; readonly attachments: ReadonlyArray<Attachment> }
  Assistant: { readonly text: string }
  Command: { readonly command: string; readonly output: string; readonly exitCode: number | null }
  Change: { readonly changes: ReadonlyArray<FileChange>; readonly failed: boolean }
  Tool: { readonly name: string; readonly input: unknown; readonly output: string }
}>
export const Said = Data.taggedEnum<Said>()

/** What was said and done, without what belongs to one agent alone. */
export interface Conversation {
  readonly said: ReadonlyArray<{ readonly at: Timestamp; readonly what: Said }>
  /** How many of what could not be carried, by what it is. */
  readonly left: Readonly<Record<string, number>>
}

type Store = ThreadStore["Service"]

const page = 500

/** An item as it is carried; undefined for what is one agent's own. */
const carried = (item: Item): Said | undefined => {
  const { text = "", output = "" } = item
  switch (item.kind) {
    case "assistant-message":
      return text === "" ? undefined : Said.Assistant({ text })
    case "command":
      return Said.Command({ command: item.command ?? "", output, exitCode: item.exitCode ?? null })
    case "file-change":
      return Said.Change({ changes: item.changes ?? [], failed: item.status !== "completed" })
    case "tool-call":
      return Said.Tool({ name: item.toolName ?? item.title ?? "a tool", input: item.toolInput, output })
    default:
      return undefined
  }
}

const attachmentsOf = (store: Store, refs: TurnRecord["attachments"]) =>
  Effect.map(
    Effect.forEach(refs, ({ hash, mediaType, name }) =>
      // One that was purged is told as left out.
      Effect.map(
        store.getBlob(hash),
        Option.map((data): Attachment => ({ name, mediaType, data }))
      )
    ),
    (found) => found.flatMap(Option.toArray)
  )

/** The turns that the agent has heard of, up to one of them. */
const heard = Effect.fnUntraced(function* (store: Store, id: ThreadId, until: TurnId | undefined) {
  const turns: Array<TurnRecord & { readonly messageId: MessageId }> = []
  for (let after: TurnId | undefined; ;) {
    const found = yield* store.listTurns(id, { after, limit: page })
    for (const turn of found) {
      const { messageId, undone } = turn
      if (messageId !== null && undone !== true) turns.push({ ...turn, messageId })
      if (turn.id === until) return turns
    }
    if (found.length < page) return turns
    after = found.at(-1)?.id
  }
})

const itemsByTurn = Effect.fnUntraced(function* (store: Store, id: ThreadId) {
  const byTurn = new Map<TurnId, Array<Item>>()
  for (let after: Item["id"] | null = null; ;) {
    const found: ReadonlyArray<Item> = yield* store.listItems(id, { after, limit: page })
    for (const item of found) {
      if (item.undone === true) continue
      byTurn.set(item.turnId, [...(byTurn.get(item.turnId) ?? []), item])
    }
    if (found.length < page) return byTurn
    after = found.at(-1)?.id ?? null
  }
})

/** All of a thread that another agent can have, up to the end of a turn; in the order in which it was said. */
export const conversationOf = Effect.fn("conversationOf")(function* (
  store: Store,
  id: ThreadId,
  until?: TurnId
): Effect.fn.Return<Conversation, StoreFailed> {
  const said: Array<Conversation["said"][number]> = []
  const left: Record<string, number> = {}
  const leave = (what: string, count = 1) => {
    if (count > 0) left[what] = (left[what] ?? 0) + count
  }
  const items = yield* itemsByTurn(store, id)
  for (const turn of yield* heard(store, id, until)) {
    const at = turn.startedAt ?? turn.acceptedAt
    // What its user said: the input, and what was steered into it, where that stands among the items.
    const inputs = [turn, ...turn.steers].map(({ attachments = [], input, messageId }) => ({
      id: messageId,
      text: input,
      attachments
    }))
    const speak = Effect.fnUntraced(function* (input: (typeof inputs)[number] | undefined) {
      if (input === undefined) return
      const attachments = yield* attachmentsOf(store, input.attachments)
      leave("attachment", input.attachments.length - attachments.length)
      said.push({ at, what: Said.User({ ...input, attachments }) })
    })
    yield* speak(inputs.shift())
    let isFirst = true
    for (const item of items.get(turn.id) ?? []) {
      if (item.kind === "user-message") {
        if (!isFirst) yield* speak(inputs.shift())
        isFirst = false
        continue
      }
      const what = carried(item)
      if (what === undefined) leave(item.kind)
      else said.push({ at, what })
    }
    // What no item tells of was said all the same.
    for (const input of inputs) yield* speak(input)
  }
  return { said, left }
})

/** How much a model reads of it, by four letters a token: no agent's own count is known before it is asked. */
export const tokensIn = ({ said }: Conversation): number => {
  const letters = said.reduce((sum, { what }) => {
    const { attachments = [], ...rest } = what._tag === "User" ? what : { ...what, attachments: [] }
    const texts = attachments.filter(({ mediaType }) => mediaType.startsWith("text/"))
    return sum + JSON.stringify(rest).length + texts.reduce((all, { data }) => all + data.length * 0.75, 0)
  }, 0)
  return Math.ceil(letters / 4)
}
