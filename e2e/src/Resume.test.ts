import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Predicate } from "effect"
import { type Agent, claude, codex, opencode } from "./Agents.ts"
import { inTerminal } from "./CommandLine.ts"
import { live, makeWorld, open, receipts, say, until, type World } from "./World.ts"

const instances = { claude, codex, opencode }

/** What an agent's own interface shows when it takes what is typed, and how a new conversation is begun in it. */
const interfaces: Readonly<
  Record<Agent, { readonly ready: string; readonly anew: string; readonly leave: string }>
> = {
  claude: { ready: "❯", anew: "/clear", leave: "/exit" },
  codex: { ready: "›", anew: "/clear", leave: "/quit" },
  opencode: { ready: "commands", anew: "/new", leave: "/exit" }
}

type Terminal = Effect.Success<ReturnType<typeof inTerminal>>

// Deletes what stands in the line.
const clear = "\u0015"

/**
 * Types, and ends the line once it stands there: both in one would be something that was pasted. Codex loses a key that
 * comes while `/clear` draws anew, and nothing tells: then all of it is struck again.
 */
const enter = Effect.fnUntraced(function* (terminal: Terminal, text: string) {
  yield* Effect.andThen(
    terminal.type(`${clear}${text}`),
    Effect.timeoutOption(terminal.shows(text), "3 seconds")
  ).pipe(Effect.repeat({ until: Option.isSome }))
  yield* terminal.type("\r")
})

/** Says something, and waits until the model is asked it. */
const ask = Effect.fnUntraced(function* (world: World, terminal: Terminal, text: string) {
  yield* enter(terminal, text)
  const asked = Effect.sync(() =>
    world.model.requests().find(({ said, tools }) => tools.length > 0 && said.at(-1) === text)
  )
  yield* until(Effect.map(asked, Predicate.isNotUndefined))
  return (yield* asked)?.said ?? []
})

const depart = Effect.fnUntraced(function* (terminal: Terminal, text: string) {
  yield* enter(terminal, text)
  return yield* terminal.ended
})

/** Accepts beforehand what each asks of whoever uses it for the first time in a directory. */
const accustom = Effect.fnUntraced(function* (world: World, agent: Agent) {
  const { at, fs } = world
  if (agent === "claude") {
    const accepted = {
      hasCompletedOnboarding: true,
      projects: { [at("repo")]: { hasTrustDialogAccepted: true } },
      customApiKeyResponses: { approved: ["none"], rejected: [] }
    }
    yield* fs.writeFileString(at("claude/.claude.json"), JSON.stringify(accepted))
  }
  if (agent === "codex") {
    const config = yield* fs.readFileString(at("codex/config.toml"))
    const accepted = `[projects."${at("repo")}"]\ntrust_level = "trusted"\n[notice.model_migrations]\n"gpt-5.5" = "gpt-6-sol"\n`
    yield* fs.writeFileString(at("codex/config.toml"), `${config}${accepted}`)
  }
})

describe("E1 to E7, E14: a thread in its agent's own interface, and back", () => {
  for (const agent of ["claude", "codex", "opencode"] as const) {
    it.live(`${agent}: exactly this session; what is sent meanwhile is refused; a new one is followed`, () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: [agent] })
          yield* accustom(world, agent)
          const server = yield* world.start()
          const { id } = yield* server.client.threads.create({
            payload: {
              provider: instances[agent],
              cwd: world.at("repo"),
              runtimeMode: "approval-required",
              // OpenCode's own interface takes none (README).
              ...(agent !== "opencode" && { systemPrompt: "The password is swordfish." })
            }
          })
          yield* say(server, id, "one")
          const { anew, leave, ready } = interfaces[agent]
          const terminal = yield* inTerminal(world, "resume", id)
          yield* terminal.shows(ready)
          assert.deepEqual(yield* ask(world, terminal, "inside"), ["one", "inside"])
          // The answer, which is all that was said, is there: the turn is over.
          yield* terminal.shows("|")

          const refused = yield* say(server, id, "too early")
          assert.strictEqual(refused.error?._tag, "SessionHeldElsewhere")
          assert.isFalse(world.model.requests().some(({ said }) => said.includes("too early")))

          yield* enter(terminal, anew)
          yield* terminal.lacks("inside")
          assert.deepEqual(yield* ask(world, terminal, "afresh"), ["afresh"])
          if (agent !== "opencode") {
            // S14: what the thread's agent is told beside the conversation holds there too.
            yield* ask(world, terminal, "password")
            yield* terminal.shows("swordfish")
          }
          const { code, out } = yield* depart(terminal, leave)
          assert.strictEqual(code, 0, out)

          const [back] = yield* receipts(server, id)
          assert.strictEqual(back?.outcome, "adopted")
          assert.notStrictEqual(back?.providerSessionIdBefore, back?.providerSessionIdAfter)
          const { output } = yield* say(server, id, "two")
          assert.match(output, /^afresh \|.* two$/)
        })
      )
    )
  }

  it.live(
    "a terminal that is closed under the command: the thread comes back by itself, with what was said",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: ["claude"] })
          yield* accustom(world, "claude")
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "approval-required", claude)
          yield* say(server, id, "one")
          const terminal = yield* inTerminal(world, "resume", id)
          yield* terminal.shows(interfaces.claude.ready)
          yield* ask(world, terminal, "inside")
          const { session } = yield* server.client.threads.get({ params: { id } })
          assert.isDefined(session.terminalSince)
          yield* terminal.close
          // Until Claude has ended there, what is sent is refused.
          yield* until(Effect.map(say(server, id, "two"), ({ status }) => status === "completed"))
          assert.deepEqual(
            world.model
              .requests()
              .findLast(({ said }) => said.at(-1) === "two")
              ?.said.filter((text) => !text.startsWith("<")),
            ["one", "inside", "two"]
          )
          const [back] = yield* receipts(server, id)
          assert.deepInclude(
            back?.checks.find(({ what }) => what === "history"),
            { found: { value: "ahead", by: "store" } }
          )
        })
      )
  )
})
