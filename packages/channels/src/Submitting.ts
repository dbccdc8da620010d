import type { IdempotencyConflict, StoreFailed } from "@rejoin/contracts/Errors"
import type { Thread } from "@rejoin/contracts/Thread"
import type { Turn } from "@rejoin/contracts/Turn"
import { Effect, Option, Schedule } from "effect"
import type { Arrived } from "./ChannelStore.ts"
import type { ChatKey, RemoteFile, Said } from "./Inbound.ts"
import { say } from "./Saying.ts"
import { cutText } from "./Splitter.ts"
import { exceeds, modesOf } from "./Policy.ts"
import { refusing, Refusal } from "./Refusal.ts"
import { type Channel, Later } from "./Room.ts"
import { goesOnText, inGroup } from "./Words.ts"
import { brief } from "@rejoin/shown/Visible"
import { nameOf } from "@rejoin/shown/Words"

/** All files of a turn together, in bytes: our own interface takes 24 MB of base64. */
const filesAtMost = 17_000_000

/** Half letters, and what is no letter, no agent takes. */
export const clean = (text: string): string => text.toWellFormed().replaceAll("\0", "")

/** How often a file is fetched that does not come. */
const fetches = 5

/** The thread that a chat talks with, where it has one that is still there. */
export const threadOf = Effect.fnUntraced(function* ({ config, rejoin, store }: Channel, chat: ChatKey) {
  const id = yield* store.threadOf(config.id, chat)
  if (Option.isNone(id)) return undefined
  return yield* rejoin.threads.get({ params: { id: id.value } }).pipe(
    Effect.catchTag("ThreadNotFound", () => Effect.as(store.forgetThread(config.id, chat), undefined)),
    refusing
  )
})

/** The same, and where it has none a new one: found again by its key, whatever is lost here. */
export const openThread = Effect.fnUntraced(function* (
  channel: Channel,
  { chat, message, text }: Pick<Said, "chat" | "message" | "text">
) {
  const { config, rejoin, store } = channel
  const had = Option.isSome(yield* store.threadOf(config.id, chat))
  const there = yield* threadOf(channel, chat)
  if (there !== undefined) return there
  const { cwd, id, model, provider } = config
  const thread = yield* refusing(
    rejoin.threads.create({
      payload: {
        provider,
        cwd,
        runtimeMode: modesOf(config).first,
        // In a group the first line would be who said it.
        title: brief(clean(text)),
        ...(model !== undefined && { model }),
        key: { agent: id, external: chat }
      }
    })
  )
  yield* store.saveThread(config.id, chat, thread.id)
  // It is not a new one: that of the chat itself, which it had left for another.
  if (had && thread.usage.inputTokens + thread.generation > 0)
    yield* say(channel, { chat, to: message, about: "deleted", text: goesOnText(nameOf(thread)) })
  return thread
})

/** The highest mode is a ceiling: also for a thread whose mode was raised elsewhere. */
export const within = ({ config }: Channel, { runtimeMode }: Thread): Effect.Effect<void, Refusal> => {
  const { highest } = modesOf(config)
  return exceeds(runtimeMode, highest)
    ? Effect.fail(
        new Refusal({
          message: `This conversation works with ${runtimeMode}, and this chat may use ${highest} at most. /mode ${highest} lowers it.`
        })
      )
    : Effect.void
}

