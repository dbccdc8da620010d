import { visible } from "@rejoin/shown/Visible"
import { Clock, Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { everything } from "@rejoin/client/Pages"
import { absolute, allThreads, findThread, threadArgument } from "./Addressed.ts"
import { Connection } from "./Connection.ts"
import { print, printTable } from "./Output.ts"
import { modelsText, providersText, receiptText, threadsText, threadText, turnsText } from "./Text.ts"

// What only looks.

const opened = Effect.flatMap(Connection, ({ open }) => open)

const threads = Command.make(
  "threads",
  {
    project: Flag.String("project").pipe(
      Flag.withDescription("Only those of this project: by default the repository's first checkout"),
      Flag.optional
    ),
    here: Flag.Boolean("here").pipe(
      Flag.withDescription("Only those of this directory"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(function* ({ here, project }) {
    const all = yield* Effect.flatMap(opened, allThreads)
    const cwd = yield* absolute(".")
    yield* printTable(
      all
        .filter((thread) => Option.isNone(project) || thread.project === project.value)
        .filter((thread) => !here || thread.cwd === cwd)
        .toSorted((a, b) => (a.lastActivityAt < b.lastActivityAt ? 1 : -1)),
      threadsText(yield* Clock.currentTimeMillis)
    )
  })
).pipe(Command.withDescription("List the threads, the latest first"))

const show = Command.make(
  "show",
  {
    thread: threadArgument,
    turns: Flag.Int("turns").pipe(
      Flag.withDescription("How many of the last turns (1 to 500; 20)"),
      Flag.withDefault(20),
      Flag.filter(
        (turns) => turns >= 1 && turns <= 500,
        () => "a number from 1 to 500"
      )
    )
  },
  Effect.fn(function* ({ thread: named, turns: count }) {
    const client = yield* opened
    const thread = yield* findThread(client, named)
    const params = { id: thread.id }
    const turns = yield* everything((query) => client.turns.list({ params, query }))
    const receipts = yield* everything((query) => client.threads.receipts({ params, query }))
    yield* print({ thread, turns: turns.slice(-count) }, ({ thread, turns }) =>
      [threadText(thread), turnsText(turns, receipts)].filter((part) => part !== "").join("\n\n")
    )
  })
).pipe(Command.withDescription("Show a thread and its last turns"))

const receipts = Command.make(
  "receipts",
  { thread: threadArgument },
  Effect.fn(function* ({ thread }) {
    const client = yield* opened
    const { id } = yield* findThread(client, thread)
    const items = yield* everything((query) => client.threads.receipts({ params: { id }, query }))
    yield* print(items.toReversed(), (items) =>
      items.length === 0 ? "It was never started." : items.map(receiptText).join("\n")
    )
  })
).pipe(Command.withDescription("Show what each start did with the conversation, and what was read back"))

const providers = Command.make(
  "providers",
  {},
  Effect.fn(function* () {
    const client = yield* opened
    const { items } = yield* client.providers.list({})
    yield* printTable(items, providersText)
  })
).pipe(Command.withDescription("List the agents: found where, which version, usable or why not"))

const models = Command.make(
  "models",
  {
    provider: Flag.String("provider").pipe(
      Flag.withAlias("p"),
      Flag.withDescription("Only this agent's"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ provider }) {
    const client = yield* opened
    const ofAgent = (id: string) =>
      Effect.map(client.providers.models({ params: { id } }), ({ items }) =>
        items.map((model) => ({ provider: id, ...model }))
      )
    if (Option.isSome(provider)) return yield* printTable(yield* ofAgent(provider.value), modelsText)
    const { items } = yield* client.providers.list({})
    const usable = items.filter(({ status }) => status === "ready")
    // One that is away does not hide the others'.
    const all = yield* Effect.forEach(
      usable,
      ({ id }) =>
        ofAgent(id).pipe(
          Effect.catch((error) => Effect.as(Console.error(visible(`${id}: ${error.message}`)), []))
        ),
      { concurrency: "unbounded" }
    )
    yield* printTable(all.flat(), modelsText)
  })
).pipe(Command.withDescription("List the models of the agents, as rejoin model and send --model take them"))

export const looking = [threads, show, receipts] as const

/** What the agents offer. */
export const offering = [providers, models] as const
