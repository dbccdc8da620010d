import { Effect } from "effect"
import { accustom, ask, depart, enter } from "./AgentInterface.ts"
import { type Agent, claudeEnvironment, programOf } from "./Agents.ts"
import { foreignServer } from "./OpenCodeApi.ts"
import { rawCodex } from "./RawCodex.ts"
import { makeTerminal } from "./TerminalScreen.ts"
import type { World } from "./World.ts"

/** Compacted by its agent; the last turn of another one undone, in the agent's own interface. Ours is stopped meanwhile. */
export const alter = (agent: Agent, world: World, compacted: string, rewound: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      if (agent === "codex") {
        const raw = yield* rawCodex(world)
        yield* raw.ask("thread/resume", { threadId: compacted })
        yield* raw.ask("thread/compact/start", { threadId: compacted })
        yield* raw.until("turn/completed")
        yield* raw.ask("thread/resume", { threadId: rewound })
        const listed = yield* raw.ask("thread/turns/list", { threadId: rewound, sortDirection: "desc" })
        const [last] = (listed.result?.["data"] ?? []) as ReadonlyArray<{ readonly id: string }>
        yield* raw.ask("thread/revert", { threadId: rewound, beforeTurnId: last?.id })
        // And again, from what was said since: it is in three files then.
        yield* raw.turn(rewound, "taken back")
        const again = yield* raw.ask("thread/turns/list", { threadId: rewound, sortDirection: "desc" })
        const [other] = (again.result?.["data"] ?? []) as ReadonlyArray<{ readonly id: string }>
        yield* raw.ask("thread/revert", { threadId: rewound, beforeTurnId: other?.id })
      }
      if (agent === "claude") {
        yield* accustom(world, "claude")
        const terminal = yield* makeTerminal({
          command: [yield* programOf("claude"), "--resume", rewound],
          cwd: world.at("repo"),
          env: { ...world.environment, ...claudeEnvironment(world.at("claude"), world.model.origin) }
        })
        yield* terminal.shows("one | two | three")
        yield* enter(terminal, "/rewind")
        yield* terminal.shows("(current)")
        // The last message, and then the first of what can be done with it.
        yield* terminal.type("\u001b[A")
        yield* terminal.shows("❯ three")
        yield* terminal.type("\r")
        yield* terminal.shows("❯ 1. Restore conversation")
        yield* terminal.type("\r")
        yield* terminal.lacks("one | two | three")
        yield* ask(world, terminal, "instead of three")
        yield* terminal.shows("one | two | instead of three")
        yield* depart(terminal, "/exit")
      }
      if (agent === "opencode") {
        const { sdk } = yield* foreignServer(world)
        yield* Effect.promise(async () => {
          await sdk.session.summarize({ sessionID: compacted, providerID: "test", modelID: "scripted" })
          const messages = (await sdk.session.messages({ sessionID: rewound })).data ?? []
          const last = messages.findLast(({ info }) => info.role === "user")
          await sdk.session.revert({ sessionID: rewound, messageID: last?.info.id ?? "" })
        })
      }
    })
  )
