import { Effect } from "effect"
import { WebSocket, WebSocketServer } from "ws"
import { type Answered, listening, makeFaults } from "./Listening.ts"

/** A secret that a test can look for in everything that was written. */
export const discordToken = "NDI.secret-token-of-the-fake-discord-bot"

export interface DiscordMessage {
  readonly id: string
  readonly channel_id: string
  readonly author: { readonly id: string; readonly bot?: boolean }
  content: string
  edits?: number
  readonly message_reference?: { readonly message_id: string }
  components: ReadonlyArray<{
    readonly components: ReadonlyArray<{ readonly label: string; readonly custom_id: string }>
  }>
  readonly attachments: ReadonlyArray<{ readonly filename: string }>
  readonly flags: number
}

interface Session {
  readonly id: string
  seq: number
  readonly log: Array<{ readonly s: number }>
  socket: WebSocket | undefined
}

interface Channel {
  readonly id: string
  readonly type: number
  readonly guild_id?: string
  readonly parent_id?: string
  readonly messages: Array<DiscordMessage>
}

const bot = {
  id: "42",
  username: "rejoin",
  discriminator: "0000",
  bot: true,
  avatar: null,
  global_name: null
}

const refused = (status: number, code: number, message: string): Answered => ({
  status,
  json: { code, message }
})

/** How long the answer to a press may take, in ms. */
const ackWithin = 3000

/**
 * Discord on loopback: its REST and its gateway, in JSON, as far as a bot like ours uses them. Sessions that are resumed,
 * or forgotten; nonces; the history after a message; presses that must be acknowledged.
 */
