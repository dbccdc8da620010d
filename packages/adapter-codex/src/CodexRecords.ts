import type { TranscriptFiles } from "@rejoin/core/store/TranscriptStore"
import { Option, Schema } from "effect"

const Base = Schema.Struct({ thread_id: Schema.String, end_byte_offset: Schema.Finite })
const Line = Schema.Record(Schema.String, Schema.Unknown)
const Meta = Schema.Struct({
  type: Schema.Literal("session_meta"),
  timestamp: Schema.String,
  payload: Schema.StructWithRest(
    Schema.Struct({ id: Schema.String, history_base: Schema.optional(Schema.NullOr(Base)) }),
    [Schema.Record(Schema.String, Schema.Unknown)]
  )
})
const decodeLine = Schema.decodeUnknownOption(Schema.fromJsonString(Line))
const decodeMeta = Schema.decodeUnknownOption(Meta)

const linesOf = (data: Uint8Array) =>
  new TextDecoder()
    .decode(data)
    .split("\n")
    .flatMap((text) => Option.toArray(decodeLine(text)))

interface Part {
  readonly file: string
  readonly data: Uint8Array
  readonly meta: typeof Meta.Type
}

/** The thread's files, newest first: each time that it is rewound it goes on in another. */
const partsOf = (files: TranscriptFiles, id: string): ReadonlyArray<Part> => {
  const parts = [...files].flatMap(([file, data]): ReadonlyArray<Part> => {
    const end = data.indexOf(10)
    const [first] = linesOf(end < 0 ? data : data.subarray(0, end))
    const meta = Option.getOrUndefined(decodeMeta(first))
    return meta?.payload.id === id ? [{ file, data, meta }] : []
  })
  return parts.toSorted((a, b) => b.meta.timestamp.localeCompare(a.meta.timestamp))
}

/**
 * A thread that was rewound is in several files, and only Codex's index tells which of them counts
 * (docs/providers/codex.md: A rewound thread, restored). Where that index is gone they become one: what the newest goes
 * on from, and what that goes on from, and then what it holds itself.
 */
export const inOneFile = (files: TranscriptFiles, id: string): TranscriptFiles => {
  const parts = partsOf(files, id)
  const [newest] = parts
  if (newest === undefined) return files
  const whole = new Map(files)
  const [, ...own] = linesOf(newest.data)
  let said = own
  let from = newest
  for (;;) {
    const base = from.meta.payload.history_base
    const earlier = parts.find(({ file }) => base !== null && file.endsWith(`${base?.thread_id}.jsonl`))
    if (!base || earlier === undefined || !whole.delete(earlier.file)) break
    const [, ...before] = linesOf(earlier.data.subarray(0, base.end_byte_offset))
    said = [...before, ...said]
    from = earlier
  }
  if (from === newest) return files
  // What it was forked from, the oldest of its files tells; and that one was numbered on from there.
  const { history_base } = from.meta.payload
  const { history_base: _, ...payload } = newest.meta.payload
  const [first] = linesOf(from.data)
  const start = typeof first?.["ordinal"] === "number" ? first["ordinal"] : 0
  const head = { ...first, payload: { ...payload, ...(history_base && { history_base }) } }
  const text = [head, ...said]
    .map((line, i) => `${JSON.stringify("ordinal" in line ? { ...line, ordinal: start + i } : line)}\n`)
    .join("")
  return whole.set(newest.file, new TextEncoder().encode(text))
}
