import type { ChannelAdapter, Outgoing } from "@rejoin/channels/ChannelAdapter"
import { type ChannelFailure, Refused } from "@rejoin/channels/ChannelFailure"
import { commands } from "@rejoin/channels/Command"
import { fetchFile } from "@rejoin/channels/Fetching"
import type { ChatKey } from "@rejoin/channels/Inbound"
import { Clock, Effect, Redacted } from "effect"
import { Api, InputFile } from "grammy/web"
import { failureOf, saysSo } from "./TelegramFailure.ts"
import { type Bot, inboundOf, keyOf, placeOf } from "./TelegramParse.ts"

export interface TelegramOptions {
  readonly token: Redacted.Redacted
  /** A Bot API server of somebody's own; by default Telegram's. */
  readonly url?: string | undefined
  /** How long to wait when another program has received, in ms; two seconds by default. */
  readonly yields?: number
}

const telegram = "https://api.telegram.org"

/** How long a question for updates is held open, in s. */
const held = 25

/** After a kill, the poll of the last life may be open still. So many refusals in so many ms are another program's. */
const refusals = { atMost: 5, within: 180_000 }

/** How often in a row it may not answer before that is told. */
const silences = 5

// https://core.telegram.org/bots/api#sendmessage, #getfile, #senddocument, #inlinekeyboardbutton
const limits = { text: 4096, download: 20_000_000, upload: 50_000_000, buttons: 12, label: 60 }

/**
 * Telegram, by long polling. An update is confirmed by the next question for updates, so never before it is ours. A send
 * has no id of ours: an answer begins as an empty message, and is put into that by an edit, which can be repeated.
 */
export const makeTelegram = ({ token, url = telegram, yields = 2000 }: TelegramOptions): ChannelAdapter => {
  const secret = Redacted.value(token)
  const api = new Api(secret, { apiRoot: url, timeoutSeconds: held + 10 })
  let bot: Bot = { id: 0, username: "" }
  /** Whether this server takes Markdown as the agents write it (Bot API 10.1). */
  let isRich: boolean | undefined

  const call = <A>(run: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, ChannelFailure> =>
    Effect.tryPromise({ try: run, catch: (cause) => failureOf(cause, (chat) => keyOf(bot, chat)) })

  const keyboard = ({ buttons = [] }: Outgoing) => ({
    reply_markup: { inline_keyboard: buttons.map(({ id, label }) => [{ text: label, callback_data: id }]) }
  })
  const replyTo = (to: string | null) =>
    to === null || !/^\d+$/.test(to)
      ? {}
      : { reply_parameters: { message_id: Number(to), allow_sending_without_reply: true } }
  const topic = (place: ReturnType<typeof placeOf>) =>
    // The general topic has no number: 1 is refused.
    place.topic === undefined || place.topic === 1 ? {} : { message_thread_id: place.topic }

  const edit = Effect.fnUntraced(function* (chat: ChatKey, message: string, outgoing: Outgoing) {
    const place = placeOf(chat)
    const to = (content: string | { readonly markdown: string }) =>
      Effect.tryPromise({
        try: (signal) =>
          api
            .editMessageText(place.chat, Number(message), content, keyboard(outgoing), signal as never)
            .catch((cause: unknown) => {
              if (!saysSo(cause)) throw cause
            }),
        catch: (cause) => failureOf(cause, (chat) => keyOf(bot, chat))
      }).pipe(Effect.asVoid)
    if (isRich === false) return yield* to(outgoing.text)
    yield* to({ markdown: outgoing.text }).pipe(
      Effect.tap(() => Effect.sync(() => (isRich = true))),
      Effect.catchIf(
        (failure) => failure._tag === "Refused" && failure.gone !== true && failure.movedTo === undefined,
        () =>
          Effect.tap(to(outgoing.text), () =>
            Effect.sync(() => {
              isRich ??= false
            })
          )
      )
    )
  })

  return {
    limits,
    beginsEmpty: true,
    // 20 messages a minute in a group, edits among them: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
    pace: (chat) => (placeOf(chat).chat < 0 ? 3100 : 1100),
    account: Effect.gen(function* () {
      const me = yield* call((signal) => api.getMe(signal as never))
      bot = { id: me.id, username: me.username }
      yield* Effect.ignore(
        call((signal) =>
          api.setMyCommands(
            commands.map(({ about, name }) => ({ command: name, description: about })),
            {},
            signal as never
          )
        )
      )
      return { prefix: `telegram:${me.id}`, name: me.username }
    }),
    receive: Effect.fnUntraced(function* ({ cursor, take, up }) {
      let offset = cursor === null ? undefined : Number(cursor)
      let refused: ReadonlyArray<number> = []
      let silent = 0
      // The first one is not held, to be told that it works.
      let timeout = 0
      for (;;) {
        const asked = {
          timeout,
          limit: 100,
          allowed_updates: ["message", "edited_message", "callback_query"] as const
        }
        const updates = yield* call((signal) =>
          api.getUpdates({ ...asked, ...(offset !== undefined && { offset }) }, signal as never)
        ).pipe(
          // Two that take turns throw each other out, and each succeeds in between.
          Effect.catchTag("TakenElsewhere", (taken) =>
            Effect.gen(function* () {
              const at = yield* Clock.currentTimeMillis
              refused = [...refused.filter((before) => at - before < refusals.within), at]
              if (refused.length > refusals.atMost) return yield* taken
              yield* Effect.sleep(yields)
              return undefined
            })
          ),
          Effect.catchTag("Unanswered", (silence) =>
            ++silent > silences ? Effect.fail(silence) : Effect.as(Effect.sleep(500 * silent), undefined)
          )
        )
        if (updates === undefined) continue
        silent = 0
        timeout = held
        yield* up
        if (updates.length === 0) continue
        const next = (updates.at(-1)?.update_id ?? 0) + 1
        yield* take(
          updates.flatMap((update) => inboundOf(bot, update)),
          String(next)
        )
        offset = next
      }
    }),
    send: (chat, to, outgoing) => {
      const place = placeOf(chat)
      return call((signal) =>
        api.sendMessage(
          place.chat,
          outgoing.text,
          {
            ...topic(place),
            ...replyTo(to),
            ...(outgoing.buttons && keyboard(outgoing)),
            ...(outgoing.silent === true && { disable_notification: true }),
            link_preview_options: { is_disabled: true }
          },
          signal as never
        )
      ).pipe(Effect.map(({ message_id }) => String(message_id)))
    },
    edit,
    // It cannot be looked for.
    doubt: () => Effect.succeed("unknown"),
    pressed: (receipt, text) =>
      Effect.asVoid(
        call((signal) => api.answerCallbackQuery(receipt, { text: text.slice(0, 190) }, signal as never))
      ),
    typing: (chat) => {
      const place = placeOf(chat)
      return Effect.asVoid(
        call((signal) => api.sendChatAction(place.chat, "typing", topic(place), signal as never))
      )
    },
    download: Effect.fnUntraced(function* ({ id }) {
      const { file_path: path } = yield* call((signal) => api.getFile(id, signal as never))
      if (path === undefined)
        return yield* new Refused({ code: "no path", message: "Telegram has it no more." })
      return yield* fetchFile(`${url}/file/bot${secret}/${path}`, limits.download)
    }),
    upload: (chat, to, { bytes, name }) => {
      const place = placeOf(chat)
      return call((signal) =>
        api.sendDocument(
          place.chat,
          new InputFile(bytes, name),
          { ...topic(place), ...replyTo(to) },
          signal as never
        )
      ).pipe(Effect.map(({ message_id }) => String(message_id)))
    }
  }
}
