import type { ChannelAdapter, Outgoing, WebhookAnswer } from "@rejoin/channels/ChannelAdapter"
import { type ChannelFailure, Refused, TooFast, Unanswered } from "@rejoin/channels/ChannelFailure"
import { fetchFile } from "@rejoin/channels/Fetching"
import type { Inbound } from "@rejoin/channels/Inbound"
import type { StoreFailed } from "@rejoin/contracts/Errors"
import { Clock, Effect, Option, Redacted, Schema } from "effect"
import { createHmac, timingSafeEqual } from "node:crypto"
import { failureOf, outsideWindow } from "./WhatsAppFailure.ts"
import { personOf, toldIn } from "./WhatsAppParse.ts"

export interface WhatsAppOptions {
  readonly token: Redacted.Redacted
  /** By which Meta signs what it sends. */
  readonly appSecret: Redacted.Redacted
  readonly verifyToken: Redacted.Redacted
  readonly phoneNumberId: string
  /** Where Meta's interface is; by default Meta's own. */
  readonly url?: string | undefined
  /** How long to wait before it is looked whether somebody has written again, in ms; a minute by default. */
  readonly windowClosed?: number
}

const graph = "https://graph.facebook.com"
const version = "v23.0"

// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages, /media
const limits = { text: 4096, asking: 1024, download: 17_000_000, upload: 100_000_000, buttons: 3, label: 20 }

/** Meta tells of a message that it has within this time: before, nothing is sent again. In ms. */
const statusWithin = 30_000

/** So many of our marks are remembered. */
const marksAtMost = 10_000

const Sent = Schema.Struct({ messages: Schema.Array(Schema.Struct({ id: Schema.String })) })
const decodeSent = Schema.decodeUnknownOption(Sent)
const decodeMedia = Schema.decodeUnknownOption(Schema.Struct({ url: Schema.String }))
const decodeId = Schema.decodeUnknownOption(Schema.Struct({ id: Schema.String }))
const decodeNumber = Schema.decodeUnknownOption(
  Schema.Struct({
    display_phone_number: Schema.optional(Schema.String),
    verified_name: Schema.optional(Schema.String)
  })
)

const same = (a: string, b: string) => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/**
 * WhatsApp, by Meta's Cloud API. What Meta sends is answered behind the commit: before, it sends it again. A message cannot
 * be edited, and has no id of ours: a mark comes back with its status, and what nobody tells of is sent again, and says so.
 */
