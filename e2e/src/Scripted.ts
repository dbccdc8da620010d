import { type ChatRequest, hasTool, type Reply, said, toolResults } from "@rejoin/model-server/Chat"

/**
 * The model of the tests. What it does follows from the first word of the user's last message; anything else is
 * answered with all that the user said in the conversation, as the model received it, joined by ` | `.
 */
export const scripted = (request: ChatRequest): Reply => {
  const told = said(request)
  const last = told.at(-1) ?? ""
  const [verb = "", ...rest] = last.split(" ")
  const argument = rest.join(" ")
  const results = toolResults(request)
  const call = (name: string, input: Record<string, unknown>): Reply => {
    if (results.length > 0) return { _tag: "Say", text: `result: ${results.at(-1)?.trim() ?? ""}` }
    return hasTool(request, name)
      ? { _tag: "Call", name, input }
      : { _tag: "Say", text: `there is no tool ${name}` }
  }
  switch (verb) {
    case "run":
      return call("bash", { command: argument, description: "a test" })
    case "write": {
      const [filePath = "", ...content] = rest
      return call("write", { filePath, content: content.join(" ") })
    }
    case "ask":
      return call("question", {
        questions: [
          {
            question: "Which?",
            header: "Choice",
            options: [
              { label: "A", description: "the first" },
              { label: "B", description: "the second" }
            ]
          }
        ]
      })
    case "delegate":
      return call("task", { description: "a test", prompt: argument, subagent_type: "general" })
    case "think":
      return { _tag: "Say", text: `thought: ${argument}`, reasoning: argument }
    case "hold":
      return { _tag: "Hang", text: "holding " }
    case "fail":
      return { _tag: "Fail", status: Number(argument), message: "a scripted failure" }
    default:
      return { _tag: "Say", text: told.join(" | ") }
  }
}
