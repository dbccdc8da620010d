import { Effect } from "effect"
import { type WebSocket, WebSocketServer } from "ws"
import { type Answered, listening, makeFaults } from "./Listening.ts"

/** Secrets that a test can look for in everything that was written. */
export const slackToken = "xoxb-secret-token-of-the-fake-slack-bot"
export const slackAppToken = "xapp-secret-token-of-the-fake-slack-app"

export interface SlackMessage {
  readonly ts: string
  readonly channel: string
  readonly user: string
  readonly bot_id?: string
  text: string
  edits?: number
  readonly thread_ts?: string
  readonly metadata?: { readonly event_payload?: { readonly part?: string } }
  blocks?: ReadonlyArray<{
    readonly type: string
    readonly text?: string
    readonly elements?: ReadonlyArray<{ readonly value: string; readonly text: { readonly text: string } }>
  }>
}

interface Given {
  readonly channel: string
  readonly text: string
  readonly ts: string
  readonly oldest?: string
  readonly thread_ts?: string
  readonly include_all_metadata?: unknown
  readonly metadata?: NonNullable<SlackMessage["metadata"]>
  readonly blocks?: NonNullable<SlackMessage["blocks"]>
  readonly filename: string
  readonly files: unknown
}

interface Envelope {
  readonly id: string
  readonly type: string
  readonly payload: unknown
  tries: number
  acked: boolean
}

const bot = { user: "U42", bot_id: "B42" }

/**
 * Slack on loopback: its methods and its socket mode, as far as a bot like ours uses them. What is not acknowledged is told
 * again when the bot connects anew; histories; threads; marks on messages; presses; files.
 */