export const makeWhatsApp = (options: WhatsAppOptions): ChannelAdapter => {
  const { phoneNumberId, url = graph, windowClosed = 60_000 } = options
  const secret = Redacted.value(options.token)
  const headers = { authorization: `Bearer ${secret}` }
  const marks = new Map<string, string>()
  let take: ((inbound: ReadonlyArray<Inbound>, cursor: null) => Effect.Effect<void, StoreFailed>) | undefined

  const call = (path: string, init: RequestInit = {}): Effect.Effect<unknown, ChannelFailure> =>
    Effect.tryPromise({
      try: async (signal) => {
        const response = await fetch(`${url}/${version}/${path}`, {
          ...init,
          redirect: "error",
          headers: {
            ...headers,
            ...(typeof init.body === "string" && { "content-type": "application/json" })
          },
          signal
        })
        return { ok: response.ok, status: response.status, body: await response.text() }
      },
      catch: () => new Unanswered({ message: "WhatsApp cannot be reached." })
    }).pipe(
      Effect.timeoutOrElse({
        duration: "30 seconds",
        orElse: () => Effect.fail(new Unanswered({ message: "WhatsApp did not answer in time." }))
      }),
      Effect.flatMap(({ body, ok, status }) =>
        ok
          ? Effect.try({
              try: () => JSON.parse(body) as unknown,
              catch: () => new Unanswered({ message: "WhatsApp answered what is no JSON." })
            })
          : Effect.fail(failureOf(status, body))
      )
    )
  const post = (path: string, body: object) => call(path, { method: "POST", body: JSON.stringify(body) })

  const bodyOf = ({ buttons = [], text }: Outgoing) =>
    buttons.length === 0
      ? { type: "text", text: { body: text, preview_url: false } }
      : {
          type: "interactive",
          interactive: {
            type: "button",
            // https://developers.facebook.com/docs/whatsapp/cloud-api/messages/interactive-reply-buttons-messages
            body: { text: text.slice(0, 1024) },
            action: {
              buttons: buttons.map(({ id, label }) => ({ type: "reply", reply: { id, title: label } }))
            }
          }
        }

  const messages = (chat: Parameters<typeof personOf>[0], to: string | null, content: object) =>
    post(`${phoneNumberId}/messages`, {
      messaging_product: "whatsapp",
      recipient_type: "individual",
      to: personOf(chat),
      ...(to !== null && { context: { message_id: to } }),
      ...content
    }).pipe(
      Effect.flatMap((answer) =>
        Option.match(decodeSent(answer), {
          onNone: () => Effect.fail(new Unanswered({ message: "WhatsApp did not say which message it is." })),
          onSome: ({ messages }) => Effect.succeed(messages[0]?.id ?? "")
        })
      ),
      // It is kept, and told with what comes when its person has written again.
      Effect.catchIf(
        (failure) => failure._tag === "Refused" && failure.code === outsideWindow,
        () =>
          Effect.fail(
            new TooFast({
              message:
                "More than 24 hours since somebody wrote: WhatsApp takes no answer before he writes again.",
              retryAfter: windowClosed
            })
          )
      )
    )

  const webhook: ChannelAdapter["webhook"] = ({ body, headers, method, query }) => {
    const answer = (status: number, text = ""): WebhookAnswer => ({ status, text })
    if (method === "GET") {
      const isOurs = same(query.get("hub.verify_token") ?? "", Redacted.value(options.verifyToken))
      return Effect.succeed(isOurs ? answer(200, query.get("hub.challenge") ?? "") : answer(403))
    }
    // Over the bytes as they came: Meta escapes what another encoder would not.
    const signature = createHmac("sha256", Redacted.value(options.appSecret)).update(body).digest("hex")
    if (!same(headers["x-hub-signature-256"] ?? "", `sha256=${signature}`)) return Effect.succeed(answer(401))
    const told = toldIn(new TextDecoder().decode(body), phoneNumberId)
    if (told === undefined) return Effect.succeed(answer(400))
    for (const { id, mark } of told.arrived) {
      marks.set(mark, id)
      if (marks.size > marksAtMost) marks.delete([...marks.keys()][0] ?? "")
    }
    // Not yet, or not any more: it is sent again.
    if (take === undefined) return Effect.succeed(answer(503))
    return take(told.inbound, null).pipe(
      Effect.as(answer(200)),
      Effect.orElseSucceed(() => answer(503))
    )
  }

  return {
    limits,
    beginsEmpty: false,
    pace: () => 0,
    webhook,
    account: Effect.map(call(`${phoneNumberId}?fields=display_phone_number,verified_name`), (answer) => ({
      prefix: `whatsapp:${phoneNumberId}`,
      name: Option.getOrUndefined(decodeNumber(answer))?.verified_name ?? "WhatsApp"
    })),
    receive: (life) =>
      Effect.gen(function* () {
        take = life.take
        yield* Effect.addFinalizer(() => Effect.sync(() => (take = undefined)))
        yield* life.up
        return yield* Effect.never
      }).pipe(Effect.scoped),
    send: (chat, to, outgoing, { token: mark }) =>
      messages(chat, to, { ...bodyOf(outgoing), biz_opaque_callback_data: mark }),
    doubt: Effect.fnUntraced(function* (_chat, _to, _outgoing, { since, token: mark }) {
      const sent = marks.get(mark)
      if (sent !== undefined) return { sent }
      const left = since + statusWithin - (yield* Clock.currentTimeMillis)
      return left > 0 ? { wait: Math.min(left, 1000) } : "unknown"
    }),
    // Its person sees that by what follows.
    pressed: () => Effect.void,
    typing: (_chat, to) =>
      to === null
        ? Effect.void
        : Effect.asVoid(
            post(`${phoneNumberId}/messages`, {
              messaging_product: "whatsapp",
              status: "read",
              message_id: to,
              typing_indicator: { type: "text" }
            })
          ),
    download: Effect.fnUntraced(function* ({ id }) {
      const media = decodeMedia(yield* call(encodeURIComponent(id)))
      if (Option.isNone(media))
        return yield* new Refused({ code: "media", message: "WhatsApp has it no more." })
      const from = new URL(media.value.url)
      // The token goes along: to nobody but Meta.
      const isMetas =
        from.protocol === "https:" && /\.(?:fbsbx|facebook|whatsapp)\.(?:com|net)$/.test(from.hostname)
      if (!isMetas && from.origin !== new URL(url).origin)
        return yield* new Refused({ code: "address", message: "The file does not lie with WhatsApp." })
      return yield* fetchFile(from.href, limits.download, headers)
    }),
    upload: Effect.fnUntraced(function* (chat, to, { bytes, name }) {
      const form = new FormData()
      form.set("messaging_product", "whatsapp")
      form.set("type", "text/plain")
      form.set("file", new Blob([Uint8Array.from(bytes)], { type: "text/plain" }), name)
      const uploaded = decodeId(yield* call(`${phoneNumberId}/media`, { method: "POST", body: form }))
      if (Option.isNone(uploaded))
        return yield* new Unanswered({ message: "WhatsApp did not take the file." })
      return yield* messages(chat, to, {
        type: "document",
        document: { id: uploaded.value.id, filename: name }
      })
    })
  }
}
