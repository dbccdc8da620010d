import { Option, Schema } from "effect"

/** The last message of each channel that is ours; and what was the newest there could be when we last listened. */
const Cursor = Schema.Struct({
  ready: Schema.NullOr(Schema.String),
  channels: Schema.Record(Schema.String, Schema.String)
})
type Cursor = typeof Cursor.Type

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Cursor))

// https://discord.com/developers/docs/reference#snowflakes
const epoch = 1_420_070_400_000n

/** The smallest id that a message of this moment can have. */
export const snowflakeAt = (ms: number): string => String((BigInt(ms) - epoch) << 22n)

/** So many are remembered. */
const channelsAtMost = 10_000

const isLater = (a: string, b: string) => BigInt(a) > BigInt(b)

export const makeCursor = (stored: string | null) => {
  const { channels, ready } = Option.getOrElse(
    stored === null ? Option.none() : decode(stored),
    (): Cursor => ({ ready: null, channels: {} })
  )
  const last = new Map(Object.entries(channels))
  let listened = ready
  return {
    /** After which message of a channel to look for what was missed; none where we never listened. */
    after: (channel: string): string | undefined => last.get(channel) ?? listened ?? undefined,
    seen: (channel: string, message: string) => {
      const before = last.get(channel)
      if (before !== undefined && !isLater(message, before)) return
      last.set(channel, message)
      if (last.size > channelsAtMost) last.delete([...last.keys()][0] ?? "")
    },
    listening: (ms: number) => void (listened = snowflakeAt(ms)),
    /** Only of channels in which we listen: in the others anybody may write. */
    text: (isWanted: (channel: string) => boolean): string =>
      JSON.stringify({
        ready: listened,
        channels: Object.fromEntries([...last].filter(([channel]) => isWanted(channel)))
      } satisfies Cursor)
  }
}
