import { Effect, Option, Predicate } from "effect"
import type { Agent } from "./Agents.ts"
import type { inTerminal } from "./CommandLine.ts"
import { until, type World } from "./World.ts"

// What a person does in an agent's own interface.

/** What an agent's own interface shows when it takes what is typed, and how a new conversation is begun in it. */
export const interfaces: Readonly<
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
export const enter = Effect.fnUntraced(function* (terminal: Terminal, text: string) {
  yield* Effect.andThen(
    terminal.type(`${clear}${text}`),
    Effect.timeoutOption(terminal.shows(text), "3 seconds")
  ).pipe(Effect.repeat({ until: Option.isSome }))
  yield* terminal.type("\r")
})

/** Ends the line again where nothing came of it: a key can be lost, and an empty line says nothing. */
const insisting = (terminal: Terminal) => terminal.type("\r").pipe(Effect.delay("5 seconds"), Effect.forever)

/** Says something, and waits until the model is asked it. */
export const ask = Effect.fnUntraced(function* (world: World, terminal: Terminal, text: string) {
  yield* enter(terminal, text)
  const asked = Effect.sync(() =>
    world.model.requests().find(({ said, tools }) => tools.length > 0 && said.at(-1) === text)
  )
  yield* Effect.raceFirst(until(Effect.map(asked, Predicate.isNotUndefined)), insisting(terminal)).pipe(
    terminal.bounded(`had its model asked ${text}`)
  )
  return (yield* asked)?.said ?? []
})

/**
 * Begins a new conversation, and waits until this is not seen any more. Codex shows its answer a moment before its turn is
 * over, and refuses until then: so it is asked again.
 */
export const renew = (terminal: Terminal, agent: Agent, seen: string) =>
  Effect.andThen(
    enter(terminal, interfaces[agent].anew),
    Effect.timeoutOption(terminal.lacks(seen), "5 seconds")
  ).pipe(Effect.repeat({ until: Option.isSome }))

export const depart = Effect.fnUntraced(function* (terminal: Terminal, text: string) {
  yield* enter(terminal, text)
  return yield* Effect.raceFirst(terminal.ended, insisting(terminal))
})

/** Accepts beforehand what each asks of whoever uses it for the first time in a directory. */
export const accustom = Effect.fnUntraced(function* (world: World, agent: Agent) {
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
