import { outputOf, toldOfChange, toldOfTool } from "@rejoin/agent-kit/Told"
import type { MessageId } from "@rejoin/contracts/Ids"
import type { Conversation, Said } from "@rejoin/core/conversation/Conversation"
import { inputOf } from "./OllamaInput.ts"
import type { Assistant, User } from "./OllamaRecord.ts"

/** What another agent said and did, in a model's words: it has no tools that it could have used. */
const toldOf = (what: Exclude<Said, { readonly _tag: "User" }>): string => {
  switch (what._tag) {
    case "Assistant":
      return what.text
    case "Tool":
      return toldOfTool(what)
    case "Change":
      return toldOfChange(what)
    case "Command":
      return `(I ran \`${what.command}\`:\n${outputOf(what)})`
  }
}

/** A conversation that was held with an agent, as a record of ours. */
export const composed = ({
  said
}: Conversation): {
  readonly lines: ReadonlyArray<User | Assistant>
  readonly mark: MessageId | null
  readonly unfit: number
} => {
  const lines: Array<User | Assistant> = []
  let mark: MessageId | null = null
  let left = 0
  for (const { at, what } of said) {
    if (what._tag === "User") {
      const { images, text, unfit } = inputOf(what.text, what.attachments)
      left += unfit.length
      mark = what.id
      lines.push({ type: "user", id: what.id, text, images, at })
    } else lines.push({ type: "assistant", text: toldOf(what), partial: false, model: "", at })
  }
  return { lines, mark, unfit: left }
}
