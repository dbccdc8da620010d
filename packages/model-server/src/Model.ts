/** What a model is sent, whichever API it came by. */
export interface Conversation {
  readonly model: string
  /** What the user has said, oldest first: as the model received it, without what the agent adds in the user's name. */
  readonly said: ReadonlyArray<string>
  /** What came after the user's last message: the results of the tools that the answer has called so far. */
  readonly results: ReadonlyArray<string>
  /** Names of the tools that are offered. */
  readonly tools: ReadonlyArray<string>
  /** How often exactly this was asked, this time included: an agent that tries again asks the same. */
  readonly attempt: number
  /** The request as it came. */
  readonly body: unknown
}

/** What a model answers to one request, with headers beside those of its API: a limit, and how much of it is used. */
export type Reply = Answer & { readonly headers?: Readonly<Record<string, string>> }

type Answer =
  | { readonly _tag: "Say"; readonly text: string; readonly reasoning?: string }
  /** A text as input is for tools that take no JSON. */
  | {
      readonly _tag: "Call"
      readonly name: string
      readonly input: Readonly<Record<string, unknown>> | string
    }
  /** With `error` beside what its API puts into an error by itself. */
  | {
      readonly _tag: "Fail"
      readonly status: number
      readonly message: string
      readonly error?: Readonly<Record<string, unknown>>
    }
  /** Begins to answer and never ends. */
  | { readonly _tag: "Hang"; readonly text: string }

/** A model: a pure function of what it is sent. */
export type Responder = (conversation: Conversation) => Reply

/** The command as the agent's own shell tool takes it; undefined where none is offered. */
export const shellCall = ({ tools }: Conversation, command: string): Reply | undefined => {
  const description = `Runs ${command}`
  if (tools.includes("bash")) return { _tag: "Call", name: "bash", input: { command, description } }
  if (tools.includes("Bash")) return { _tag: "Call", name: "Bash", input: { command, description } }
  if (tools.includes("run_shell_command"))
    return { _tag: "Call", name: "run_shell_command", input: { command, description, is_background: false } }
  if (tools.includes("exec_command")) return { _tag: "Call", name: "exec_command", input: { cmd: command } }
  return undefined
}
