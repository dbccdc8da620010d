import type { MessageId } from "@rejoin/contracts/Ids"
import { compareMark } from "@rejoin/core/plan/Mark"
import { rolloutPathOf } from "./CodexIndex.ts"
import { DateTime, Effect, type FileSystem, Option, Result, Schema, Stream } from "effect"

const Line = Schema.Struct({ type: Schema.String, payload: Schema.Unknown })
const Meta = Schema.Struct({
  id: Schema.String,
  forked_from_id: Schema.optional(Schema.NullOr(Schema.String)),
  thread_source: Schema.optional(Schema.NullOr(Schema.String)),
  history_base: Schema.optional(
    Schema.NullOr(Schema.Struct({ thread_id: Schema.String, end_byte_offset: Schema.Finite }))
  )
})
const UserMessage = Schema.Struct({
  type: Schema.Literal("item_completed"),
  turn_id: Schema.String,
  item: Schema.Struct({
    type: Schema.Literal("UserMessage"),
    id: Schema.optional(Schema.String),
    client_id: Schema.optional(Schema.NullOr(Schema.String))
  })
})
const Begun = Schema.Struct({ type: Schema.Literals(["task_started", "turn_started"]) })

const dayMillis = 86_400_000

const decodeLine = Schema.decodeUnknownOption(Line)
const decodeMeta = Schema.decodeUnknownOption(Meta)
const decodeMessage = Schema.decodeUnknownOption(UserMessage)
const isBegun = Schema.is(Begun)

/** A message of a user's: by our id, where it is ours, else by the one that Codex gave it. */
export interface RolloutMessage {
  readonly clientId: string | null
  readonly turnId: string
}

/** A thread's own file, as it was read. */
export interface Rollout {
  readonly path: string
  readonly meta: typeof Meta.Type | undefined
  readonly messages: ReadonlyArray<RolloutMessage>
  /** Lines that are no JSON: Codex passes them over in silence, and its model does not see them. */
  readonly unreadable: number
  /** The last turn began and no message of it was written: whether one had arrived is not told. */
  readonly openEnded: boolean
}

const parse = (path: string, text: string): Rollout => {
  const messages: Array<RolloutMessage> = []
  let meta: typeof Meta.Type | undefined
  let unreadable = 0
  let openEnded = false
  for (const line of text.split("\n")) {
    if (line === "") continue
    const json = Result.try(() => JSON.parse(line) as unknown)
    const decoded = Result.isSuccess(json) ? decodeLine(json.success) : Option.none()
    if (Option.isNone(decoded)) {
      unreadable++
      continue
    }
    const { payload, type } = decoded.value
    if (type === "session_meta") meta ??= Option.getOrUndefined(decodeMeta(payload))
    if (type !== "event_msg") continue
    if (isBegun(payload)) openEnded = true
    const message = decodeMessage(payload)
    if (Option.isNone(message)) continue
    openEnded = false
    const { client_id, id } = message.value.item
    messages.push({ clientId: client_id ?? id ?? null, turnId: message.value.turn_id })
  }
  return { path, meta, messages, unreadable, openEnded }
}

/** A conversation over all the files that it is in: a fork begins in its parent's. */
export interface CodexConversation {
  readonly rollout: Rollout
  /** Oldest first. */
  readonly messages: ReadonlyArray<RolloutMessage>
  readonly lineage: ReadonlyArray<string>
  /** A parent whose file is gone: the fork is lost with it. */
  readonly missing: string | undefined
}

/** Our mark against a conversation; one that cannot be read tells nothing. */
export const markIn = (conversation: Option.Option<CodexConversation>, mark: MessageId | null) =>
  Option.match(conversation, {
    onNone: () => compareMark([], null),
    onSome: ({ messages }) =>
      compareMark(
        messages.map(({ clientId }) => clientId),
        mark
      )
  })

/** A rollout of its own, or of a thread that it goes on from. */
export const isRecord = (file: string): boolean =>
  /^(?:sessions\/\d{4}\/\d{2}\/\d{2}|archived_sessions)\/rollout-\w[\w-]*\.jsonl(?:\.zst)?$/.test(file)

