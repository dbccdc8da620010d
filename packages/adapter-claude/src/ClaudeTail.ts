import { endOf, type FileEnd, type FileTail, makeFileTail } from "@rejoin/agent-kit/FileTail"
import type { MessageId } from "@rejoin/contracts/Ids"
import { Effect, type FileSystem, Option, Semaphore } from "effect"
import { type ClaudeTranscript, type ClaudeTranscripts, parseLine, promptOf } from "./ClaudeTranscripts.ts"

/** A transcript with where it ended when it was read. */
export interface Read {
  readonly path: string
  readonly end: FileEnd
  readonly transcript: ClaudeTranscript
}

/** Undefined where there is none yet, or which it is cannot be told. */
export const readWhole = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  transcripts: ClaudeTranscripts,
  sessionId: string
) {
  const [path, ...more] = yield* transcripts.find(sessionId)
  if (path === undefined || more.length > 0) return undefined
  const end = yield* endOf(fs, path)
  const read: Read = { path, end, transcript: yield* transcripts.read(path, end.size) }
  return read
})

/**
 * What a live session's transcript got since it was last read: so that neither the next turn nor the read-back of a
 * message costs what the history is long. Claude has no lock; what somebody else wrote is noticed here, and is a doubt.
 */
export const makeClaudeTail = (
  fs: FileSystem.FileSystem,
  transcripts: ClaudeTranscripts,
  sessionId: string
) => {
  const alone = Semaphore.makeUnsafe(1)
  /** All messages of this session, and those of them that were not seen in the transcript yet. */
  const own = new Set<string>()
  const sent = new Set<string>()
  /** Ours that were seen in it since somebody asked for the newest mark, and that one. */
  let seen = new Set<string | null>()
  let tail: FileTail | undefined

  /** From its end on it is read by what is new; `known` is in what was read of it. */
  const follow = ({ end, path }: Pick<Read, "end" | "path">, known: string | null) => {
    tail = makeFileTail(fs, path, end)
    seen = new Set([known])
    if (known !== null) sent.delete(known)
  }

  /** Where nothing is known of it: it is read as a whole, once. */
  const begin = Effect.fnUntraced(function* (known: string) {
    const read = yield* readWhole(fs, transcripts, sessionId)
    if (read === undefined || !read.transcript.contains(known)) return false
    follow(read, known)
    return true
  })

  /** Reads what is new. What is not of this session's own doing leaves nothing known. */
  const go = Effect.fnUntraced(function* (from: FileTail) {
    const lines = Option.getOrUndefined(yield* from.next)
    for (const text of lines ?? []) {
      const line = parseLine(text)
      if (line === undefined) continue
      const prompt = promptOf(line)
      if (prompt !== undefined && sent.delete(prompt)) seen.add(prompt)
      // Another's message; or the session went to a place of Claude's own, where it will be started from now on.
      else if (prompt !== undefined || line.type === "worktree-state") tail = undefined
    }
    if (lines === undefined) tail = undefined
  })

  return {
    follow,
    /** From now on it may be in the transcript, and is ours. */
    sending: (messageId: string) => {
      own.add(messageId)
      sent.add(messageId)
    },
    isOwn: (messageId: string) => own.has(messageId),
    /** Whether the message is in the transcript by now. */
    keeps: (messageId: string) =>
      alone.withPermit(
        Effect.gen(function* () {
          if (tail === undefined) return yield* begin(messageId)
          yield* go(tail)
          return !sent.has(messageId)
        }).pipe(Effect.orElseSucceed(() => false))
      ),
    /** Whether nobody but us has said anything in it, up to our mark. */
    isOurs: (mark: MessageId | null) =>
      alone.withPermit(
        Effect.gen(function* () {
          if (tail !== undefined) yield* go(tail)
          if (tail === undefined || !seen.has(mark)) return false
          seen = new Set([mark])
          return true
        }).pipe(Effect.orElseSucceed(() => false))
      )
  }
}

export type ClaudeTail = ReturnType<typeof makeClaudeTail>
