import type { RejoinClient } from "@rejoin/client/Client"
import type { Thread } from "@rejoin/contracts/Thread"
import { ago } from "@rejoin/shown/Ago"
import { brief, visible } from "@rejoin/shown/Visible"
import { nameOf, stateOf } from "@rejoin/shown/Words"
import { Clock, Console, Effect, Option, Stdio } from "effect"
import { CliError, Prompt } from "effect/cli"
import { absolute, allThreads } from "./Addressed.ts"
import { Connection } from "./Connection.ts"
import { untilCtrlC } from "./CtrlC.ts"
import { saying } from "./Saying.ts"
import { screen } from "./Screen.ts"
import { turnsText } from "./Text.ts"
import { threadFor } from "./ThreadChoice.ts"

/** So many are offered; `rejoin threads` and the page have them all. */
const offered = 20

/** Those of this directory come first, then the others, the latest first. */
export const inReach = (threads: ReadonlyArray<Thread>, cwd: string): ReadonlyArray<Thread> =>
  threads
    .toSorted(
      (a, b) =>
        Number(b.cwd === cwd) - Number(a.cwd === cwd) || (a.lastActivityAt < b.lastActivityAt ? 1 : -1)
    )
    .slice(0, offered)

const pick = Effect.fnUntraced(function* (client: RejoinClient) {
  const cwd = yield* absolute(".")
  const threads = inReach(yield* allThreads(client), cwd)
  const now = yield* Clock.currentTimeMillis
  const chosen =
    threads.length === 0
      ? undefined
      : yield* Prompt.run(
          Prompt.Select<Thread | undefined>({
            message: "Which conversation?",
            choices: [
              { title: "A new one, in this directory", value: undefined },
              ...threads.map((thread) => ({
                title: brief(nameOf(thread), 50),
                description: visible(
                  `${thread.provider}, ${stateOf(thread)}, ${ago(thread.lastActivityAt, now)}, ${thread.cwd}`
                ),
                value: thread
              }))
            ]
          })
        )
  if (chosen !== undefined) return chosen
  const none = Option.none()
  const asked = { cwd: none, mode: none, model: none, provider: none, thread: none, isNew: true }
  return (yield* threadFor(client, asked)).thread
})

/** What was said last, for whoever comes back to it. */
const recall = Effect.fnUntraced(function* (client: RejoinClient, { id }: Thread) {
  const { items } = yield* client.threads.receipts({ params: { id }, query: {} })
  const { thread } = yield* client.snapshot(id)
  const { items: turns } = yield* client.turns.list({ params: { id }, query: { limit: 500 } })
  const last = turns.slice(-2)
  if (last.length > 0) yield* Console.log(`${turnsText(last, items)}\n`)
  return thread
})

/**
 * A conversation at the prompt: chosen, or begun, and gone on with until its user leaves. Ctrl-C ends the turn that
 * runs, and at the prompt the command; the conversation stays where it is.
 */
export const talk = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  // For a script there is nobody to choose: then `rejoin` says what it can do.
  if (!(yield* stdio.stdinIsTerminal) || !(yield* stdio.stdoutIsTerminal))
    return yield* new CliError.ShowHelp({ commandPath: ["rejoin"], errors: [] })
  const connection = yield* Connection
  const client = yield* connection.open
  const chosen = yield* pick(client)
  yield* Console.error(
    visible(`${chosen.id} (${chosen.provider}, ${chosen.runtimeMode}) in ${chosen.cwd}. Ctrl-C leaves.`)
  )
  yield* recall(client, chosen)
  while (true) {
    const input = (yield* Prompt.run(Prompt.String({ message: "You" }))).trim()
    if (input === "") continue
    const turn = Effect.gen(function* () {
      // As it is now: it may have gone on elsewhere.
      const { threads } = yield* connection.find
      const thread = yield* threads.get({ params: { id: chosen.id } })
      const shown = yield* screen({ silent: false, watching: false })
      const { late, settled } = yield* saying(thread, { input }, { how: "ask", shown })
      if (late && settled.output !== "") yield* Console.log(visible(settled.output))
    })
    yield* untilCtrlC(Effect.scoped(turn)).pipe(
      // A turn that failed has said so; what was refused is said, and one can go on.
      Effect.catchTag("QuitError", () => Effect.void),
      Effect.catch((error) => Console.error(visible(error.message)))
    )
  }
}).pipe(Effect.catchTag("QuitError", () => Console.error("It stays where it is: rejoin goes on with it.")))
