import { type Conversation, type Reply, shellCall } from "./Model.ts"

export const recallName = "Recall, built-in, offline: it repeats what it was told in this conversation"

const command = /^run `?([^`\n]+)`?$/im

// It streams word by word, and an agent works on each: of a text that is pasted the beginning is enough to know it by.
const most = 1000
const beginning = (text: string) =>
  text.length > most ? `${text.slice(0, most)}… (${text.length} characters)` : text

/** As it was printed, whatever stands in it. */
const fenced = (text: string) => {
  const fence = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)))
  return `${fence}\n${text}\n${fence}`
}

/**
 * The built-in model: no intelligence, no network, no account. It repeats what it was told in the conversation, so
 * that anybody can see whether the conversation is still there, and runs a command that it is told to `run`.
 */
export const recall = (conversation: Conversation): Reply => {
  const { results, said } = conversation
  const asked = command.exec(said.at(-1) ?? "")?.[1]?.trim()
  const call = asked === undefined ? undefined : shellCall(conversation, asked)
  if (call !== undefined) {
    const [result] = results
    return result === undefined
      ? call
      : { _tag: "Say", text: `\`${asked}\` answered:\n\n${fenced(beginning(result.trim()))}` }
  }
  const lines = said.map((line, i) => `${i + 1}. ${beginning(line)}`).join("\n")
  return {
    _tag: "Say",
    text: `I am Recall, a built-in model that works offline. I can repeat, and \`run <command>\`. In this conversation I was told:\n\n${lines}`
  }
}
