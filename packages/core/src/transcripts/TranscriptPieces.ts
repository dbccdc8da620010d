import { StoreFailed } from "@rejoin/contracts/Errors"
import { Effect } from "effect"
import type { Piece, TranscriptFiles } from "../store/TranscriptStore.ts"

/** Of nothing. */
export const noHash = ""

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** A chain: costs what is new, and tells of any change in what came before. */
export const hashOf = Effect.fnUntraced(function* (before: string, pieces: ReadonlyArray<Piece>) {
  let hash = before
  for (const { data, file, from } of pieces) {
    const whole = joined([new TextEncoder().encode(`${hash}\0${file}\0${from}\0`), data])
    const digest = yield* Effect.promise(() => crypto.subtle.digest("SHA-256", whole))
    hash = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("")
  }
  return hash
})

export const sizeOf = (pieces: ReadonlyArray<Piece>): number =>
  pieces.reduce((sum, { data }) => sum + data.length, 0)

/** The files again, where the pieces are those that the hash was made of. */
export const filesOf = Effect.fnUntraced(function* (
  pieces: ReadonlyArray<Piece>,
  hash: string
): Effect.fn.Return<TranscriptFiles, StoreFailed> {
  const broken = (why: string) =>
    new StoreFailed({ message: `Our copy of the conversation cannot be read: ${why}. Nothing was restored.` })
  if ((yield* hashOf(noHash, pieces)) !== hash) return yield* broken("it is not what was written")
  const parts = new Map<string, { readonly data: Array<Uint8Array>; size: number }>()
  for (const { data, file, from } of pieces) {
    const known = parts.get(file)
    // What is no file of lines is taken as a whole each time.
    if (from === 0) parts.set(file, { data: [data], size: data.length })
    else if (known?.size === from) {
      known.data.push(data)
      known.size += data.length
    } else return yield* broken(`a piece of ${file} is missing`)
  }
  return new Map([...parts].map(([file, { data }]) => [file, joined(data)]))
})
