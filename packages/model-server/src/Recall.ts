import { type ChatRequest, hasTool, type Reply, said, toolResults } from "./Chat.ts"

export const recallName = "Recall, built-in, offline: it repeats what it was told in this conversation"

const command = /^run `?([^`\n]+)`?$/im

/**
 * The built-in model: no intelligence, no network, no account. It repeats what it was told in the conversation, so
 * that anybody can see whether the conversation is still there, and runs a command that it is told to `run`.
 */
export const recall = (request: ChatRequest): Reply => {
  const told = said(request)
  const last = told.at(-1) ?? ""
  const asked = command.exec(last)?.[1]?.trim()
  if (asked !== undefined && hasTool(request, "bash")) {
    const [result] = toolResults(request)
    return result === undefined
      ? { _tag: "Call", name: "bash", input: { command: asked, description: `Runs ${asked}` } }
      : { _tag: "Say", text: `\`${asked}\` printed:\n\n${result.trim()}` }
  }
  const lines = told.map((line, i) => `${i + 1}. ${line}`).join("\n")
  return {
    _tag: "Say",
    text: `I am Recall, a built-in model that works offline. In this conversation I was told:\n\n${lines}`
  }
}