export const fakeSlack = Effect.gen(function* () {
  const messages: Array<SlackMessage> = []
  const envelopes: Array<Envelope> = []
  const sockets = new Set<WebSocket>()
  const ephemeral: Array<string> = []
  const files: Array<string> = []
  const calls: Array<string> = []
  const faults = makeFaults()
  let last = 0
  let count = 0
  /** Nothing is told again: it was too long. */
  let gaveUp = false

  const ts = (): string => {
    last = Math.max(last + 1, Date.now() * 1000)
    return `${Math.floor(last / 1_000_000)}.${String(last % 1_000_000).padStart(6, "0")}`
  }
  const tell = (envelope: Envelope) => {
    envelope.tries++
    const { id, payload, tries, type } = envelope
    const text = JSON.stringify({
      envelope_id: `${id}-${tries}`,
      type,
      payload,
      accepts_response_payload: false,
      ...(tries > 1 && { retry_attempt: tries - 1, retry_reason: "timeout" })
    })
    for (const socket of sockets) socket.send(text)
  }
  const emit = (type: string, payload: unknown) => {
    const envelope = { id: `e${++count}`, type, payload, tries: 0, acked: false }
    envelopes.push(envelope)
    if (sockets.size > 0) tell(envelope)
  }
  const event = (inner: object) =>
    emit("events_api", { type: "event_callback", event_id: `Ev${count}`, event: inner })

  const visible = (message: SlackMessage, withMetadata: boolean) => {
    const { metadata, ...rest } = message
    return { type: "message", ...rest, ...(withMetadata && metadata && { metadata }) }
  }
  const ok = (json: object = {}): Answered => ({ json: { ok: true, ...json } })
  const bad = (error: string): Answered => ({ json: { ok: false, error } })

  const methods: Readonly<Record<string, (given: Given) => Answered>> = {
    "apps.connections.open": () => ok({ url: `${address}/link` }),
    "auth.test": () =>
      ok({ url: "x", team: "T", user: "rejoin", team_id: "T1", user_id: "U42", bot_id: "B42" }),
    "chat.postMessage": ({ blocks, channel, metadata, text, thread_ts }) => {
      if (text.length > 40_000) return bad("msg_too_long")
      const message: SlackMessage = {
        ...bot,
        ts: ts(),
        channel,
        text,
        ...(blocks && { blocks }),
        ...(metadata && { metadata }),
        ...(thread_ts !== undefined && { thread_ts })
      }
      messages.push(message)
      return ok({ channel, ts: message.ts, message })
    },
    "chat.update": ({ blocks, channel, text, ts: of }) => {
      const found = messages.find((message) => message.ts === of && message.channel === channel)
      if (found === undefined) return bad("message_not_found")
      Object.assign(found, { text, blocks, edits: (found.edits ?? 0) + 1 })
      return ok({ ts: of, channel, text })
    },
    "chat.postEphemeral": ({ text }) => {
      ephemeral.push(text)
      return ok({ message_ts: ts() })
    },
    "conversations.history": ({ channel, include_all_metadata, oldest }) =>
      ok({
        messages: messages
          .filter(
            (one) =>
              one.channel === channel && one.ts > (oldest ?? "0") && (one.thread_ts ?? one.ts) === one.ts
          )
          .map((one) => visible(one, Boolean(include_all_metadata)))
          .toReversed(),
        has_more: false
      }),
    "conversations.replies": ({ channel, include_all_metadata, oldest, ts: of }) =>
      ok({
        messages: messages
          .filter((one) => one.channel === channel && (one.thread_ts === of || one.ts === of))
          .filter((one) => one.ts === of || one.ts > (oldest ?? "0"))
          .map((one) => visible(one, Boolean(include_all_metadata))),
        has_more: false
      }),
    "files.getUploadURLExternal": ({ filename }) => {
      files.push(filename)
      return ok({ upload_url: `${http}/upload`, file_id: `F${files.length}` })
    },
    "files.completeUploadExternal": ({ files: given }) => ok({ files: given })
  }

  let http = ""
  let address = ""
  const { url } = yield* listening(
    ({ body, drop, headers, url }) => {
      const method = url.pathname.slice(1)
      if (method === "upload") return { json: "OK" }
      if (method.startsWith("files/")) return { bytes: Buffer.from("file") }
      const token = (headers.authorization ?? "").replace(/^Bearer /, "")
      const text = body.toString()
      const given: Record<string, unknown> = (headers["content-type"] ?? "").includes("json")
        ? (JSON.parse(text) as Record<string, unknown>)
        : Object.fromEntries(new URLSearchParams(text))
      for (const name of ["blocks", "metadata", "files"])
        if (typeof given[name] === "string") given[name] = JSON.parse(given[name])
      calls.push(method)
      if (token !== slackToken && token !== slackAppToken) return bad("invalid_auth")
      const fault = faults.of(method)
      if (fault?.lose === "before") return drop()
      if (fault?.status === 429)
        return { status: 429, json: { ok: false, error: "ratelimited" }, headers: { "retry-after": "1" } }
      if (fault?.status !== undefined)
        return { status: fault.status, json: fault.json ?? { ok: false, error: "fatal_error" } }
      const answer = methods[method]?.(given as unknown as Given) ?? ok()
      if (fault?.lose === "after") return drop()
      return answer
    },
    (server) =>
      new WebSocketServer({ server }).on("connection", (socket) => {
        sockets.add(socket)
        socket.send(
          JSON.stringify({
            type: "hello",
            num_connections: sockets.size,
            connection_info: { app_id: "A1" },
            debug_info: {}
          })
        )
        socket.on("message", (raw: Buffer) => {
          const { envelope_id } = JSON.parse(raw.toString()) as { envelope_id?: string }
          const found = envelopes.find(({ id }) => id === envelope_id?.split("-")[0])
          if (found !== undefined) found.acked = true
        })
        socket.on("close", () => sockets.delete(socket))
        // The newest first: what is told again overtakes.
        if (!gaveUp)
          for (const envelope of envelopes.filter(({ acked }) => !acked).toReversed()) tell(envelope)
        gaveUp = false
      })
  )
  http = url
  address = url.replace("http", "ws")
  yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => socket.terminate())))

  const textOf = ({ blocks, text }: SlackMessage) =>
    blocks?.find(({ type }) => type === "markdown")?.text ?? text
  return {
    url: `${url}/`,
    calls,
    faults,
    ephemeral,
    files,
    textOf,
    in: (channel: string) =>
      messages.filter((message) => message.channel === channel && message.bot_id !== undefined),
    say: (
      text: string,
      {
        channel = "D1",
        from = "U7",
        more = {},
        thread
      }: { channel?: string; from?: string; thread?: string; more?: object } = {}
    ): string => {
      const message = {
        user: from,
        ts: ts(),
        channel,
        text,
        ...(thread !== undefined && { thread_ts: thread }),
        ...more
      }
      messages.push(message)
      event({ type: "message", ...message })
      // Of one that names the bot two events are told.
      if (text.includes("<@U42>")) event({ type: "app_mention", ...message })
      return message.ts
    },
    edit: (channel: string, of: string, text: string) => {
      const found = messages.find((message) => message.ts === of && message.channel === channel)
      if (found === undefined) return
      found.text = text
      event({ type: "message", subtype: "message_changed", channel, message: { type: "message", ...found } })
    },
    press: (message: SlackMessage, label: string, from = "U7") => {
      const buttons = message.blocks?.flatMap(({ elements = [] }) => elements) ?? []
      emit("interactive", {
        type: "block_actions",
        trigger_id: `t${++count}`,
        user: { id: from, username: "ada" },
        channel: { id: message.channel },
        message: { ts: message.ts, ...(message.thread_ts !== undefined && { thread_ts: message.thread_ts }) },
        actions: [{ value: buttons.find(({ text }) => text.text === label)?.value ?? label }]
      })
    },
    slash: (text: string, channel = "D1", from = "U7") =>
      emit("slash_commands", {
        command: "/rejoin",
        text,
        channel_id: channel,
        user_id: from,
        trigger_id: `t${++count}`
      }),
    waiting: () => envelopes.filter(({ acked }) => !acked).length,
    /** The connection is dropped; with `giveUp` what was missed is not told again. */
    drop: ({ giveUp = false } = {}) => {
      gaveUp = giveUp
      for (const socket of sockets) socket.terminate()
    },
    giveUp: () => {
      gaveUp = true
    }
  }
})

export type FakeSlack = Effect.Success<typeof fakeSlack>