/** The files that came with a message, and in words which could not be had. */
const fetched = Effect.fnUntraced(function* ({ adapter }: Channel, files: ReadonlyArray<RemoteFile>) {
  const attachments: Array<{ name: string; mediaType: string; data: string }> = []
  const missing: Array<string> = []
  let bytes = 0
  for (const file of files) {
    const name = cutText(file.name.toWellFormed().replaceAll(/\p{C}/gu, ""), 200) || "file"
    const mediaType =
      /^[\w.+-]{1,80}\/[\w.+-]{1,120}$/.exec(file.mediaType)?.[0] ?? "application/octet-stream"
    const atMost = Math.min(adapter.limits.download, filesAtMost - bytes)
    if ((file.bytes ?? 0) > atMost) {
      missing.push(`${name} is larger than what can be taken (${Math.floor(atMost / 1_000_000)} MB left).`)
      continue
    }
    const data = yield* adapter.download(file).pipe(
      Effect.retry({
        while: (error) => error._tag === "Unanswered" || error._tag === "TooFast",
        schedule: Schedule.exponential("500 millis"),
        times: fetches - 1
      }),
      Effect.option
    )
    if (Option.isNone(data)) missing.push(`${name} could not be fetched.`)
    else if (data.value.length > atMost) missing.push(`${name} is larger than what can be taken.`)
    else {
      bytes += data.value.length
      attachments.push({ name, mediaType, data: Buffer.from(data.value).toString("base64") })
    }
  }
  return { attachments, missing }
})

/**
 * Makes a turn of what was said, once, whatever dies when: its key is the platform's own id of the message. Messages that
 * belong together are one. Undefined where nothing of it could be had.
 */
export const submit = Effect.fnUntraced(function* (
  channel: Channel,
  arrived: readonly [Arrived<Said>, ...ReadonlyArray<Arrived<Said>>]
): Effect.fn.Return<Turn | undefined, Later | Refusal | StoreFailed> {
  const { config, rejoin, store } = channel
  const { cameIn, chat, groups, message, sender } = arrived[0].inbound
  const said = arrived.map(({ inbound }) => inbound)
  const thread = yield* openThread(channel, arrived[0].inbound)
  const sentBefore = Effect.fnUntraced(function* (conflict: IdempotencyConflict) {
    if (conflict.turnId === undefined) return yield* conflict
    return yield* rejoin.turns.get({ params: { id: thread.id, turnId: conflict.turnId }, query: {} })
  })
  yield* within(channel, thread)
  const { attachments, missing } = yield* fetched(
    channel,
    said.flatMap(({ files }) => files)
  )
  const text = said
    .map(({ text }) => clean(text).trim())
    .filter((text) => text !== "")
    .join("\n\n")
  const words = text === "" ? attachments.map(({ name }) => name).join(", ") : text
  const input = groups.length === 0 ? words : clean(inGroup(config.kind, sender, words))
  const turn =
    words === ""
      ? undefined
      : yield* refusing(
          rejoin.turns
            .send({
              params: { id: thread.id },
              payload: {
                input,
                ...(attachments.length > 0 && { attachments }),
                // By the key under which it came: the chat may have another one by now.
                idempotencyKey: `${cameIn ?? chat}:${message}`
              }
            })
            .pipe(Effect.catchTag("IdempotencyConflict", sentBefore))
        )
  // It was sent before, we died before we knew, and it was changed since.
  const saysOther = turn !== undefined && turn.input !== input
  yield* store.transaction(
    Effect.gen(function* () {
      for (const { inbound, seq } of arrived) {
        yield* store.done(seq, turn?.id ?? null)
        // It was changed while it was sent.
        const now = Option.getOrUndefined(yield* store.find(config.id, inbound.chat, inbound.message))
        const said = now?.arrived.inbound
        if (said === undefined || (said.text === inbound.text && !saysOther)) continue
        const edited = {
          chat: said.chat,
          groups: said.groups,
          message: said.message,
          sender: said.sender,
          text: said.text
        }
        yield* store.arrive(config.id, { _tag: "Edited", ...edited }, now?.arrived.at ?? 0)
      }
      if (missing.length > 0)
        yield* say(channel, { chat, to: message, about: "files", text: missing.join("\n") })
      if (turn === undefined) return
      yield* store.addPart(config.id, {
        item: turn.id,
        part: 0,
        kind: "answer",
        chat,
        to: message,
        threadId: thread.id,
        state: "held",
        remote: null,
        text: null
      })
    })
  )
  return turn
})
