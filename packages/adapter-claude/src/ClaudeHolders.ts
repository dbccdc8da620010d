import { Effect, type FileSystem, Option, Schema } from "effect"

const Holder = Schema.fromJsonString(
  Schema.Struct({
    pid: Schema.Int,
    sessionId: Schema.String,
    procStart: Schema.optional(Schema.Union([Schema.String, Schema.Finite]))
  })
)
const decode = Schema.decodeUnknownOption(Holder)

/**
 * The processes that work on sessions now, as they tell it in `sessions/<pid>.json`. Claude has no lock: two that
 * resume one session both succeed, and one branch is lost. A file that a kill left behind does not count: its
 * process is gone, or another one has its number.
 */
export const holdings = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, config: string, of?: string) {
  const names = yield* fs.readDirectory(`${config}/sessions`).pipe(Effect.orElseSucceed(() => []))
  const found: Array<typeof Holder.Type> = []
  for (const name of names.filter((name) => name.endsWith(".json"))) {
    const text = yield* Effect.option(fs.readFileString(`${config}/sessions/${name}`))
    const holder = Option.getOrUndefined(Option.flatMap(text, decode))
    if (holder === undefined || (of !== undefined && holder.sessionId !== of)) continue
    const started = yield* startOf(fs, holder.pid)
    const same = holder.procStart === undefined || String(holder.procStart) === started
    if (started !== undefined && same) found.push(holder)
  }
  return found
})

/** Those that work on one session. */
export const holdersOf = (fs: FileSystem.FileSystem, config: string, sessionId: string) =>
  Effect.map(holdings(fs, config, sessionId), (found) => found.map(({ pid }) => pid))

/**
 * When the process started, in clock ticks since boot: field 22 of its stat, whose second may have blanks in it. One
 * that is dead and only waits for its parent to look holds nothing.
 */
const startOf = (fs: FileSystem.FileSystem, pid: number) =>
  fs.readFileString(`/proc/${pid}/stat`).pipe(
    Effect.map((stat) => {
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
      return fields[0] === "Z" ? undefined : fields[19]
    }),
    Effect.orElseSucceed(() => undefined)
  )
