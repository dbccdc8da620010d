import { Command } from "effect/cli"
import { acp } from "./acp/Acp.ts"
import { agents } from "./Agents.ts"
import { answer } from "./Answer.ts"
import { backup } from "./Backup.ts"
import { channel } from "./Channels.ts"
import { drain } from "./Drain.ts"
import { logs } from "./Logs.ts"
import { own } from "./Own.ts"
import { page } from "./Page.ts"
import { pairing } from "./Pair.ts"
import { resume, run } from "./Resume.ts"
import { root } from "./Root.ts"
import { search } from "./Search.ts"
import { send } from "./Send.ts"
import { demo, doctor, serve } from "./Serve.ts"
import { changing } from "./Sessions.ts"
import { looking, offering } from "./Threads.ts"
import { transfer } from "./Transfer.ts"
import { rules } from "./Rules.ts"
import { trust } from "./Trust.ts"
import { watch } from "./Watch.ts"

/** `rejoin`, with all that it can do. */
export const commands = root.pipe(
  Command.withSubcommands([
    { group: "Talk", commands: [send, watch, answer, rules, search] },
    { group: "Threads", commands: [...looking, ...changing, ...transfer] },
    {
      group: "Agents, and what they have of their own",
      commands: [...offering, agents, ...own, resume, run, trust]
    },
    {
      group: "Server",
      commands: [...page, ...pairing, acp, channel, backup, drain, doctor, logs, serve, demo]
    }
  ])
)
