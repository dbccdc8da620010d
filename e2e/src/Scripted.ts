import { type Conversation, type Reply, shellCall } from "@rejoin/model-server/Model"

const say = (text: string): Reply => ({ _tag: "Say", text })

/** The directory in which the agent says that it works: the last that it named, as Claude tells of a move with both. */
const directoryOf = ({ body }: Conversation): string => {
  const text = JSON.stringify(body)
  const told = /(?:[Ww]orking directory|working in the directory): ([^\\"\n]+?)(?: \(was |[\\"\n])/g
  const listed = /Workspace Directories:\*\*(?:\\n)+\s+- ([^\\"]+?)\\n/g
  return [...text.matchAll(told), ...text.matchAll(listed)].at(-1)?.[1] ?? ""
}

/** A file written by whichever tool the agent has for it. */
const writeCall = (conversation: Conversation, path: string, content: string): Reply | undefined => {
  const { tools } = conversation
  if (tools.includes("write")) return { _tag: "Call", name: "write", input: { filePath: path, content } }
  if (tools.includes("Write")) {
    const file_path = path.startsWith("/") ? path : `${directoryOf(conversation)}/${path}`
    return { _tag: "Call", name: "Write", input: { file_path, content } }
  }
  const whole = path.startsWith("/") ? path : `${directoryOf(conversation)}/${path}`
  if (tools.includes("create"))
    return { _tag: "Call", name: "create", input: { path: whole, file_text: content } }
  if (tools.includes("write_file"))
    return { _tag: "Call", name: "write_file", input: { file_path: whole, content } }
  const patch = `*** Begin Patch\n*** Add File: ${path}\n+${content}\n*** End Patch`
  return tools.includes("apply_patch") ? { _tag: "Call", name: "apply_patch", input: patch } : undefined
}

/** `@name` before the prompt is which sub-agent it goes to. */
const delegateCall = ({ tools }: Conversation, argument: string): Reply | undefined => {
  const [, name, prompt = ""] = /^(?:@(\S+) )?([^]*)$/.exec(argument) ?? []
  const input = { description: "a test", prompt }
  if (tools.includes("task"))
    return { _tag: "Call", name: "task", input: { ...input, subagent_type: name ?? "general" } }
  return tools.includes("Agent")
    ? {
        _tag: "Call",
        name: "Agent",
        input: { ...input, subagent_type: name ?? "general-purpose", run_in_background: false }
      }
    : undefined
}

const askCall = ({ tools }: Conversation): Reply | undefined => {
  const options = [
    { label: "A", description: "the first" },
    { label: "B", description: "the second" }
  ]
  const question = { question: "Which?", header: "Choice", options }
  if (tools.includes("question")) return { _tag: "Call", name: "question", input: { questions: [question] } }
  if (tools.includes("ask_user_question")) {
    const questions = [{ ...question, multiSelect: false }]
    return { _tag: "Call", name: "ask_user_question", input: { questions } }
  }
  if (tools.includes("AskUserQuestion")) {
    const questions = [{ ...question, multiSelect: false }]
    return { _tag: "Call", name: "AskUserQuestion", input: { questions } }
  }
  const questions = [{ ...question, id: "q1" }]
  return tools.includes("request_user_input")
    ? { _tag: "Call", name: "request_user_input", input: { questions } }
    : undefined
}

/**
 * The model of the tests, the same for every agent. What it does follows from the first word of the user's last
 * message; anything else is answered with all that the user said in the conversation, as the model received it,
 * joined by ` | `.
 */
export const scripted = (conversation: Conversation): Reply => {
  const { attempt, results, said } = conversation
  const last = said.at(-1) ?? ""
  // It refuses each request that has it.
  if (said.some((text) => text.startsWith("poison"))) {
    return { _tag: "Fail", status: 400, message: "a scripted refusal" }
  }
  const [verb = "", ...rest] = last.split(" ")
  const argument = rest.join(" ")
  const once = (call: Reply | undefined): Reply => {
    if (results.length > 0) return say(`result: ${results.at(-1)?.trim() ?? ""}`)
    return call ?? say(`there is no tool ${verb}`)
  }
  switch (verb) {
    case "run":
      return once(shellCall(conversation, argument))
    // As an agent that knows that its sandbox would not let it.
    case "escalate": {
      const call = shellCall(conversation, argument)
      const wanted = { sandbox_permissions: "require_escalated", justification: "a test" }
      return once(
        call?._tag === "Call" && call.name === "exec_command" && typeof call.input === "object"
          ? { ...call, input: { ...call.input, ...wanted } }
          : call
      )
    }
    // Goes on when the turn has ended, where the agent's shell tool can.
    case "later":
      return once(
        conversation.tools.includes("Bash")
          ? { _tag: "Call", name: "Bash", input: { command: argument, run_in_background: true } }
          : shellCall(conversation, argument)
      )
    case "write": {
      const [path = "", ...content] = rest
      return once(writeCall(conversation, path, content.join(" ")))
    }
    case "ask":
      return once(askCall(conversation))
    case "delegate":
      return once(delegateCall(conversation, argument))
    case "think":
      return { _tag: "Say", text: `thought: ${argument}`, reasoning: argument }
    // Said nowhere in the conversation: only a system prompt has it.
    case "password":
      return say(/The password is (\w+)/.exec(JSON.stringify(conversation.body))?.[1] ?? "none")
    case "hold":
      return { _tag: "Hang", text: "holding " }
    case "fail":
      return { _tag: "Fail", status: Number(argument), message: "a scripted failure" }
    case "stumble":
      return attempt === 1
        ? { _tag: "Fail", status: Number(argument), message: "a scripted failure" }
        : say(`recovered from ${argument}`)
    default:
      return say(said.join(" | "))
  }
}
