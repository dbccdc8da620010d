import { InvalidBundle } from "@rejoin/contracts/Errors"
import { Effect, Result, Schema, Stream } from "effect"
import { joined } from "../Bytes.ts"
import { Format, largestBundle, Line, longestLine, version } from "./Bundle.ts"

export const invalid = (why: string, line: number | null) =>
  new InvalidBundle({
    line,
    message: `This is no thread that can be imported: ${why}${line === null ? "" : ` (line ${line})`}. Nothing was changed.`
  })

interface Open {
  readonly parts: ReadonlyArray<Uint8Array>
  readonly length: number
  readonly total: number
  readonly lines: number
}

const decoder = new TextDecoder("utf-8", { fatal: true })

const textOf = ({ lines, parts }: Open) =>
  Effect.try({
    try: () => decoder.decode(parts.length === 1 ? parts[0] : joined(parts)),
    catch: () => invalid("it is not text", lines)
  })

/** Whole lines, none of them longer than a line can be. What comes after the last line's end is no line. */
export const linesOf = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>
): Stream.Stream<string, E | InvalidBundle, R> =>
  bytes.pipe(
    Stream.mapAccumEffect(
      (): Open => ({ parts: [], length: 0, total: 0, lines: 1 }),
      (open, chunk) =>
        Effect.gen(function* () {
          const found: Array<string> = []
          let { length, lines, parts } = open
          let rest = chunk
          for (;;) {
            const end = rest.indexOf(10)
            const part = end < 0 ? rest : rest.subarray(0, end)
            length += part.length
            if (length > longestLine) return yield* invalid("a line is too long", lines)
            parts = [...parts, part]
            if (end < 0) break
            found.push(yield* textOf({ ...open, parts, lines }))
            rest = rest.subarray(end + 1)
            parts = []
            length = 0
            lines++
          }
          const total = open.total + chunk.length
          if (total > largestBundle) return yield* invalid("it is too large", null)
          return [{ parts, length, total, lines }, found] as const
        })
    )
  )

const decodeLine = Schema.decodeUnknownResult(Schema.fromJsonString(Line))
const isFormat = Schema.is(Schema.fromJsonString(Format))
const decodeFormat = Schema.decodeUnknownResult(Schema.fromJsonString(Format))

/** What a line says; the first one may be of another version, which is told. */
export const parseLine = (text: string, at: number): Result.Result<Line, InvalidBundle> => {
  const line = decodeLine(text)
  if (Result.isSuccess(line)) return Result.succeed(line.success)
  const format = decodeFormat(text)
  if (Result.isSuccess(format) && format.success.version !== version) {
    return Result.fail(
      invalid(`it is of version ${format.success.version}, and this server knows ${version}`, at)
    )
  }
  return Result.fail(
    invalid(at === 1 && !isFormat(text) ? "it does not begin as one" : "a line cannot be read", at)
  )
}
