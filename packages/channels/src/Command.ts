import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { Data, Schema } from "effect"

/** What is for us and not for the agent. Any other word behind a slash is the agent's. */
export type Command = Data.TaggedEnum<{
  Help: {}
  New: {}
  Stop: {}
  Status: {}
  Threads: {}
  Mode: { readonly mode: RuntimeMode | undefined; readonly given: string }
  Use: { readonly thread: string }
  File: { readonly path: string }
  Decide: { readonly decision: "accept" | "decline"; readonly id: string }
}>
export const Command = Data.taggedEnum<Command>()

/** What each platform's own list of commands shows. */
export const commands: ReadonlyArray<{
  readonly name: string
  readonly takes?: string
  readonly about: string
}> = [
  { name: "new", about: "Begin anew; what was said is kept" },
  { name: "stop", about: "Stop what the agent is at" },
  { name: "status", about: "Where it works, and with which powers" },
  { name: "mode", takes: "mode", about: "What the agent may do without asking" },
  { name: "threads", about: "Conversations that can go on here" },
  { name: "use", takes: "thread", about: "Go on with one of them" },
  { name: "file", takes: "path", about: "Send a file of the directory" },
  { name: "help", about: "What can be said here" }
]

const isMode = Schema.is(RuntimeMode)

/** `bot` is the bot's own name: a command for another bot is none. */
export const commandIn = (text: string, bot: string): Command | undefined => {
  const found = /^\s*\/([a-z]+)(?:@(\w+))?(?:\s+([^]*?))?\s*$/i.exec(text)
  if (found === null) return undefined
  const [, word = "", of, rest = ""] = found
  if (of !== undefined && of.toLowerCase() !== bot.toLowerCase()) return undefined
  switch (word.toLowerCase()) {
    case "help":
    case "start":
      return Command.Help()
    case "new":
    case "reset":
      return Command.New()
    case "stop":
      return Command.Stop()
    case "status":
      return Command.Status()
    case "threads":
      return Command.Threads()
    case "mode":
      return Command.Mode({ given: rest, mode: isMode(rest) ? rest : undefined })
    case "use":
      return Command.Use({ thread: rest })
    case "file":
      return Command.File({ path: rest })
    case "accept":
    case "decline":
      return Command.Decide({ decision: word.toLowerCase() === "accept" ? "accept" : "decline", id: rest })
    default:
      return undefined
  }
}
