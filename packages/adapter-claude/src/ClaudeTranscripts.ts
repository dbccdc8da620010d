import type { MessageId } from "@rejoin/contracts/Ids"
import { compareMark } from "@rejoin/core/plan/Mark"
import { Effect, type FileSystem, Option, Result, Schema, Stream } from "effect"

const Line = Schema.Struct({
  type: Schema.String,
  uuid: Schema.optional(Schema.String),
  parentUuid: Schema.optional(Schema.NullOr(Schema.String)),
  /** Across a compaction, whose first line has no parent. */
  logicalParentUuid: Schema.optional(Schema.NullOr(Schema.String)),
  isSidechain: Schema.optional(Schema.Boolean),
  promptSource: Schema.optional(Schema.String),
  turnAttributionKey: Schema.optional(Schema.String),
  attachment: Schema.optional(
    Schema.Struct({ type: Schema.String, source_uuid: Schema.optional(Schema.String) })
  ),
  worktreeSession: Schema.optional(
    Schema.NullOr(Schema.Struct({ worktreePath: Schema.optional(Schema.String) }))
  )
})
type Line = typeof Line.Type
const decodeLine = Schema.decodeUnknownOption(Line)

/** Undefined for what is no line of a transcript: Claude passes it over too. */
export const parseLine = (text: string): Line | undefined => {
  const json = Result.try(() => JSON.parse(text) as unknown)
  return Result.isSuccess(json) ? Option.getOrUndefined(decodeLine(json.success)) : undefined
}

/** A message of the user's as a line has it: a prompt, or one that was steered into a running turn. */
export const promptOf = (line: Line): string | undefined => {
  const { attachment, promptSource, turnAttributionKey, type, uuid } = line
  if (attachment?.type === "queued_command") return attachment.source_uuid
  // A slash command has no source; it begins its turn all the same.
  const begins = promptSource !== undefined || (uuid !== undefined && turnAttributionKey === uuid)
  return type === "user" && begins ? uuid : undefined
}

/** A transcript as it was read. */
export class ClaudeTranscript {
  readonly path: string
  private readonly lines: ReadonlyArray<Line>
  /** The lines that the model sees: from the last one back to the root. Branches that were left are not among them. */
  private readonly chain: ReadonlyArray<Line>

  constructor(path: string, lines: ReadonlyArray<Line>) {
    this.path = path
    this.lines = lines
    const byId = new Map(this.lines.flatMap((line) => (line.uuid === undefined ? [] : [[line.uuid, line]])))
    const chain: Array<Line> = []
    const seen = new Set<string>()
    let at = this.lines.findLast(({ isSidechain, uuid }) => uuid !== undefined && isSidechain !== true)
    while (at?.uuid !== undefined && !seen.has(at.uuid)) {
      seen.add(at.uuid)
      chain.push(at)
      at = byId.get(at.parentUuid ?? at.logicalParentUuid ?? "")
    }
    this.chain = chain.reverse()
  }

  /** The ids of the lines that the model sees, oldest first. */
  get order(): ReadonlyArray<string> {
    return this.chain.flatMap(({ uuid }) => uuid ?? [])
  }

  get isEmpty(): boolean {
    return this.chain.length === 0
  }

  /** The worktree of Claude's own to which the session changes wherever it is started. */
  get worktree(): string | undefined {
    return this.lines.findLast(({ type }) => type === "worktree-state")?.worktreeSession?.worktreePath
  }

  contains(message: string): boolean {
    return this.lines.some((line) => promptOf(line) === message)
  }

  /** Our mark against what the model sees of the history. */
  compare(mark: MessageId | null): ReturnType<typeof compareMark> {
    const prompts = this.chain.map(promptOf).filter((prompt) => prompt !== undefined)
    const found = compareMark(prompts, mark)
    // On a branch that was left.
    const left = found.history === "behind" && mark !== null && this.contains(mark)
    return left ? { history: "diverged", ahead: 0 } : found
  }

  /** The prompts after our mark; none where that is not there. */
  after(mark: MessageId): ReadonlyArray<string> {
    const prompts = this.chain.map(promptOf).filter((prompt) => prompt !== undefined)
    const at = prompts.lastIndexOf(mark)
    return at < 0 ? [] : prompts.slice(at + 1)
  }

  /** The last line, where that is an answer: up to there a fork of the whole keeps. */
  get end(): string | undefined {
    const last = this.chain.findLast(({ type }) => type === "user" || type === "assistant")
    return last?.type === "assistant" ? last.uuid : undefined
  }

  /** The last line before this message: up to there a fork keeps, if it keeps what came before the message. */
  before(message: MessageId): string | undefined {
    const at = this.chain.findIndex((line) => promptOf(line) === message)
    return this.chain
      .slice(0, Math.max(at, 0))
      .findLast(({ type }) => type === "user" || type === "assistant")?.uuid
  }
}

/** Its transcript, and what stands beside that in a directory of its name. */
export const isRecord = (file: string, providerSessionId: string): boolean => {
  const [projects, slug, own, ...rest] = file.split("/")
  if (projects !== "projects" || slug === undefined || !/^[\w-]+$/.test(slug)) return false
  if (rest.length === 0) return own === `${providerSessionId}.jsonl`
  return own === providerSessionId && rest.every((part) => /^\w[\w.-]*$/.test(part))
}

/** The transcripts of a configuration directory: `projects/<slug>/<id>.jsonl`; the slug is not told by the id. */
export const makeTranscripts = (fs: FileSystem.FileSystem, config: string) => {
  const projects = `${config}/projects`

  /**
   * All files of this id. More than one, and which is meant cannot be told. Only what is said not to be there is
   * absent: a directory that cannot be read proves nothing (law 2).
   */
  const find = Effect.fnUntraced(function* (id: string) {
    const slugs = yield* fs.readDirectory(projects).pipe(
      Effect.catchIf(
        ({ reason }) => reason._tag === "NotFound",
        () => Effect.succeed<Array<string>>([])
      )
    )
    const paths = slugs.map((slug) => `${projects}/${slug}/${id}.jsonl`)
    return yield* Effect.filter(paths, fs.exists)
  })

  /** Up to `bytes`, or to its end. A long one is read in pieces, between which others have their turn. */
  const read = Effect.fnUntraced(function* (path: string, bytes?: number) {
    const lines: Array<Line> = []
    yield* fs
      .stream(path, { chunkSize: 256 * 1024, ...(bytes !== undefined && { bytesToRead: bytes }) })
      .pipe(
        Stream.decodeText(),
        Stream.splitLines,
        Stream.runForEachArray((texts) =>
          Effect.andThen(
            Effect.sync(() => {
              for (const text of texts) {
                const line = text === "" ? undefined : parseLine(text)
                if (line !== undefined) lines.push(line)
              }
            }),
            Effect.yieldNow
          )
        )
      )
    return new ClaudeTranscript(path, lines)
  })

  /** What Claude keeps beside a transcript, in a directory of its name: what sub-agents did, and long results. */
  const beside = Effect.fnUntraced(function* (path: string) {
    const directory = path.replace(/\.jsonl$/, "")
    const names = yield* Effect.orElseSucceed(fs.readDirectory(directory, { recursive: true }), () => [])
    const files = names.map((name) => `${directory}/${name}`)
    return yield* Effect.filter(files, (file) =>
      fs.stat(file).pipe(
        Effect.map(({ type }) => type === "File"),
        Effect.orElseSucceed(() => false)
      )
    )
  })

  return { find, read, beside }
}

export type ClaudeTranscripts = ReturnType<typeof makeTranscripts>
