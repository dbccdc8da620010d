import type { RejoinClient } from "@rejoin/client/Client"
import { everything } from "@rejoin/client/Pages"
import type { Thread } from "@rejoin/contracts/Thread"
import { ago } from "@rejoin/shown/Ago"
import { brief, visible } from "@rejoin/shown/Visible"
import { nameOf, stateOf } from "@rejoin/shown/Words"
import { Clock, Console, Effect, Option, Stdio } from "effect"
import { CliError, Prompt } from "effect/cli"
import { absolute, allThreads } from "./Addressed.ts"
import { Connection } from "./Connection.ts"
import { untilCtrlC } from "./CtrlC.ts"
import { readMessage } from "./Line.ts"
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

/** The one that is meant; undefined for a new one. */
const pick = Effect.fnUntraced(function* (client: RejoinClient) {
  const here = yield* absolute(".")
  const threads = inReach(yield* allThreads(client), here)
  if (threads.length === 0) return undefined
  const now = yield* Clock.currentTimeMillis
  return yield* Prompt.run(
    Prompt.Select<Thread | undefined>({
      message: "Which conversation?",
      choices: [
        { title: "A new one, in this directory", value: undefined },
        ...threads.map((thread) => ({ title: choiceText(thread, here, now), value: thread }))
      ]
    })
  )
})

const choiceText = (thread: Thread, here: string, now: number): string => {
  const where = thread.cwd === here ? [] : [thread.cwd]
  const about = [thread.provider, stateOf(thread), ago(thread.lastActivityAt, now), ...where]
  return `${brief(nameOf(thread), 50)}  (${visible(about.join(", "))})`
}

/** Made when the first thing is said in it: who looks and leaves leaves nothing behind. */
const begin = (client: RejoinClient) => {
  const none = Option.none()
  const asked = { cwd: none, mode: none, model: none, provider: none, thread: none, isNew: true }
  return Effect.map(threadFor(client, asked), ({ thread }) => thread)
}

const heading = ({ cwd, id, provider, runtimeMode }: Thread) =>
  Console.error(visible(`${id} (${provider}, ${runtimeMode}) in ${cwd}`))

/** What was said last, for whoever comes back to it. */
const recall = Effect.fnUntraced(function* (client: RejoinClient, { id }: Thread) {
  const params = { id }
  const { items: receipts } = yield* client.threads.receipts({ params, query: {} })
  const turns = yield* everything((query) => client.turns.list({ params, query }))
  if (turns.length > 2) yield* Console.error(`… rejoin show ${id} has what was said before`)
  if (turns.length > 0) yield* Console.log(`${turnsText(turns.slice(-2), receipts)}\n`)
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
  const picked = yield* Effect.catchTag(pick(client), "QuitError", () => Effect.succeed("none" as const))
  if (picked === "none") return
  let chosen = picked
  if (chosen !== undefined) {
    yield* heading(chosen)
    yield* recall(client, chosen)
  }
  yield* Console.error("Ctrl-C ends a turn that runs; here, it leaves.")
  while (true) {
    const said = yield* Effect.option(readMessage("You › "))
    if (Option.isNone(said)) break
    const input = said.value.trim()
    if (input === "") continue
    const turn = Effect.gen(function* () {
      if (chosen === undefined) {
        chosen = yield* begin(client)
        yield* heading(chosen)
      }
      // As it is now: it may have gone on elsewhere.
      const { threads } = yield* connection.find
      const thread = yield* threads.get({ params: { id: chosen.id } })
      const shown = yield* screen({ silent: false, watching: false })
      const { late, settled } = yield* saying(thread, { input }, { how: "ask", shown })
      if (late && settled.output !== "") yield* Console.log(visible(settled.output))
    })
    yield* untilCtrlC(Effect.scoped(turn)).pipe(
      Effect.catchTag("QuitError", () => Effect.void),
      // A turn that failed has said so. What was refused is said, and one can go on: Up brings the message back.
      Effect.catch((error) => Console.error(visible(error.message)))
    )
  }
  if (chosen !== undefined) yield* Console.error("It stays where it is: rejoin goes on with it.")
})
