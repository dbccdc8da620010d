import { Effect } from "effect"
import { type Answered, listening, makeFaults } from "./Listening.ts"

/** A secret that a test can look for in everything that was written. */
export const telegramToken = "42:AAF-secret-token-of-the-fake-telegram-bot"

export interface TelegramMessage {
  readonly message_id: number
  readonly chat: { readonly id: number }
  text?: string
  edits?: number
  reply_to?: number
  topic?: number
  silent?: boolean
  file?: { readonly name: string; readonly size: number }
  buttons?: ReadonlyArray<{ readonly text: string; readonly callback_data: string }>
}

type Parameters = Readonly<Record<string, unknown>>

const me = { id: 42, is_bot: true, first_name: "Rejoin", username: "rejoin_bot" }
const error = (status: number, description: string, parameters?: unknown): Answered => ({
  status,
  json: { ok: false, error_code: status, description, ...(parameters !== undefined && { parameters }) }
})
const bad = (description: string) => error(400, `Bad Request: ${description}`)
const now = () => Math.floor(Date.now() / 1000)

const buttonsOf = (markup: unknown): TelegramMessage["buttons"] => {
  const rows = (markup as { inline_keyboard?: ReadonlyArray<TelegramMessage["buttons"]> } | undefined)
    ?.inline_keyboard
  return rows?.flatMap((row) => row ?? [])
}

/**
 * Telegram's Bot API on loopback, as its documents say, and no more of it than a bot like ours uses: offsets that confirm,
 * one poll at a time, refusals in its words, files, buttons, answers that are lost.
 */
