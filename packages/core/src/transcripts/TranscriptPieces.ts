import { StoreFailed } from "@rejoin/contracts/Errors"
import { Effect } from "effect"
import { joined } from "../Bytes.ts"
import { sha256 } from "../Sha256.ts"
import type { Piece, TranscriptFiles } from "../store/TranscriptStore.ts"

/** Of nothing. */
export const noHash = ""

/** A chain: costs what is new, and tells of any change in what came before. */
export const hashOf = Effect.fnUntraced(function* (before: string, pieces: ReadonlyArray<Piece>) {
  let hash = before
  for (const { data, file, from } of pieces) {
    const whole = joined([new TextEncoder().encode(`${hash}\0${file}\0${from}\0`), data])
    hash = yield* sha256(whole)
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