/** The rollouts of a CODEX_HOME: `sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl`, and those that were archived. */
export const makeRollouts = (fs: FileSystem.FileSystem, home: string) => {
  /** Only what is said not to be there is absent: a directory that cannot be read proves nothing (law 2). */
  const listed = (directory: string) =>
    fs.readDirectory(directory, { recursive: true }).pipe(
      Effect.catchIf(
        ({ reason }) => reason._tag === "NotFound",
        () => Effect.succeed<Array<string>>([])
      )
    )

  const named = Effect.fnUntraced(function* (name: RegExp) {
    const found: Array<string> = []
    for (const root of ["sessions", "archived_sessions"]) {
      const names = yield* listed(`${home}/${root}`)
      found.push(...names.filter((one) => name.test(one)).map((one) => `${home}/${root}/${one}`))
    }
    return found
  })

  /** All files of a thread: each time that its user rewinds it, it goes on in another, `…-<id>_<part>.jsonl`. */
  const find = (id: string) => named(new RegExp(`-${id}(_[0-9a-f-]{36})?\\.jsonl(\\.zst)?$`))

  /** The one file that a `history_base` means, which names a part, or a thread that was not rewound. */
  const baseOf = (id: string) =>
    Effect.map(named(new RegExp(`[-_]${id}\\.jsonl(\\.zst)?$`)), ([file]) => file)

  /**
   * Where Codex's own index has the thread's file: then it need not be looked for among thousands of others, and of
   * two files of a thread that was rewound it is the one that counts.
   */
  const located = Effect.fnUntraced(function* (id: string) {
    const row = yield* rolloutPathOf(fs, home, id)
    const rowHolds = row !== null && (yield* fs.exists(row))
    return { row, rowHolds, files: rowHolds ? [row] : yield* find(id) }
  })

  const read = Effect.fnUntraced(function* (path: string, bytes?: number) {
    const whole = yield* fs.readFile(path)
    return parse(path, new TextDecoder().decode(bytes === undefined ? whole : whole.slice(0, bytes)))
  })

  /** None where the file is packed: what is in it is not told. */
  const conversation = Effect.fnUntraced(function* (path: string) {
    if (path.endsWith(".zst")) return Option.none<CodexConversation>()
    const rollout = yield* read(path)
    const lineage: Array<string> = []
    const seen = new Set([path])
    let messages = rollout.messages
    let base = rollout.meta?.history_base ?? undefined
    let missing: string | undefined
    while (base !== undefined && seen.size < 100) {
      const { end_byte_offset, thread_id } = base
      const parent = yield* baseOf(thread_id)
      if (parent === undefined || seen.has(parent)) {
        missing = thread_id
        break
      }
      seen.add(parent)
      if (parent.endsWith(".zst")) return Option.none<CodexConversation>()
      const earlier = yield* read(parent, end_byte_offset)
      const from = earlier.meta?.id ?? thread_id
      if (from !== rollout.meta?.id && !lineage.includes(from)) lineage.push(from)
      messages = [...earlier.messages, ...messages]
      base = earlier.meta?.history_base ?? undefined
    }
    return Option.some<CodexConversation>({ rollout, messages, lineage, missing })
  })

  /**
   * Threads with this mark that were made in this time: what a start made that died before it could write down an id.
   * The mark is ours alone (`thread_source`), and goes with every thread that we make.
   */
  const marked = Effect.fnUntraced(function* (
    mark: string,
    window: { readonly from: number; readonly to: number }
  ) {
    const found: Array<string> = []
    // A day lies in a directory of its own; its name is of the local time.
    for (let day = window.from - dayMillis; day <= window.to + dayMillis; day += dayMillis) {
      const directory = `${home}/sessions/${DateTime.formatIsoDateUtc(DateTime.makeUnsafe(day)).replaceAll("-", "/")}`
      for (const name of yield* listed(directory)) {
        if (!name.endsWith(".jsonl")) continue
        const path = `${directory}/${name}`
        const { birthtime } = yield* fs.stat(path)
        const at = Option.getOrUndefined(birthtime)?.getTime() ?? 0
        if (at < window.from || at > window.to) continue
        const { meta } = yield* read(path)
        if (meta?.thread_source?.includes(mark) === true) found.push(meta.id)
      }
    }
    return found
  })

  /** What begins a file, without the rest of it. */
  const metaOf = Effect.fnUntraced(function* (path: string) {
    const head = yield* Stream.runCollect(fs.stream(path, { bytesToRead: 1024 * 1024 }))
    const [first = ""] = Buffer.concat(head).toString("utf8").split("\n", 1)
    return parse(path, first).meta
  })

  /** The file that a thread goes on in; undefined where there is none, or which it is cannot be told. */
  const ownFile = Effect.fnUntraced(function* (id: string) {
    const { files, row, rowHolds } = yield* located(id)
    return files.length > 1 && !rowHolds ? undefined : (files.find((file) => file === row) ?? files[0])
  })

  /** The files that a conversation is in: a thread's own, and its parents'. None where that is not told. */
  const filesOf = Effect.fnUntraced(function* (own: string) {
    const all = [own]
    for (let path = own; !path.endsWith(".zst");) {
      const base = (yield* metaOf(path))?.history_base
      if (base === undefined || base === null) break
      const parent = yield* baseOf(base.thread_id)
      if (parent === undefined || all.includes(parent)) return []
      all.push(parent)
      path = parent
    }
    return all
  })

  return { find, located, read, conversation, marked, ownFile, filesOf }
}

export type CodexRollouts = ReturnType<typeof makeRollouts>
