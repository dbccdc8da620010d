import { Effect } from "effect"

/** In hex. */
export const sha256 = (data: string | Uint8Array<ArrayBuffer>) =>
  Effect.map(
    Effect.promise(() =>
      crypto.subtle.digest("SHA-256", typeof data === "string" ? new TextEncoder().encode(data) : data)
    ),
    (digest) => [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("")
  )
