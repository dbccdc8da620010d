import type { RejoinClient } from "@rejoin/client/Client"
import { everything } from "@rejoin/client/Pages"
import { SessionNotFound } from "@rejoin/contracts/Errors"
import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import type { OwnSession } from "@rejoin/contracts/OwnSession"
import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { brief } from "@rejoin/shown/Visible"
import { absolute } from "./Addressed.ts"
import { Connection } from "./Connection.ts"
import { print, printTable } from "./Output.ts"
import { tableOf, timeOf } from "./Text.ts"

// What the agents have of their own: shown, and gone on from here.

interface Listed extends OwnSession {
  readonly provider: string
}

const providerFlag = Flag.String("provider").pipe(
  Flag.withAlias("p"),
  Flag.withDescription("Only this agent's"),
  Flag.optional
)

/** The agents that tell of their sessions; one that is named has to. */
const providersOf = Effect.fnUntraced(function* (client: RejoinClient, named: Option.Option<string>) {
  if (Option.isSome(named)) return [named.value]
  const { items } = yield* client.providers.list({})
  return items.filter(({ status }) => status === "ready").map(({ id }) => id as string)
})

const sessionsOf = Effect.fnUntraced(function* (
  client: RejoinClient,
  provider: string,
  query: { readonly cwd?: string; readonly q?: string; readonly limit: number }
) {
  const page = yield* client.providers.sessions({ params: { id: provider }, query })
  if (page.unreadable > 0) {
    yield* Console.error(`${page.unreadable} sessions of ${provider} cannot be read, and are not shown.`)
  }
  return page.items.map((session): Listed => ({ ...session, provider }))
})

const sessionsText = (sessions: ReadonlyArray<Listed>) =>
  sessions.length === 0
    ? "No sessions."
    : tableOf([
        ["SESSION", "PROVIDER", "UPDATED", "THREAD", "TITLE", "DIRECTORY"],
        ...sessions.map(
          ({ archived, cwd, holder, provider, providerSessionId, threadId, title, updatedAt }) => [
            providerSessionId,
            provider,
            timeOf(updatedAt).slice(0, 16),
            threadId ?? (holder === "other" ? "open elsewhere" : archived === true ? "archived" : "–"),
            brief(title, 40),
            cwd ?? "–"
          ]
        )
      ])

const newestFirst = (sessions: ReadonlyArray<Listed>) =>
  sessions.toSorted((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1))

const sessions = Command.make(
  "sessions",
  {
    provider: providerFlag,
    here: Flag.Boolean("here").pipe(
      Flag.withDescription("Only those of this directory"),
      Flag.withDefault(false)
    ),
    search: Flag.String("search").pipe(
      Flag.withDescription("Only those whose title has this"),
      Flag.optional
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("How many of each agent (1 to 500; 50)"),
      Flag.withDefault(50),
      Flag.filter(
        (limit) => limit >= 1 && limit <= 500,
        () => "a number from 1 to 500"
      )
    )
  },
  Effect.fn(function* ({ here, limit, provider, search }) {
    const client = yield* Effect.flatMap(Connection, ({ open }) => open)
    const query = {
      limit,
      ...(here && { cwd: yield* absolute(".") }),
      ...(Option.isSome(search) && { q: search.value })
    }
    const found = yield* Effect.forEach(yield* providersOf(client, provider), (id) =>
      sessionsOf(client, id, query).pipe(
        // One agent whose sessions are out of reach does not hide the others'.
        Effect.catch((error) =>
          Option.isSome(provider)
            ? Effect.fail(error)
            : Effect.as(Console.error(`${id}: ${error.message}`), [])
        )
      )
    )
    yield* printTable(newestFirst(found.flat()), sessionsText)
  })
).pipe(Command.withDescription("List the agents' own sessions, whoever began them, the latest first"))

/** The agent that has this session; the last one of this directory where `last` is named. */
const locate = Effect.fnUntraced(function* (
  client: RejoinClient,
  named: string,
  provider: Option.Option<string>
) {
  const cwd = yield* absolute(".")
  const found: Array<Listed> = []
  for (const id of yield* providersOf(client, provider)) {
    const own =
      named === "last"
        ? sessionsOf(client, id, { cwd, limit: 1 })
        : Effect.map(
            everything((query) => client.providers.sessions({ params: { id }, query })),
            (sessions) => sessions.map((session): Listed => ({ ...session, provider: id }))
          )
    found.push(...(yield* own.pipe(Effect.orElseSucceed(() => []))))
  }
  const matches =
    named === "last"
      ? newestFirst(found).slice(0, 1)
      : found.filter(({ providerSessionId }) => providerSessionId.includes(named))
  const [match, another] = matches
  if (match !== undefined && another === undefined) return match
  return yield* new SessionNotFound({
    providerSessionId: named,
    message:
      match === undefined ? `No agent has a session ${named}.` : `${matches.length} sessions are called so.`,
    hint: "rejoin sessions lists them."
  })
})

const adopt = Command.make(
  "adopt",
  {
    session: Argument.String("session").pipe(
      Argument.withDescription(
        "Its id, or a part of it that no other has; last: the latest of this directory"
      )
    ),
    provider: providerFlag,
    cwd: Flag.String("cwd").pipe(
      Flag.withAlias("C"),
      Flag.withDescription("Where it goes on; by default where it is"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ cwd, provider, session: named }) {
    const client = yield* Effect.flatMap(Connection, ({ open }) => open)
    const { provider: id, providerSessionId } = yield* locate(client, named, provider)
    const thread = yield* client.threads.create({
      payload: {
        provider: ProviderInstanceId.make(id),
        session: providerSessionId,
        ...(Option.isSome(cwd) && { cwd: yield* absolute(cwd.value) })
      }
    })
    yield* print(
      thread,
      ({ cwd, id, runtimeMode }) => `${id} goes on with it in ${cwd} (${runtimeMode}): rejoin send -t ${id} …`
    )
  })
).pipe(Command.withDescription("Make a thread of an agent's own session, with all that was said in it"))

export const own = [sessions, adopt] as const
