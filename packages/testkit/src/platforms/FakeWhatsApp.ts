import { Effect } from "effect"
import { createHmac } from "node:crypto"
import { type Answered, listening, makeFaults } from "./Listening.ts"

/** Secrets that a test can look for in everything that was written. */
export const whatsAppToken = "EAAG-secret-token-of-the-fake-whatsapp"
export const whatsAppSecret = "secret-of-the-fake-whatsapp-app"
export const whatsAppVerify = "verify-token-of-the-fake-whatsapp"
export const whatsAppNumber = "PN1"

export interface WhatsAppMessage {
  readonly id: string
  readonly to: string
  readonly text: string
  readonly buttons: ReadonlyArray<{ readonly id: string; readonly title: string }>
  readonly context?: string
  readonly mark?: string
  readonly file?: string
}

const hour = 3_600_000

/**
 * WhatsApp's Cloud API on loopback: signed webhooks that are sent until they are answered with 200, statuses, media, buttons
 * and the window of 24 hours.
 */
export const fakeWhatsApp = Effect.gen(function* () {
  const sent: Array<WhatsAppMessage> = []
  const calls: Array<string> = []
  const codes: Array<number> = []
  const media = new Map<string, Uint8Array>()
  const wrote = new Map<string, number>()
  const faults = makeFaults()
  let hook = ""
  let count = 0
  const closing = new AbortController()
  /** Whether it tells what became of our messages. */
  let tellsStatus = true

  const sign = (raw: string, secret: string) =>
    `sha256=${createHmac("sha256", secret).update(raw).digest("hex")}`
  const once = (raw: string, signature: string) =>
    fetch(hook, {
      method: "POST",
      headers: { "content-type": "application/json", "x-hub-signature-256": signature },
      body: raw
    })
      .then(({ status }) => status)
      .catch(() => 0)
  const envelope = (value: object): string =>
    JSON.stringify({
      object: "whatsapp_business_account",
      entry: [
        {
          id: "WABA",
          changes: [
            {
              field: "messages",
              value: {
                messaging_product: "whatsapp",
                metadata: { display_phone_number: "1555", phone_number_id: whatsAppNumber },
                ...value
              }
            }
          ]
        }
      ]
      // Meta escapes what is not ASCII: encoded anew it has another signature.
    }).replaceAll(/[\u0080-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`)
  /** Again until it is taken. */
  const deliver = async (value: object) => {
    const raw = envelope(value)
    while (!closing.signal.aborted) {
      const code = await once(raw, sign(raw, whatsAppSecret))
      codes.push(code)
      if (code === 200) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  const message = (from: string, content: object) => ({
    from,
    id: `wamid.${++count}`,
    timestamp: String(Math.floor(Date.now() / 1000)),
    ...content
  })
  const tell = (...all: ReadonlyArray<ReturnType<typeof message>>) => {
    for (const { from } of all) wrote.set(from, Date.now())
    const contacts = all.map(({ from }) => ({ wa_id: from, profile: { name: "Ada" } }))
    void deliver({ contacts, messages: all })
    return all.map(({ id }) => id)
  }
  const refused = (code: number, text: string, status = 400): Answered => ({
    status,
    json: { error: { message: `(#${code}) ${text}`, type: "OAuthException", code, fbtrace_id: "t" } }
  })

  const post = (body: {
    readonly to: string
    readonly status?: string
    readonly type?: string
    readonly text?: { readonly body: string }
    readonly context?: { readonly message_id: string }
    readonly biz_opaque_callback_data?: string
    readonly document?: { readonly filename: string }
    readonly interactive?: {
      readonly body: { readonly text: string }
      readonly action: {
        readonly buttons: ReadonlyArray<{ readonly reply: { readonly id: string; readonly title: string } }>
      }
    }
  }): Answered => {
    if (body.status !== undefined) return { json: { success: true } }
    if (Date.now() - (wrote.get(body.to) ?? 0) > 24 * hour)
      return refused(
        131_047,
        "Re-engagement message: more than 24 hours have passed since the recipient last replied"
      )
    const text = body.text?.body ?? body.interactive?.body.text ?? ""
    if (text.length > (body.interactive === undefined ? 4096 : 1024))
      return refused(100, "Param text is too long")
    const buttons = body.interactive?.action.buttons.map(({ reply }) => reply) ?? []
    if (buttons.length > 3 || buttons.some(({ title }) => title.length > 20))
      return refused(131_009, "Parameter value is not valid")
    const one: WhatsAppMessage = {
      id: `wamid.out${sent.length}`,
      to: body.to,
      text,
      buttons,
      ...(body.context && { context: body.context.message_id }),
      ...(body.biz_opaque_callback_data !== undefined && { mark: body.biz_opaque_callback_data }),
      ...(body.document && { file: body.document.filename })
    }
    sent.push(one)
    if (tellsStatus)
      void deliver({
        statuses: [
          {
            id: one.id,
            status: "sent",
            timestamp: "1",
            recipient_id: one.to,
            biz_opaque_callback_data: one.mark
          }
        ]
      })
    return {
      json: { messaging_product: "whatsapp", contacts: [{ wa_id: one.to }], messages: [{ id: one.id }] }
    }
  }

  let address = ""
  const { url } = yield* listening(({ body, drop, headers, url: { pathname } }): Answered => {
    const path = pathname.replace(/^\/v[\d.]+/, "")
    calls.push(path)
    if (headers.authorization !== `Bearer ${whatsAppToken}`)
      return refused(190, "Invalid OAuth access token.", 401)
    const fault = faults.of(path)
    if (fault?.lose === "before") return drop()
    if (fault?.status !== undefined) return { status: fault.status, json: fault.json ?? {} }
    if (path.startsWith("/cdn/")) {
      const found = media.get(path.slice(5))
      return found === undefined ? { status: 404, json: {} } : { bytes: found }
    }
    if (path === `/${whatsAppNumber}/media`) return { json: { id: "UP1" } }
    if (path === `/${whatsAppNumber}`)
      return { json: { display_phone_number: "1555", verified_name: "Rejoin" } }
    if (path === `/${whatsAppNumber}/messages`) {
      const answer = post(JSON.parse(body.toString()) as Parameters<typeof post>[0])
      if (fault?.lose === "after") return drop()
      return answer
    }
    return media.has(path.slice(1))
      ? { json: { url: `${address}/cdn${path}`, id: path.slice(1) } }
      : refused(100, "Unsupported get request")
  })
  address = url
  yield* Effect.addFinalizer(() => Effect.sync(() => closing.abort()))

  return {
    url,
    sent,
    calls,
    faults,
    media,
    /** What our webhook answered. */
    codes,
    to: (person: string) => sent.filter(({ to }) => to === person),
    /** Where it sends what it has to say. */
    connect: (address: string) => void (hook = address),
    verify: (token: string) =>
      Effect.promise(async () => {
        const answer = await fetch(`${hook}?hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=12345`)
        return { status: answer.status, text: await answer.text() }
      }),
    say: (text: string, from = "4917") =>
      tell(message(from, { type: "text", text: { body: text } }))[0] ?? "",
    /** Several in one delivery. */
    sayAll: (texts: ReadonlyArray<string>, from = "4917") =>
      tell(...texts.map((text) => message(from, { type: "text", text: { body: text } }))),
    send: (id: string, from = "4917") =>
      tell(message(from, { type: "image", image: { id, mime_type: "image/jpeg", caption: "look" } })),
    press: (of: WhatsAppMessage, title: string, from = of.to) =>
      tell(
        message(from, {
          type: "interactive",
          interactive: {
            type: "button_reply",
            button_reply: of.buttons.find((one) => one.title === title) ?? { id: title, title }
          },
          context: { id: of.id }
        })
      ),
    /** Once, with another secret or another body than was signed. */
    forge: (text: string, how: "secret" | "body") =>
      Effect.promise(() => {
        const raw = envelope({
          contacts: [],
          messages: [message("4917", { type: "text", text: { body: text } })]
        })
        return once(
          how === "body" ? raw.replace("text", "téxt") : raw,
          sign(raw, how === "secret" ? "another" : whatsAppSecret)
        )
      }),
    /** It took a message, and tells later that it did not arrive. */
    fail: (of: WhatsAppMessage, code: number) =>
      void deliver({
        statuses: [
          {
            id: of.id,
            status: "failed",
            timestamp: "1",
            recipient_id: of.to,
            errors: [{ code, title: "Re-engagement message" }]
          }
        ]
      }),
    /** So long ago somebody wrote last. */
    wroteAgo: (person: string, hours: number) => void wrote.set(person, Date.now() - hours * hour),
    silent: () => {
      tellsStatus = false
    }
  }
})

export type FakeWhatsApp = Effect.Success<typeof fakeWhatsApp>
