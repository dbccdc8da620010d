import type { StoreFailed } from "@rejoin/contracts/Errors"
import { isSettled, waits } from "@rejoin/contracts/Turn"
import { Clock, Effect, type FileSystem } from "effect"
import type { Asking } from "./Asking.ts"
import { Command } from "./Command.ts"
import { fileIn } from "./FileOut.ts"
import type { Said } from "./Inbound.ts"
import { attemptToken } from "./Attempt.ts"
import { exceeds, modesOf, modesUpTo } from "./Policy.ts"
import { Refusal, refusing } from "./Refusal.ts"
import type { Channel, Later } from "./Room.ts"
import { threadOf } from "./Submitting.ts"
import { busyText, helpText, lateText, statusText, threadsText } from "./Words.ts"

/** So many conversations are listed. */
const listed = 10

/** Does what a command asks for, and says what became of it. A command that comes twice does no more than once. */
export const makeCommandRun = (channel: Channel, asking: Asking) => {
  const { adapter, config, rejoin, store } = channel

  /** Conversations that may go on in this chat: not another chat's, not elsewhere, not with more powers. */
  const offered = Effect.fnUntraced(function* ({ chat, groups }: Said) {
    if (groups.length > 0) return []
    const { highest } = modesOf(config)
    const mine = yield* threadOf(channel, chat)
    const { items } = yield* refusing(rejoin.threads.list({ query: { limit: 500 } }))
    const under = (cwd: string) => cwd === config.cwd || cwd.startsWith(`${config.cwd.replace(/\/$/, "")}/`)
    return items
      .filter(
        ({ cwd, id, key, runtimeMode }) =>
          id !== mine?.id &&
          under(cwd) &&
          !exceeds(runtimeMode, highest) &&
          (key === undefined || (key.agent === config.id && key.external === chat))
      )
      .toSorted((a, b) => (a.lastActivityAt < b.lastActivityAt ? 1 : -1))
      .slice(0, listed)
  })

  const stop = Effect.fnUntraced(function* ({ chat }: Said) {
    const thread = yield* threadOf(channel, chat)
    if (thread === undefined) return "There is nothing to stop."
    // Only what was asked for here, and what runs: one that waits is still to come.
    for (const { item, threadId } of yield* store.unanswered(config.id)) {
      if (threadId !== thread.id) continue
      const turn = yield* refusing(rejoin.turns.get({ params: { id: thread.id, turnId: item }, query: {} }))
      if (waits(turn) || isSettled(turn.status)) continue
      yield* refusing(rejoin.turns.interrupt({ params: { id: thread.id, turnId: item } }))
      return "Stopping it."
    }
    return "There is nothing to stop."
  })

  const decide = Effect.fnUntraced(function* (
    { chat, sender }: Said,
    decision: "accept" | "decline",
    id: string
  ) {
    const open = (yield* store.openAsks(config.id)).filter(
      (ask) => ask.chat === chat && ask.asked.kind === "approval" && (id === "" || ask.id === id)
    )
    const [ask] = open
    if (ask === undefined) return lateText
    if (open.length > 1) return "More than one thing is asked: press the button below the one that you mean."
    const said = yield* asking.decide(ask, { question: 0, at: decision === "accept" ? 0 : 1 }, sender.name)
    return said === undefined ? lateText : `It was ${said}.`
  })

  return (
    said: Said,
    command: Command
  ): Effect.Effect<string, Later | Refusal | StoreFailed, FileSystem.FileSystem> => {
    const { chat, message } = said
    return Command.$match(command, {
      Help: () => Effect.succeed(helpText(adapter.commandMark ?? "/")),
      New: () =>
        Effect.gen(function* () {
          const thread = yield* threadOf(channel, chat)
          if (thread === undefined) return "Nothing was said here yet: the next message begins."
          const { model } = config
          const reset = refusing(
            rejoin.sessions.reset({ params: { id: thread.id } }).pipe(
              Effect.as(true),
              Effect.catchTag("ThreadBusy", () => Effect.succeed(false))
            )
          )
          if (!(yield* reset)) return busyText
          // With what the configuration says by now.
          if (model !== undefined && model !== thread.model)
            yield* refusing(rejoin.threads.update({ params: { id: thread.id }, payload: { model } }))
          return "The next message begins anew. What was said before is kept: its agent still has it."
        }),
      Stop: () => stop(said),
      Status: () =>
        Effect.gen(function* () {
          const thread = yield* threadOf(channel, chat)
          if (thread === undefined) return statusText(undefined, undefined)
          const { items } = yield* refusing(
            rejoin.threads.receipts({ params: { id: thread.id }, query: { limit: 1 } })
          )
          const waiting = (yield* store.unanswered(config.id)).filter(
            ({ state, threadId }) => threadId === thread.id && state === "held"
          )
          return statusText(thread, items[0], waiting.length)
        }),
      Threads: () => Effect.map(offered(said), threadsText),
      Use: ({ thread }) =>
        Effect.gen(function* () {
          // As the command does: by any part of its id that no other has.
          const like = thread === "" ? [] : (yield* offered(said)).filter(({ id }) => id.includes(thread))
          const [found] = like
          if (like.length > 1) return "More than one conversation is called so: write more of its id."
          if (found === undefined)
            return "There is no such conversation that could go on here. /threads lists them."
          yield* store.saveThread(config.id, chat, found.id)
          return `This chat goes on with: ${found.title === "" ? found.id : found.title}`
        }),
      Mode: ({ given, mode }) =>
        Effect.gen(function* () {
          const { first, highest } = modesOf(config)
          const thread = yield* threadOf(channel, chat)
          if (mode === undefined) {
            const known =
              given === "" ? `It works with ${thread?.runtimeMode ?? first}.` : `There is no mode ${given}.`
            return `${known} This chat may use ${modesUpTo(highest).join(", ")}.`
          }
          if (exceeds(mode, highest)) return `This chat may use ${highest} at most.`
          if (thread === undefined) return "Nothing was said here yet: say something first."
          const isBusy = yield* refusing(
            rejoin.threads.update({ params: { id: thread.id }, payload: { runtimeMode: mode } }).pipe(
              Effect.as(false),
              Effect.catchTag("ThreadBusy", () => Effect.succeed(true))
            )
          )
          if (isBusy) return busyText
          return `It works with ${mode} from now on.`
        }),
      File: ({ path }) =>
        Effect.gen(function* () {
          const thread = yield* threadOf(channel, chat)
          if (thread === undefined) return "Nothing was said here yet: there is no directory."
          const file = yield* fileIn(thread.cwd, path, adapter.limits.upload)
          yield* adapter
            .upload(chat, message, file, {
              token: attemptToken(`${chat}:${message}`),
              since: yield* Clock.currentTimeMillis
            })
            .pipe(
              Effect.mapError(
                (failure) => new Refusal({ message: `It could not be sent: ${failure.message}` })
              )
            )
          return `Sent: ${file.name}`
        }),
      Decide: ({ decision, id }) => decide(said, decision, id)
    })
  }
}
