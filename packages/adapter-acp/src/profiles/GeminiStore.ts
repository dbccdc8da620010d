import { Effect, type FileSystem, Option, Schema } from "effect"
import { join } from "node:path"
import { type AcpRecord, type AcpStore, makeFolded, type Recorded, Unreadable } from "../AcpStore.ts"

const Message = Schema.Struct({
  id: Schema.String,
  type: Schema.String,
  content: Schema.optionalKey(Schema.Unknown)
})
const Line = Schema.Struct({
  sessionId: Schema.optionalKey(Schema.String),
  $set: Schema.optionalKey(Schema.Struct({ messages: Schema.optionalKey(Schema.Array(Message)) })),
  $rewindTo: Schema.optionalKey(Schema.String)
})
const decodeMessage = Schema.decodeUnknownOption(Message)
const decodeLine = Schema.decodeUnknownOption(Line)
const decodeParts = Schema.decodeUnknownOption(
  Schema.Array(Schema.Struct({ text: Schema.optionalKey(Schema.String) }))
)
const decodeProjects = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ projects: Schema.Record(Schema.String, Schema.String) }))
)

interface State {
  readonly sessionId: string | undefined
  /** What was said, also where it was dropped since. */
  readonly said: Map<string, Recorded>
  /** Of these the agent knows. */
  readonly known: Set<string>
  /** More than its last message went at once: an interrupted one is dropped alone. */
  readonly lost: boolean
}

const nothing = (): State => ({ sessionId: undefined, said: new Map(), known: new Set(), lost: false })

/** What its user said; results of tools and the agent's own words come under the same name. */
const userText = ({ content, type }: typeof Message.Type): string | undefined => {
  if (type !== "user") return undefined
  const parts = Option.getOrUndefined(decodeParts(content))
  const text = parts?.[0]?.text
  return text === undefined || text.startsWith("<session_context>")
    ? undefined
    : (parts ?? []).flatMap(({ text }) => (text === undefined ? [] : [text])).join("\n")
}

const withMessages = (state: State, messages: ReadonlyArray<typeof Message.Type>): State => {
  const { known, said } = state
  for (const message of messages) {
    const text = userText(message)
    if (text === undefined) continue
    if (!said.has(message.id)) said.set(message.id, { id: message.id, text })
    known.add(message.id)
  }
  return state
}

const fold = (state: State, raw: unknown): State => {
  const message = Option.getOrUndefined(decodeMessage(raw))
  if (message !== undefined) return withMessages(state, [message])
  const line = Option.getOrUndefined(decodeLine(raw))
  if (line === undefined) return state
  const { $rewindTo, $set, sessionId } = line
  if ($set?.messages !== undefined) {
    const next = withMessages({ ...state, known: new Set() }, $set.messages)
    const dropped = [...state.known].filter((id) => !next.known.has(id))
    return { ...next, lost: next.known.size > 0 ? false : state.lost || dropped.length > 1 }
  }
  if ($rewindTo !== undefined) {
    const ids = [...state.said.keys()]
    const at = ids.indexOf($rewindTo)
    return at < 0 ? state : { ...state, known: new Set(ids.slice(0, at)) }
  }
  return sessionId === undefined ? state : { ...state, sessionId }
}

const minuteOf = (name: string): string | undefined => /^session-(\d{4}-\d\d-\d\dT\d\d-\d\d)-/.exec(name)?.[1]

/**
 * `tmp/<project>/chats/session-<minute of UTC>-<first 8 of the id>.jsonl`. A load leaves an empty file of the same eight
 * characters, at whose sight the next start of Gemini in that project deletes them all: it is taken away before that.
 */
export const geminiStore = (
  fs: FileSystem.FileSystem,
  environment: Readonly<Record<string, string>>
): AcpStore => {
  const root = join(environment["GEMINI_CLI_HOME"] ?? environment["HOME"] ?? "", ".gemini")
  const folded = makeFolded<State>(fs, nothing, fold)
  const unreadable = ({ message }: { readonly message: string }) => new Unreadable({ message })

  const chatsOf = (cwd: string) =>
    fs.readFileString(join(root, "projects.json")).pipe(
      Effect.map((text) => Option.getOrUndefined(decodeProjects(text))?.projects[cwd]),
      Effect.orElseSucceed(() => undefined),
      Effect.map((slug) => (slug === undefined ? undefined : join("tmp", slug, "chats")))
    )
  const namesIn = (chats: string) =>
    fs.readDirectory(join(root, chats)).pipe(
      Effect.map((names) => names.filter((name) => minuteOf(name) !== undefined).sort()),
      Effect.orElseSucceed((): ReadonlyArray<string> => [])
    )

  /** The oldest of its name that is of this session: what loads left came later. */
  const find = Effect.fnUntraced(function* (id: string, cwd: string) {
    const chats = yield* chatsOf(cwd)
    if (chats === undefined) return Option.none()
    for (const name of yield* namesIn(chats)) {
      if (!name.endsWith(`-${id.slice(0, 8)}.jsonl`)) continue
      const file = join(chats, name)
      const state = yield* folded(join(root, file))
      if (state.sessionId === id) return Option.some({ file, name, state })
    }
    return Option.none()
  })

  return {
    root,
    prompt: true,
    read: (id, cwd) =>
      find(id, cwd).pipe(
        Effect.map((found) =>
          Option.map(found, ({ state: { known, lost, said } }): AcpRecord => {
            const isEmpty = said.size > 0 && known.size === 0
            return {
              messages: [...said.values()].map((message) => ({
                ...message,
                cwd,
                ...(!known.has(message.id) && { dropped: true })
              })),
              cwd,
              ...(isEmpty && { emptied: lost ? "lost" : "interrupted" })
            }
          })
        ),
        Effect.mapError(unreadable)
      ),
    files: (id, cwd) =>
      find(id, cwd).pipe(
        Effect.map(Option.match({ onNone: () => [], onSome: ({ file }) => [file] })),
        Effect.mapError(unreadable)
      ),
    isRecord: (file, id) =>
      /^tmp\/[\w.-]+\/chats\/session-[\dT-]+-[\da-f]{8}\.jsonl$/.test(file) &&
      file.endsWith(`-${id.slice(0, 8)}.jsonl`),
    // In the minute of its creation the empty file would have its name, and take its place.
    loadNotBefore: (id, cwd) =>
      find(id, cwd).pipe(
        Effect.map(
          Option.match({
            onNone: () => 0,
            onSome: ({ name }) => {
              const minute = (minuteOf(name) ?? "").replace(/T(\d\d)-(\d\d)$/, "T$1:$2:00Z")
              return Date.parse(minute) + 61_000
            }
          })
        ),
        Effect.orElseSucceed(() => 0)
      ),
    tidy: (cwd) =>
      Effect.gen(function* () {
        const chats = yield* chatsOf(cwd)
        if (chats === undefined) return
        const names = yield* namesIn(chats)
        for (const [at, name] of names.entries()) {
          const isLater = names.slice(0, at).some((before) => before.slice(-14) === name.slice(-14))
          if (!isLater) continue
          const path = join(root, chats, name)
          if ((yield* folded(path)).said.size === 0) yield* fs.remove(path, { force: true })
        }
      }).pipe(Effect.ignore),
    discard: (id, cwd) =>
      Effect.gen(function* () {
        const found = yield* find(id, cwd)
        if (Option.isSome(found) && found.value.state.said.size === 0)
          yield* fs.remove(join(root, found.value.file), { force: true })
      }).pipe(Effect.ignore)
  }
}
