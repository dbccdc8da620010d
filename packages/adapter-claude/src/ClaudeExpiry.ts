import { DateTime, Effect, type FileSystem, Option, Schema } from "effect"
import type { ClaudeTranscripts } from "./ClaudeTranscripts.ts"

const day = 86_400_000

const Settings = Schema.fromJsonString(
  Schema.Struct({ cleanupPeriodDays: Schema.optional(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))) })
)
const decodeSettings = Schema.decodeUnknownOption(Settings)

export interface ClaudeExpiry {
  /** For how long a conversation was not used, and after how long of that Claude deletes it; in days. */
  readonly of: (
    id: string
  ) => Effect.Effect<Option.Option<{ readonly unused: number; readonly days: number }>>
  /** In ms since the epoch. */
  readonly at: (id: string) => Effect.Effect<Option.Option<number>>
  /** Touches the transcript: its time is all that Claude goes by. */
  readonly renew: (id: string) => Effect.Effect<void, { readonly message: string }>
}

/**
 * When Claude deletes a conversation: 30 days after its file was last touched, or what the user's settings say
 * (docs/providers/claude.md: Resume). Not every place of those settings is looked at: a project may have its own.
 */
export const makeExpiry = (
  fs: FileSystem.FileSystem,
  config: string,
  transcripts: ClaudeTranscripts
): ClaudeExpiry => {
  const period = fs.readFileString(`${config}/settings.json`).pipe(
    Effect.map((text) => Option.getOrUndefined(decodeSettings(text))?.cleanupPeriodDays ?? 30),
    Effect.orElseSucceed(() => 30)
  )

  const usedAt = (id: string) =>
    Effect.gen(function* () {
      const [path] = yield* transcripts.find(id)
      return path === undefined ? Option.none<Date>() : (yield* fs.stat(path)).mtime
    }).pipe(Effect.orElseSucceed(() => Option.none<Date>()))

  return {
    of: Effect.fnUntraced(function* (id) {
      const used = yield* usedAt(id)
      const days = yield* period
      const now = DateTime.toEpochMillis(yield* DateTime.now)
      return Option.map(used, (at) => ({ unused: (now - at.getTime()) / day, days }))
    }),
    at: Effect.fnUntraced(function* (id) {
      const used = yield* usedAt(id)
      const days = yield* period
      return Option.map(used, (at) => at.getTime() + days * day)
    }),
    renew: Effect.fnUntraced(function* (id) {
      const now = DateTime.toDateUtc(yield* DateTime.now)
      for (const path of yield* transcripts.find(id)) yield* fs.utimes(path, now, now)
    })
  }
}
