import { Clock, Context, Effect } from "effect"

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

const encode = (bytes: Uint8Array): string => Array.from(bytes, (byte) => alphabet[byte & 31]).join("")

const encodeTime = (millis: number): string => {
  let text = ""
  for (let rest = millis, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) text = alphabet[rest % 32] + text
  return text
}

/** Where the random part of an id comes from. Replace it where ids must be foreseeable. */
export const RandomBytes = Context.Reference<(length: number) => Uint8Array>("@rejoin/core/RandomBytes", {
  defaultValue: () => (length) => globalThis.crypto.getRandomValues(new Uint8Array(length))
})

/** A new UUID, version 4, for upstreams that take no other id. */
export const newUuid = Effect.map(Effect.service(RandomBytes), (random) => {
  const bytes = random(16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
})

/**
 * A new id: the prefix, the time to the millisecond, and 80 random bits, so that text order is time order and two
 * never collide (S19).
 */
export const newId = (prefix: string) =>
  Effect.flatMap(Clock.currentTimeMillis, (millis) => newIdAt(prefix, millis))

/** The id of something that was at that time, in ms since the epoch: it stands before what came after it. */
export const newIdAt = Effect.fnUntraced(function* (prefix: string, millis: number) {
  const random = yield* RandomBytes
  return `${prefix}_${encodeTime(millis)}${encode(random(16))}`
})
