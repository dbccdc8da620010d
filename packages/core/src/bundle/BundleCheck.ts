import type { ItemId, TurnId } from "@rejoin/contracts/Ids"
import { isSettled } from "@rejoin/contracts/Turn"
import { Effect } from "effect"
import { sha256 } from "../Sha256.ts"
import type { TranscriptHead } from "../store/TranscriptStore.ts"
import { hashOf, noHash } from "../transcripts/TranscriptPieces.ts"
import type { Header, Line } from "./Bundle.ts"
import { chained } from "./BundleWriting.ts"

/** Ids become parts of names of files, and of arguments of programs. */
const isId = (id: string) => /^[A-Za-z0-9][\w.:~-]*$/.test(id) && !id.includes("..")
const isIdOrNull = (id: string | null) => id === null || isId(id)

/** The order of a bundle's lines, by what may come next. */
const next: Readonly<Record<Line["kind"], ReadonlyArray<Line["kind"]>>> = {
  header: ["turn", "item", "receipt", "lineage", "transcript", "end"],
  turn: ["turn", "blob", "item", "receipt", "lineage", "transcript", "end"],
  blob: ["turn", "blob", "item", "receipt", "lineage", "transcript", "end"],
  item: ["item", "receipt", "lineage", "transcript", "end"],
  receipt: ["receipt", "lineage", "transcript", "end"],
  lineage: ["lineage", "transcript", "end"],
  transcript: ["piece", "end"],
  piece: ["piece", "end"],
  end: []
}

interface Limits {
  readonly transcriptBytes: number
  /** Whether the record of that session can have a file of this name. */
  readonly isRecord: (driver: string, file: string, sessionId: string) => boolean
}

/** What must hold of one bundle, line after line. Holds ids and sums, and never what they are of. */
export class BundleCheck {
  private last: Line["kind"] | undefined
  private lines = 0
  private hash = ""
  private readonly items = new Set<ItemId>()
  private readonly receipts = new Set<string>()
  private readonly sizes = new Map<string, number>()
  private pieces = { hash: noHash, bytes: 0 }
  readonly turns = new Set<TurnId>()
  header: Header | undefined
  transcript: TranscriptHead | undefined

  private readonly limits: Limits

  constructor(limits: Limits) {
    this.limits = limits
  }

  get isWhole(): boolean {
    return this.last === "end"
  }

  /** Why this line cannot stand here; undefined where it can. `text` is the line as it came. */
  take(line: Line, text: string): Effect.Effect<string | undefined> {
    return Effect.gen({ self: this }, function* () {
      const allowed = this.last === undefined ? ["header"] : next[this.last]
      if (!allowed.includes(line.kind)) return `a line of the kind ${line.kind} cannot stand here`
      const wrong = line.kind === "end" ? this.end(line) : yield* this.content(line)
      if (wrong !== undefined) return wrong
      this.last = line.kind
      this.lines++
      this.hash = yield* chained(this.hash, text)
      return undefined
    })
  }

  private end({ hash, lines, threadId }: Extract<Line, { readonly kind: "end" }>): string | undefined {
    if (threadId !== this.header?.thread.id) return "it ends as another thread than it begins"
    if (lines !== this.lines) return `${lines} lines were written, and ${this.lines} are here`
    if (hash !== this.hash) return "it is not what was exported: its hash is another one"
    const { transcript } = this
    if (transcript === undefined) return undefined
    if (transcript.bytes !== this.pieces.bytes || transcript.hash !== this.pieces.hash)
      return "the agent's own record is not what was copied"
    return undefined
  }

  private content(line: Exclude<Line, { readonly kind: "end" }>): Effect.Effect<string | undefined> {
    switch (line.kind) {
      case "header":
        return Effect.sync(() => this.begin(line))
      case "turn":
        return Effect.sync(() => this.turn(line.turn))
      case "blob":
        return Effect.map(sha256(line.data), (hash) => {
          if (!this.turns.has(line.turnId)) return "an attachment of a turn that is not here"
          return hash === line.hash ? undefined : "an attachment is not what was sent"
        })
      case "item":
        return Effect.sync(() => {
          if (this.items.has(line.item.id)) return `the item ${line.item.id} is there twice`
          if (!this.turns.has(line.item.turnId)) return "an item of a turn that is not here"
          this.items.add(line.item.id)
          return undefined
        })
      case "receipt":
        return Effect.sync(() => {
          const { id, threadId } = line.receipt
          if (threadId !== this.header?.thread.id) return "a receipt of another thread"
          if (!isId(id) || this.receipts.has(id)) return "a receipt that cannot be told from another"
          this.receipts.add(id)
          return undefined
        })
      case "lineage":
        return Effect.succeed(
          line.entry.threadId === this.header?.thread.id ? undefined : "a session of another thread"
        )
      case "transcript":
        return Effect.sync(() => this.begins(line.head))
      case "piece":
        return this.piece(line)
    }
  }

  private begin(header: Header): string | undefined {
    const { session, thread } = header
    this.header = header
    if (!/^thr_[0-9a-z]{1,60}$/.test(thread.id)) return "this is no id of a thread"
    if (!isIdOrNull(session.providerSessionId) || !isIdOrNull(session.mark))
      return "this is no id of a session"
    if (thread.forkedFrom !== undefined && session.providerSessionId === null)
      return "it is a fork without a session of its own"
    return undefined
  }

  private turn(turn: Extract<Line, { readonly kind: "turn" }>["turn"]): string | undefined {
    if (turn.threadId !== this.header?.thread.id) return "a turn of another thread"
    if (!isId(turn.id) || !isIdOrNull(turn.messageId)) return "this is no id of a turn"
    if (this.turns.has(turn.id)) return `the turn ${turn.id} is there twice`
    if (!isSettled(turn.status)) return `the turn ${turn.id} has not ended`
    this.turns.add(turn.id)
    return undefined
  }

  private begins(head: TranscriptHead): string | undefined {
    const { session, thread } = this.header ?? {}
    if (head.threadId !== thread?.id || head.driver !== thread.driver) return "the record of another thread"
    if (head.providerSessionId !== session?.providerSessionId) return "the record of another session"
    if (head.upToTurnId !== null && !this.turns.has(head.upToTurnId))
      return "the record goes up to a turn that is not here"
    if (head.bytes > this.limits.transcriptBytes)
      return `the agent's own record is larger (${head.bytes} bytes) than transcripts.maxMegabytes allows here`
    this.transcript = head
    return undefined
  }

  private piece(piece: Extract<Line, { readonly kind: "piece" }>): Effect.Effect<string | undefined> {
    return Effect.gen({ self: this }, function* () {
      const { data, file, from } = piece
      const { driver = "", providerSessionId = "" } = this.transcript ?? {}
      if (!this.limits.isRecord(driver, file, providerSessionId))
        return `an agent's record has no file ${JSON.stringify(file.slice(0, 200))}`
      if (from !== 0 && from !== this.sizes.get(file)) return `a piece of ${file} is missing`
      this.sizes.set(file, from + data.length)
      const bytes = this.pieces.bytes + data.length
      if (bytes > (this.transcript?.bytes ?? 0)) return "the agent's own record is longer than it says"
      this.pieces = { bytes, hash: yield* hashOf(this.pieces.hash, [piece]) }
      return undefined
    })
  }
}
