import type { SearchHit } from "@rejoin/contracts/Search"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { brief } from "@rejoin/shown/Visible"
import { Connection } from "./Connection.ts"
import { findThread } from "./Addressed.ts"
import { print } from "./Output.ts"

const hitsText = (hits: ReadonlyArray<SearchHit>) =>
  hits.length === 0
    ? "Nothing was found."
    : hits
        .map(
          ({ provider, snippet, threadId, title }) =>
            `${threadId}  ${provider}  ${brief(title, 60)}\n  ${snippet}`
        )
        .join("\n\n")

export const search = Command.make(
  "search",
  {
    words: Argument.String("words").pipe(
      Argument.withDescription('All have to be there; "in a row"; begin* for the beginning of a word'),
      Argument.variadic({ min: 1 })
    ),
    project: Flag.String("project").pipe(Flag.withDescription("Only in this project"), Flag.optional),
    provider: Flag.String("provider").pipe(
      Flag.withAlias("p"),
      Flag.withDescription("Only with this agent"),
      Flag.optional
    ),
    thread: Flag.String("thread").pipe(Flag.withDescription("Only in this thread"), Flag.optional),
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("How many places (1 to 500; 20)"),
      Flag.withDefault(20),
      Flag.filter(
        (limit) => limit >= 1 && limit <= 500,
        () => "a number from 1 to 500"
      )
    )
  },
  Effect.fn(function* ({ limit, project, provider, thread, words }) {
    const client = yield* Effect.flatMap(Connection, ({ open }) => open)
    const only = Option.isSome(thread) ? yield* findThread(client, thread.value) : undefined
    const { items } = yield* client.search.search({
      query: {
        // What a shell took the quotes of is a phrase still.
        q: words.map((word) => (/\s/.test(word) && !word.includes('"') ? `"${word}"` : word)).join(" "),
        limit,
        ...(only !== undefined && { thread: only.id }),
        ...(Option.isSome(project) && { project: project.value }),
        ...(Option.isSome(provider) && { provider: provider.value })
      }
    })
    yield* print(items, hitsText)
  })
).pipe(Command.withDescription("Find where something was said or done, in all threads"))