export const fakeDiscord = Effect.gen(function* () {
  const channels = new Map<string, Channel>()
  const sessions = new Map<string, Session>()
  const nonces = new Map<string, DiscordMessage>()
  const interactions = new Map<string, { readonly at: number; readonly token: string; acked: boolean }>()
  const followUps: Array<string> = []
  const calls: Array<{ readonly method: string; readonly path: string }> = []
  const faults = makeFaults()
  let last = 0n
  let identified = 0
  let resumed = 0
  let address = ""
  let commands: ReadonlyArray<unknown> = []

  const snowflake = (): string => {
    const now = BigInt(Date.now() - 1_420_070_400_000) << 22n
    last = now > last ? now : last + 1n
    return String(last)
  }
  const emit = (t: string, d: unknown) => {
    for (const session of sessions.values()) {
      const event = { op: 0, t, s: ++session.seq, d }
      session.log.push(event)
      session.socket?.send(JSON.stringify(event))
    }
  }
  /** 9…: between two; else of the server "1", in threads those that are told so. */
  const channelOf = (id: string, parent?: string): Channel => {
    const known = channels.get(id)
    if (known !== undefined) return known
    const isDirect = id.startsWith("9")
    const channel: Channel = {
      id,
      type: isDirect ? 1 : parent === undefined ? 0 : 11,
      ...(!isDirect && { guild_id: "1" }),
      ...(parent !== undefined && { parent_id: parent }),
      messages: []
    }
    channels.set(id, channel)
    return channel
  }
  const put = (
    channel: string,
    author: DiscordMessage["author"],
    given: Readonly<Record<string, unknown>>
  ) => {
    const { guild_id, messages } = channelOf(channel)
    const message = {
      type: 0,
      timestamp: new Date().toISOString(),
      edited_timestamp: null,
      mentions: [],
      components: [],
      attachments: [],
      flags: 0,
      content: "",
      ...given,
      id: snowflake(),
      channel_id: channel,
      author
    }
    messages.push(message)
    emit("MESSAGE_CREATE", { ...message, ...(guild_id !== undefined && { guild_id }) })
    return message as DiscordMessage
  }

  const route = (
    method: string,
    path: string,
    query: URLSearchParams,
    body: Readonly<Record<string, unknown>>
  ): Answered => {
    if (path === "/gateway/bot") {
      const session_start_limit = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 }
      return { json: { url: address, shards: 1, session_start_limit } }
    }
    if (path === "/users/@me") return { json: bot }
    if (/^\/applications\/42\/commands$/.test(path)) {
      commands = body as unknown as ReadonlyArray<unknown>
      return { json: commands }
    }
    const [, guild, of] = /^\/guilds\/(\d+)\/(channels|threads\/active)$/.exec(path) ?? []
    if (guild !== undefined) {
      if (guild !== "1") return refused(404, 10_004, "Unknown Guild")
      const isThread = of !== "channels"
      const found = [...channels.values()]
        .filter(({ guild_id, type }) => guild_id === guild && (type === 11) === isThread)
        .map(({ guild_id, id, parent_id, type }) => ({ guild_id, id, parent_id, type }))
      return { json: isThread ? { threads: found, members: [] } : found }
    }
    const [, channel = "", rest = ""] = /^\/channels\/(\d+)(.*)$/.exec(path) ?? []
    if (channel !== "" && rest === "") {
      const { messages: _, ...about } = channelOf(channel)
      return { json: about }
    }
    if (rest === "/typing") return { status: 204, json: null }
    if (rest === "/messages" && method === "POST") {
      const {
        content = "",
        enforce_nonce,
        nonce
      } = body as { content?: string; nonce?: string; enforce_nonce?: boolean }
      if (content.length > 2000) return refused(400, 50_035, "Invalid Form Body")
      const before = enforce_nonce === true && nonce !== undefined ? nonces.get(channel + nonce) : undefined
      if (before !== undefined) return { json: before }
      const message = put(channel, bot, body)
      if (nonce !== undefined) nonces.set(channel + nonce, message)
      return { json: message }
    }
    if (rest === "/messages") {
      const after = BigInt(query.get("after") ?? 0)
      const found = channelOf(channel).messages.filter(({ id }) => BigInt(id) > after)
      return { json: found.slice(0, Number(query.get("limit") ?? 50)).toReversed() }
    }
    const [, message] = /^\/messages\/(\d+)$/.exec(rest) ?? []
    if (message !== undefined && method === "PATCH") {
      const found = channelOf(channel).messages.find(({ id }) => id === message)
      if (found === undefined) return refused(404, 10_008, "Unknown Message")
      const { components, content } = body as Pick<DiscordMessage, "components" | "content">
      Object.assign(found, { content, ...(components && { components }), edits: (found.edits ?? 0) + 1 })
      return { json: found }
    }
    const [, interaction, token] = /^\/interactions\/(\d+)\/(\w+)\/callback$/.exec(path) ?? []
    if (interaction !== undefined) {
      const found = interactions.get(interaction)
      if (found === undefined || found.token !== token || Date.now() - found.at > ackWithin)
        return refused(404, 10_062, "Unknown interaction")
      if (found.acked) return refused(400, 40_060, "Interaction has already been acknowledged.")
      found.acked = true
      return { status: 204, json: null }
    }
    if (/^\/webhooks\/42\/\w+$/.test(path)) {
      followUps.push(String(body["content"]))
      return { json: { id: snowflake() } }
    }
    return refused(404, 0, "404: Not Found")
  }

  const sockets = (socket: WebSocket) => {
    socket.send(JSON.stringify({ op: 10, d: { heartbeat_interval: 41_250 } }))
    let session: Session | undefined
    socket.on("message", (raw: Buffer) => {
      const { d, op } = JSON.parse(raw.toString()) as {
        op: number
        d: { token: string; session_id: string; seq: number }
      }
      if (op === 1) socket.send(JSON.stringify({ op: 11 }))
      if (op === 2) {
        if (d.token !== discordToken) return socket.close(4004, "Authentication failed.")
        sessions.clear()
        session = { id: `ses${++identified}`, seq: 0, log: [], socket }
        sessions.set(session.id, session)
        emit("READY", {
          v: 10,
          user: bot,
          guilds: [{ id: "1", unavailable: true }],
          session_id: session.id,
          resume_gateway_url: address,
          application: { id: "42", flags: 0 },
          shard: [0, 1]
        })
      }
      if (op === 6) {
        session = sessions.get(d.session_id)
        if (session === undefined) return socket.send(JSON.stringify({ op: 9, d: false }))
        resumed++
        session.socket = socket
        for (const event of session.log) if (event.s > d.seq) socket.send(JSON.stringify(event))
        socket.send(JSON.stringify({ op: 0, t: "RESUMED", s: ++session.seq, d: {} }))
      }
    })
    socket.on("close", () => {
      if (session?.socket === socket) session.socket = undefined
    })
  }

  const { url } = yield* listening(
    async ({ body, drop, headers, method, url }) => {
      const path = decodeURIComponent(url.pathname).replace(/^\/v10/, "")
      const files = url.pathname.startsWith("/files/")
      if (files) return { bytes: Buffer.from("file") }
      const isOpen = /^\/(?:interactions|webhooks)/.test(path)
      if (!isOpen && headers.authorization !== `Bot ${discordToken}`)
        return refused(401, 0, "401: Unauthorized")
      const type = headers["content-type"] ?? ""
      const text = body.toString("latin1")
      const form = /name="payload_json"\r\n(?:[^\r]+\r\n)*\r\n([^\r]*)/.exec(text)?.[1]
      const named = [...text.matchAll(/filename="([^"]+)"/g)].map(([, filename]) => ({ filename }))
      const given = (
        type.includes("json") && body.length > 0
          ? JSON.parse(body.toString())
          : type.includes("multipart")
            ? { ...(JSON.parse(form ?? "{}") as object), attachments: named }
            : {}
      ) as Readonly<Record<string, unknown>>
      calls.push({ method, path })
      const fault = faults.of(`${method} ${path}`)
      if (fault?.lose === "before") return drop()
      if (fault?.status === 429) {
        const retry = "0.3"
        return {
          status: 429,
          json: { message: "You are being rate limited.", retry_after: Number(retry), global: false },
          headers: {
            "retry-after": retry,
            "x-ratelimit-limit": "5",
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset-after": retry,
            "x-ratelimit-bucket": "b",
            "x-ratelimit-scope": "user"
          }
        }
      }
      if (fault?.status !== undefined) return { status: fault.status, json: { code: 0, message: "a fault" } }
      const answer = route(method, path, url.searchParams, given)
      if (fault?.lose === "after") return drop()
      return answer
    },
    (server) => new WebSocketServer({ server }).on("connection", sockets)
  )
  address = url.replace("http", "ws")
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const { socket } of sessions.values()) socket?.terminate()
    })
  )

  return {
    url,
    calls,
    faults,
    followUps,
    channelOf,
    in: (channel: string) => channelOf(channel).messages.filter(({ author }) => author.bot === true),
    counts: () => ({ identified, resumed }),
    commands: () => commands,
    say: (
      content: string,
      { channel = "900", from = "7", more = {} }: { channel?: string; from?: string; more?: object } = {}
    ) =>
      put(channel, { id: from, username: "ada", global_name: "Ada" } as DiscordMessage["author"], {
        content,
        ...more
      }).id,
    edit: (channel: string, id: string, content: string) => {
      const found = channelOf(channel).messages.find((message) => message.id === id)
      if (found === undefined) return
      found.content = content
      emit("MESSAGE_UPDATE", found)
    },
    press: (message: DiscordMessage, label: string, from = "7") => {
      const id = snowflake()
      const token = `tok${id}`
      interactions.set(id, { at: Date.now(), token, acked: false })
      const { guild_id, type } = channelOf(message.channel_id)
      const button = message.components
        .flatMap(({ components }) => components)
        .find((one) => one.label === label)
      emit("INTERACTION_CREATE", {
        id,
        token,
        application_id: "42",
        type: 3,
        version: 1,
        channel: { id: message.channel_id, type },
        channel_id: message.channel_id,
        ...(guild_id !== undefined && { guild_id }),
        user: { id: from, username: "ada", global_name: "Ada" },
        data: { custom_id: button?.custom_id ?? label, component_type: 2 },
        message
      })
      return id
    },
    command: (name: string, which?: string, channel = "900", from = "7") => {
      const id = snowflake()
      const token = `tok${id}`
      interactions.set(id, { at: Date.now(), token, acked: false })
      emit("INTERACTION_CREATE", {
        id,
        token,
        application_id: "42",
        type: 2,
        version: 1,
        channel: { id: channel, type: channelOf(channel).type },
        channel_id: channel,
        user: { id: from, username: "ada", global_name: "Ada" },
        data: {
          id: "c1",
          name,
          type: 1,
          options: which === undefined ? [] : [{ name: "which", type: 3, value: which }]
        }
      })
    },
    /** The connection is dropped; with `forget` its session too. */
    drop: ({ code = 4000, forget = false } = {}) => {
      for (const { socket } of sessions.values()) socket?.close(code)
      if (forget) sessions.clear()
    },
    isAcked: (id: string) => interactions.get(id)?.acked === true
  }
})

export type FakeDiscord = Effect.Success<typeof fakeDiscord>