export const fakeTelegram = Effect.gen(function* () {
  let token = telegramToken
  let nextUpdate = 1000
  let nextMessage = 1
  let updates: Array<{ readonly update_id: number }> = []
  let poll: ((answer?: Answered) => void) | undefined
  /** A group that has become another one. */
  const moved = new Map<number, number>()
  const messages = new Map<string, TelegramMessage>()
  const files = new Map<string, Uint8Array>()
  const presses = new Set<string>()
  const calls: Array<{ readonly method: string } & Parameters> = []
  const answers: Array<string> = []
  const faults = makeFaults()

  const push = (update: object) => {
    updates.push({ update_id: nextUpdate++, ...update })
    poll?.()
  }
  const put = (message: TelegramMessage) => {
    messages.set(`${message.chat.id}:${message.message_id}`, message)
    return message
  }
  const ok = (result: unknown): Answered => ({ json: { ok: true, result } })
  const checked = (chat: number, text: unknown): Answered => {
    const to = moved.get(chat)
    if (to !== undefined)
      return error(400, "Bad Request: group chat was upgraded to a supergroup chat", {
        migrate_to_chat_id: to
      })
    if (typeof text !== "string" || text === "") return bad("message text is empty")
    return text.length > 4096 ? bad("message is too long") : undefined
  }

  const getUpdates = ({ limit, offset, timeout }: Parameters) =>
    new Promise<Answered>((resolve) => {
      poll?.(
        error(
          409,
          "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
        )
      )
      const from = Number(offset ?? 0)
      if (from > 0) updates = updates.filter(({ update_id }) => update_id >= from)
      const there = () => ok(updates.slice(0, Number(limit ?? 100)))
      if (updates.length > 0 || Number(timeout ?? 0) === 0) return resolve(there())
      const done = (answer = there()) => {
        clearTimeout(timer)
        poll = undefined
        resolve(answer)
      }
      const timer = setTimeout(done, Number(timeout) * 1000)
      poll = done
    })

  const methods: Readonly<Record<string, (given: Parameters) => Promise<Answered> | Answered>> = {
    getMe: () => ok(me),
    setMyCommands: () => ok(true),
    sendChatAction: () => ok(true),
    getUpdates,
    sendMessage: (given) => {
      const chat = Number(given["chat_id"])
      const refused = checked(chat, given["text"])
      if (refused !== undefined) return refused
      const reply = given["reply_parameters"] as { readonly message_id: number } | undefined
      const topic = given["message_thread_id"] as number | undefined
      if (topic === 1) return bad("message thread not found")
      const buttons = buttonsOf(given["reply_markup"])
      return ok(
        put({
          message_id: nextMessage++,
          chat: { id: chat },
          text: String(given["text"]),
          ...(reply && { reply_to: reply.message_id }),
          ...(topic !== undefined && { topic }),
          ...(given["disable_notification"] === true && { silent: true }),
          ...(buttons && { buttons })
        })
      )
    },
    editMessageText: (given) => {
      const message = messages.get(`${String(given["chat_id"])}:${String(given["message_id"])}`)
      if (message === undefined) return bad("message to edit not found")
      const refused = checked(message.chat.id, given["text"])
      if (refused !== undefined) return refused
      const buttons = buttonsOf(given["reply_markup"]) ?? []
      if (message.text === given["text"] && JSON.stringify(message.buttons ?? []) === JSON.stringify(buttons))
        return bad(
          "message is not modified: specified new message content and reply markup are exactly the same"
        )
      return ok(
        Object.assign(message, { text: String(given["text"]), buttons, edits: (message.edits ?? 0) + 1 })
      )
    },
    answerCallbackQuery: (given) => {
      if (!presses.delete(String(given["callback_query_id"])))
        return bad("query is too old and response timeout expired or query ID is invalid")
      answers.push(String(given["text"]))
      return ok(true)
    },
    getFile: ({ file_id }) => {
      const id = String(file_id)
      if (!files.has(id)) return bad("wrong file_id or the file is temporarily unavailable")
      return ok({
        file_id: id,
        file_unique_id: id,
        file_size: files.get(id)?.length,
        file_path: `documents/${id}`
      })
    },
    sendDocument: (given) => {
      const reply = given["reply_parameters"] as { readonly message_id: number } | undefined
      return ok(
        put({
          message_id: nextMessage++,
          chat: { id: Number(given["chat_id"]) },
          file: given["file"] as NonNullable<TelegramMessage["file"]>,
          ...(reply && { reply_to: reply.message_id })
        })
      )
    }
  }

  /** A form with a file, as far as is looked at here. */
  const multipart = (body: Buffer): Parameters => {
    const text = body.toString("latin1")
    const field = (name: string) => new RegExp(`name="${name}"\r\n\r\n([^\r]*)`).exec(text)?.[1]
    const file = /filename="?([^";\r]+)"?[^\r]*\r\n(?:[^\r]+\r\n)*\r\n([^]*?)\r\n--/.exec(text)
    const reply = field("reply_parameters")
    return {
      chat_id: field("chat_id"),
      file: { name: Buffer.from(file?.[1] ?? "", "latin1").toString(), size: file?.[2]?.length ?? 0 },
      ...(reply !== undefined && { reply_parameters: JSON.parse(reply) as unknown })
    }
  }

  const { url } = yield* listening(async ({ body, drop, headers, url }) => {
    const [, wanted, path] = /^\/file\/bot([^/]+)\/documents\/(.+)$/.exec(url.pathname) ?? []
    const file = path === undefined ? undefined : files.get(path)
    if (wanted !== undefined) return file && wanted === token ? { bytes: file } : error(404, "Not Found")
    const [, given, method = ""] = /^\/bot([^/]+)\/(\w+)$/.exec(url.pathname) ?? []
    if (given !== token) return error(401, "Unauthorized")
    const type = headers["content-type"] ?? ""
    const sent = type.includes("json") && body.length > 0 ? (JSON.parse(body.toString()) as Parameters) : {}
    const parameters = type.includes("multipart") ? multipart(body) : sent
    calls.push({ ...parameters, method })
    const fault = faults.of(method)
    if (fault?.lose === "before") return drop()
    if (fault?.status !== undefined) return { status: fault.status, json: fault.json }
    const answer = await (methods[method]?.(parameters) ?? error(404, "Not Found: method not found"))
    if (fault?.lose === "after") return drop()
    return answer
  })

  return {
    url,
    calls,
    faults,
    files,
    /** What presses were answered with. */
    answers,
    in: (chat: number) => [...messages.values()].filter((message) => message.chat.id === chat),
    /** What waits to be confirmed. */
    waiting: () => updates.length,
    /** Somebody says something; its number. */
    say: (
      text: string,
      {
        chat = 7,
        edits,
        from = 7,
        more = {},
        name = "Ada",
        type = chat < 0 ? "supergroup" : "private"
      }: {
        readonly chat?: number
        readonly from?: number
        readonly name?: string
        readonly type?: string
        /** Changes this message instead. */
        readonly edits?: number
        readonly more?: object
      } = {}
    ): number => {
      const message_id = edits ?? nextMessage++
      const message = {
        message_id,
        date: now(),
        chat: { id: chat, type },
        from: { id: from, is_bot: false, first_name: name },
        ...(text !== "" && { text }),
        ...more
      }
      push(edits === undefined ? { message } : { edited_message: message })
      return message_id
    },
    press: (message: TelegramMessage, label: string, { from = 7, name = "Ada" } = {}) => {
      const id = `q${nextUpdate}`
      presses.add(id)
      push({
        callback_query: {
          id,
          chat_instance: "1",
          from: { id: from, is_bot: false, first_name: name },
          data: message.buttons?.find(({ text }) => text === label)?.callback_data ?? label,
          message: {
            ...message,
            date: now(),
            chat: { id: message.chat.id, type: message.chat.id < 0 ? "supergroup" : "private" }
          }
        }
      })
      return id
    },
    /** A press that came too late to be answered. */
    expire: (id: string) => void presses.delete(id),
    /** A group becomes a supergroup. */
    migrate: (from: number, to: number) => {
      moved.set(from, to)
      push({
        message: {
          message_id: nextMessage++,
          date: now(),
          chat: { id: from, type: "group" },
          migrate_to_chat_id: to
        }
      })
    },
    /** The same, and nobody tells of it: only what is sent there is refused. */
    migrateUnseen: (from: number, to: number) => void moved.set(from, to),
    /** The owner gives the bot another token. */
    revoke: (next: string) => void (token = next),
    remove: (message: TelegramMessage) => void messages.delete(`${message.chat.id}:${message.message_id}`)
  }
})

export type FakeTelegram = Effect.Success<typeof fakeTelegram>
