import type { MessageId } from "@rejoin/contracts/Ids"
import { compareMark } from "@rejoin/core/plan/Mark"
import { Effect, type FileSystem, Option, Result, Schema } from "effect"

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

/** A message of the user's as a line has it: a prompt, or one that was steered into a running turn. */
const promptOf = (line: Line): string | undefined => {
  const { attachment, promptSource, turnAttributionKey, type, uuid } = line
  if (attachment?.type === "queued_command") return attachment.source_uuid
  // A slash command has no source; it begins its turn all the same.
  const begins = promptSource !== undefined || (uuid !== undefined && turnAttributionKey === uuid)
  return type === "user" && begins ? uuid : undefined
}

/** A transcript as it was read. Lines that are no JSON are passed over, as Claude does itself. */
export class ClaudeTranscript {
  readonly path: string
  private readonly lines: ReadonlyArray<Line>
  /** The lines that the model sees: from the last one back to the root. Branches that were left are not among them. */
  private readonly chain: ReadonlyArray<Line>

  constructor(path: string, text: string) {
    this.path = path
    this.lines = text.split("\n").flatMap((line) => {
      if (line === "") return []
      const json = Result.try(() => JSON.parse(line) as unknown)
      return Result.isSuccess(json) ? Option.toArray(decodeLine(json.success)) : []
    })
    const byId = new Map(this.lines.flatMap((line) => (line.uuid === undefined ? [] : [[line.uuid, line]])))
    const chain: Array<Line> = []
    const seen = new Set<string>()
    let at = this.lines.findLast(({ isSidechain, uuid }) => uuid !== undefined && isSidechain !== true)
    while (at?.uuid !== undefined && !seen.has(at.uuid)) {
      seen.add(at.uuid)
      chain.unshift(at)
      at = byId.get(at.parentUuid ?? at.logicalParentUuid ?? "")
    }
    this.chain = chain
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

  const read = (path: string) =>
    Effect.map(fs.readFileString(path), (text) => new ClaudeTranscript(path, text))

  return { find, read }
}

export type ClaudeTranscripts = ReturnType<typeof makeTranscripts>
