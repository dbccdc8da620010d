import { Effect, Queue } from "effect"
import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from "node:crypto"
import { listening } from "./Listening.ts"

/** What a browser was told. */
export interface Pushed {
  readonly payload: Readonly<Record<string, unknown>>
  readonly urgency: string
  /** The claims of the key that signed it. */
  readonly claims: Readonly<Record<string, unknown>>
}

const derive = (secret: Buffer, salt: Buffer, info: Buffer, length: number): Buffer =>
  Buffer.from(hkdfSync("sha256", secret, salt, info, length))

/** The browser's side of RFC 8291 and RFC 8188: opens what was sealed for its key. */
const opened = (
  body: Buffer,
  receiver: ReturnType<typeof createECDH>,
  auth: Buffer
): Readonly<Record<string, unknown>> => {
  const salt = body.subarray(0, 16)
  const length = body.readUInt8(20)
  const sender = body.subarray(21, 21 + length)
  const sealed = body.subarray(21 + length)
  const keyInfo = Buffer.concat([Buffer.from("WebPush: info\0"), receiver.getPublicKey(), sender])
  const secret = derive(receiver.computeSecret(sender), auth, keyInfo, 32)
  const key = derive(secret, salt, Buffer.from("Content-Encoding: aes128gcm\0"), 16)
  const nonce = derive(secret, salt, Buffer.from("Content-Encoding: nonce\0"), 12)
  const decipher = createDecipheriv("aes-128-gcm", key, nonce)
  decipher.setAuthTag(sealed.subarray(-16))
  const text = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
  // A byte that ends it, and padding.
  return JSON.parse(text.subarray(0, text.lastIndexOf(2)).toString()) as Record<string, unknown>
}

const part = (text: string | undefined): Buffer => Buffer.from(text ?? "", "base64url")

/** RFC 8292: who sends has the key that the browser subscribed with, and means this service. */
const claimsOf = (authorization: string, publicKey: string, origin: string) => {
  const [, token = "", key = ""] = /^vapid t=([^,]+), ?k=(.+)$/.exec(authorization) ?? []
  if (key !== publicKey) throw new Error("it is signed by another key")
  const [head = "", body = "", signature] = token.split(".")
  const point = part(key)
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33, 65).toString("base64url")
  }
  const isSigned = verify(
    "sha256",
    Buffer.from(`${head}.${body}`),
    { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" },
    part(signature)
  )
  const claims = JSON.parse(part(body).toString()) as Record<string, unknown>
  if (!isSigned) throw new Error("it is not signed")
  if (claims["aud"] !== origin) throw new Error("it is for another service")
  return claims
}

/** A browser's push service, and the browsers behind it: takes what the real ones take, as the RFCs have it. */
export const makePushService = Effect.gen(function* () {
  const browsers = new Map<
    string,
    {
      readonly keys: ReturnType<typeof createECDH>
      readonly auth: Buffer
      readonly told: Queue.Queue<Pushed>
      publicKey: string
      gone: boolean
    }
  >()
  /** Answers before it takes anything again. */
  const answers: Array<number> = []
  /** What it could not open, or was not meant for it. */
  const refused: Array<string> = []
  let own = ""
  const { url: origin } = yield* listening(({ body, headers, url }) => {
    const status = (status: number) => ({ status, json: null })
    const browser = browsers.get(url.pathname.slice(1))
    if (browser === undefined) return status(404)
    if (browser.gone) return status(410)
    const odd = answers.shift()
    if (odd !== undefined) return status(odd)
    try {
      if (headers["content-encoding"] !== "aes128gcm" || headers["ttl"] === undefined)
        throw new Error("a header is missing")
      const claims = claimsOf(headers.authorization ?? "", browser.publicKey, own)
      const payload = opened(body, browser.keys, browser.auth)
      Queue.offerUnsafe(browser.told, { payload, urgency: String(headers["urgency"]), claims })
      return status(201)
    } catch (error) {
      refused.push(String(error))
      return status(400)
    }
  })
  own = origin

  /** A browser that subscribes with this key of a server's. */
  const subscribe = Effect.fnUntraced(function* (publicKey: string) {
    const keys = createECDH("prime256v1")
    keys.generateKeys()
    const auth = randomBytes(16)
    const name = randomBytes(8).toString("hex")
    const told = yield* Queue.unbounded<Pushed>()
    const browser = { keys, auth, told, publicKey, gone: false }
    browsers.set(name, browser)
    return {
      target: {
        endpoint: `${origin}/${name}`,
        keys: { p256dh: keys.getPublicKey("base64url"), auth: auth.toString("base64url") }
      },
      next: Queue.take(told),
      waiting: Queue.size(told),
      end: () => {
        browser.gone = true
      }
    }
  })
  return { origin, subscribe, answers, refused }
})
