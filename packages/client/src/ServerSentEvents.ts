import { Stream } from "effect"

export interface SseFrame {
  readonly event: string
  readonly id: string | undefined
  readonly data: string
}

const parse = (block: string): ReadonlyArray<SseFrame> => {
  const fields = block.split("\n").map((line) => {
    const colon = line.indexOf(":")
    return colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")]
  })
  const of = (name: string) =>
    fields.flatMap(([field, value]) => (field === name && value !== undefined ? [value] : []))
  const data = of("data")
  // A comment is a heartbeat.
  if (data.length === 0) return []
  return [{ event: of("event")[0] ?? "message", id: of("id")[0], data: data.join("\n") }]
}

/** The frames of a `text/event-stream`, whatever way its text comes in pieces. */
export const sseFrames = <E, R>(text: Stream.Stream<string, E, R>): Stream.Stream<SseFrame, E, R> =>
  text.pipe(
    Stream.mapAccum(
      () => "",
      (rest: string, piece: string) => {
        const blocks = (rest + piece).split("\n\n")
        return [blocks.pop() ?? "", blocks.flatMap(parse)] as const
      }
    )
  )
