import { Failure } from "@rejoin/contracts/Failure"
import { Item } from "@rejoin/contracts/Item"
import { Receipt } from "@rejoin/contracts/Receipt"
import { PendingRequest } from "@rejoin/contracts/Request"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import type { Moved, Thread } from "@rejoin/contracts/Thread"
import { type Turn, TurnStatus } from "@rejoin/contracts/Turn"
import { Option, Schema } from "effect"

/** What is shown of one thread. Events are applied to it in place: it is a draft of whoever shows it. */
export interface Conversation {
  readonly threadId: string
  /** What was said in the thread that this one is a fork of. */
  readonly inherited: ReadonlyArray<Item>
  /** The turn from which it is one. */
  readonly inheritedLast: { readonly threadId: string; readonly turnId: string } | undefined
  /** Of the last event that is in it. */
  seq: number
  items: Array<Draft<Item>>
  requests: Array<PendingRequest>
  /** Newest first. */
  receipts: Array<Receipt>
  /** Turns that wait, and how those that did not complete ended. */
  turns: Array<Waiting | Ended>
  /** The names of what was sent with a turn, by its id. */
  files: Record<string, ReadonlyArray<string>>
  notices: Array<Notice>
}

type Draft<A> = { -readonly [Key in keyof A]: A[Key] }

export interface Waiting {
  readonly id: string
  readonly state: "waiting" | "running"
  readonly input: string
  /** It waits for this time, and not for its turn. */
  readonly until?: string | undefined
  /** Nobody sent it: it goes on with what could not be ended. */
  readonly goesOn?: boolean | undefined
}
export interface Ended {
  readonly id: string
  readonly state: "failed" | "interrupted" | "withdrawn"
  readonly input: string
  readonly error: Failure | undefined
}

/** Something that the agent or the server tells beside the conversation. */
export interface Notice {
  readonly seq: number
  readonly text: string
  /** Of a turn that is tried again: what came of it is seen when it has ended. */
  readonly passing?: boolean
}

const decode = <S extends Schema.Decoder<unknown>>(schema: S) => {
  const option = Schema.decodeUnknownOption(schema)
  return (data: unknown) => Option.getOrUndefined(option(data))
}
const withItem = decode(Schema.Struct({ item: Item }))
const withDelta = decode(Schema.Struct({ delta: Schema.String, field: Schema.Literals(["text", "output"]) }))
const withRequest = decode(Schema.Struct({ request: PendingRequest }))
const withReceipt = decode(Schema.Struct({ receipt: Receipt }))
const withError = decode(Schema.Struct({ error: Failure }))
const withInput = decode(Schema.Struct({ input: Schema.String }))
const withStatus = decode(Schema.Struct({ status: TurnStatus }))
const withNotBefore = decode(Schema.Struct({ notBefore: Schema.String }))
const withContinues = decode(Schema.Struct({ continues: Schema.Unknown }))
const withWithdrawn = decode(Schema.Struct({ withdrawn: Schema.Literal(true) }))
const withBefore = decode(Schema.Struct({ before: Schema.String }))
const withFiles = decode(Schema.Struct({ attachments: Schema.Array(Schema.Struct({ name: Schema.String })) }))
const withMessage = decode(Schema.Struct({ message: Schema.String }))
const withRetry = decode(Schema.Struct({ retry: Schema.Finite }))
const withUndone = decode(Schema.Struct({ undone: Schema.Array(Schema.String) }))
const withId = decode(Schema.Struct({ id: Schema.String }))

const put = <A extends { readonly id: string }>(list: Array<A>, value: A, where: "first" | "last") => {
  const at = list.findIndex(({ id }) => id === value.id)
  if (at >= 0) list[at] = value
  else if (where === "first") list.unshift(value)
  else list.push(value)
}

/** What is shown stays where it is and is changed: put in its place anew, it would be drawn anew under a reader. */
const renew = (items: Array<Draft<Item>>, item: Item) => {
  const known: Draft<Item> | undefined = items.find(({ id }) => id === item.id)
  if (known === undefined) return items.push(item)
  for (const key of Object.keys(known) as Array<keyof Item>) if (!(key in item)) delete known[key as "text"]
  return Object.assign(known, item)
}

const without = <A extends { readonly id: string }>(list: Array<A>, id: string | undefined) => {
  const at = list.findIndex((value) => value.id === id)
  if (at >= 0) list.splice(at, 1)
}

/** The turns of a thread that are worth showing beside its items. */
export const turnsOf = (turns: ReadonlyArray<Turn>): Array<Waiting | Ended> =>
  turns.flatMap((turn): ReadonlyArray<Waiting | Ended> => {
    const { error, id, input, status } = turn
    if (status === "completed") return []
    const isWithdrawn = status === "interrupted" && turn.startedAt === undefined && error === undefined
    if (isWithdrawn) return [{ id, state: "withdrawn", input, error }]
    if (status === "failed" || status === "interrupted") return [{ id, state: status, input, error }]
    const until = status === "deferred" ? turn.notBefore : undefined
    const goesOn = turn.continues !== undefined
    return [{ id, state: status === "running" ? "running" : "waiting", input, until, goesOn }]
  })

/** What was sent with each of them. */
export const filesOf = (turns: ReadonlyArray<Turn>): Record<string, ReadonlyArray<string>> =>
  Object.fromEntries(
    turns.flatMap(({ attachments = [], id }) =>
      attachments.length === 0 ? [] : [[id, attachments.map(({ name }) => name)]]
    )
  )

/** What stands between the items: a turn that waits or did not complete, or a start that changed the conversation. */
export type Note = Waiting | Ended | Receipt

const isReceipt = (note: Note): note is Receipt => "outcome" in note

// Ids are in the order of their making, behind their prefix. A start stands before the turn that it was made for, and
// what became of a turn behind its items.
const place = (id: string, where: "before" | "within" | "behind") =>
  `${id.slice(4)}${{ before: " ", within: "!", behind: "~" }[where]}`

const placeOf = (note: Note): string =>
  isReceipt(note) ? place(note.turnId ?? note.id, "before") : place(note.id, "behind")

const waits = (note: Note): boolean => "state" in note && note.state === "waiting"

const turnIdOf = (note: Note): string | undefined => (isReceipt(note) ? note.turnId : note.id)

/**
 * Items and notes in the order in which they came to be: what became of a turn stands after its own items, and the start
 * that was made for it before them; a turn that waited for its time has an older id than those before it. What waits comes
 * last, in the order in which it will be sent, and behind that what waits for its time.
 */
export const inOrder = <A extends Pick<Item, "turnId">>(
  items: ReadonlyArray<A>,
  notes: ReadonlyArray<Note>
): ReadonlyArray<A | Note> => {
  const firsts = new Map<string, number>()
  const lasts = new Map<string, number>()
  for (const [at, { turnId }] of items.entries()) {
    if (!firsts.has(turnId)) firsts.set(turnId, at)
    lasts.set(turnId, at)
  }
  const sorted = notes.filter((note) => !waits(note)).toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
  const isOwn = (note: Note) => lasts.has(turnIdOf(note) ?? "")
  const own = Map.groupBy(sorted.filter(isOwn), (note) => turnIdOf(note))
  const rest = sorted.filter((note) => !isOwn(note))
  const placed: Array<A | Note> = []
  let next = 0
  for (const [at, item] of items.entries()) {
    for (let note = rest[next]; note && placeOf(note) < place(item.turnId, "within"); note = rest[++next]) {
      placed.push(note)
    }
    const around = own.get(item.turnId) ?? []
    if (firsts.get(item.turnId) === at) placed.push(...around.filter(isReceipt))
    placed.push(item)
    if (lasts.get(item.turnId) === at) placed.push(...around.filter((note) => !isReceipt(note)))
  }
  const waiting = notes.filter(waits)
  const untilOf = (note: Note) => ("until" in note ? (note.until ?? "") : "")
  const isLater = (note: Note) => untilOf(note) !== ""
  return [
    ...placed,
    ...rest.slice(next),
    ...waiting.filter((note) => !isLater(note)),
    ...waiting.filter(isLater).toSorted((a, b) => (untilOf(a) < untilOf(b) ? -1 : 1))
  ]
}

/** The last turn before this place of which something is left. */
export const turnBefore = (entries: ReadonlyArray<Item | Note>, at: number): string | undefined => {
  const entry = entries[at]
  const own = entry !== undefined && isItem(entry) ? entry.turnId : entry?.id
  for (let i = at - 1; i >= 0; i--) {
    const before = entries[i]
    if (before !== undefined && isItem(before) && before.turnId !== own && !before.undone)
      return before.turnId
  }
  return undefined
}

export const isItem = (entry: Item | Note): entry is Item => "kind" in entry

/** A terminal went on in another session than the one that it was given. */
export const isAnother = ({
  outcome,
  providerSessionIdAfter: now,
  providerSessionIdBefore: before
}: Receipt) => outcome === "adopted" && before !== null && now !== null && before !== now

/** The starts after which the conversation was not what it was before. */
export const turningPoints = (receipts: ReadonlyArray<Receipt>, isFork = false): ReadonlyArray<Receipt> =>
  receipts.filter((receipt, at) => {
    const { ahead = 0, outcome, undone = 0 } = receipt
    // That it begins as a fork is said where it does.
    if (isFork && outcome === "forked" && at === receipts.length - 1) return false
    if (undone > 0) return true
    if (outcome !== "created" && outcome !== "adopted" && outcome !== "refused") return true
    if (isAnother(receipt)) return true
    // What was said elsewhere is found at each start until something is said here: it is marked once, by the last one.
    return ahead > 0 && (receipt.turnId !== undefined || (receipts[at - 1]?.ahead ?? 0) === 0)
  })

export type Remedy = "accept" | "claim" | "move" | "reset" | "restore" | "trust"

/** What a reader must not miss: it will begin anew, it did, or it did not go on; and what there is to do about it. */
export type Alarm =
  | { readonly kind: "reset" }
  | { readonly kind: "moved"; readonly moved: Moved }
  | { readonly kind: "replaced"; readonly receipt: Receipt }
  | { readonly kind: "refused"; readonly receipt: Receipt; readonly remedy: Remedy | undefined }

// Where the old conversation cannot be had any more, only a new one helps; anything else can pass.
const remedies: Readonly<Record<string, Remedy>> = {
  UpstreamLost: "reset",
  UpstreamCorrupt: "reset",
  WrongStore: "restore",
  HistoryMismatch: "accept",
  CwdUnavailable: "move",
  DirectoryMismatch: "move",
  RelocationUnsupported: "move",
  DirectoryNotTrusted: "trust"
}

export const alarmOf = (
  { lastError, session, status, transcript }: Pick<Thread, "lastError" | "session" | "status" | "transcript">,
  receipts: ReadonlyArray<Receipt>
): Alarm | undefined => {
  if (session.moved) return { kind: "moved", moved: session.moved }
  if (session.startsAnew) return { kind: "reset" }
  const [last] = receipts
  // A mode that was switched in a live session is told by a receipt of the same generation: that was no start.
  const start = receipts.findLast(({ generation }) => generation === last?.generation)
  if (start?.outcome === "replaced" && last?.outcome !== "refused") {
    return { kind: "replaced", receipt: start }
  }
  const tag = last?.error?._tag ?? ""
  // A live session goes on without a receipt: only what the last turn ended with is still so.
  if (last?.outcome !== "refused" || status !== "error" || lastError?._tag !== tag) return undefined
  const remedy = remedies[tag]
  // What we do not hold cannot be written anywhere.
  return { kind: "refused", receipt: last, remedy: remedy === "restore" && !transcript ? "reset" : remedy }
}

/**
 * What the event changes. One that is in it already changes nothing, so that a reader may go on from any number that
 * it has seen.
 */
export const apply = (shown: Conversation, event: RuntimeEvent): void => {
  if (event.seq <= shown.seq) return
  shown.seq = event.seq
  const { data, itemId, turnId, type } = event
  switch (type) {
    case "item.started":
    case "item.completed": {
      const told = withItem(data)
      if (told) renew(shown.items, told.item)
      return
    }
    case "item.updated": {
      const item = shown.items.find(({ id }) => id === itemId)
      const told = withDelta(data)
      if (item && told) item[told.field] = `${item[told.field] ?? ""}${told.delta}`
      return
    }
    case "thread.updated": {
      const undone = withUndone(data)?.undone ?? []
      for (const item of shown.items) if (undone.includes(item.turnId)) item.undone = true
      return
    }
    case "request.opened":
    case "user-input.opened": {
      const told = withRequest(data)
      if (told) put(shown.requests, told.request, "last")
      return
    }
    case "request.resolved":
    case "user-input.resolved":
      return without(shown.requests, withId(data)?.id)
    case "session.started":
    case "session.refused":
    case "receipt.updated": {
      const told = withReceipt(data)
      if (told) put(shown.receipts, told.receipt, "first")
      return
    }
    case "turn.accepted":
    case "turn.started": {
      const input = withInput(data)?.input ?? ""
      const state = type === "turn.started" ? "running" : "waiting"
      const sent = withFiles(data)?.attachments ?? []
      if (turnId && sent.length > 0) shown.files[turnId] = sent.map(({ name }) => name)
      const until = type === "turn.accepted" ? withNotBefore(data)?.notBefore : undefined
      const goesOn = withContinues(data) !== undefined
      if (turnId) put(shown.turns, { id: turnId, state, input, until, goesOn }, "last")
      return
    }
    case "turn.updated": {
      const at = shown.turns.findIndex(({ id }) => id === turnId)
      const turn = shown.turns[at]
      if (turn === undefined) return
      const until = withStatus(data)?.status === "deferred" ? withNotBefore(data)?.notBefore : undefined
      const changed = {
        ...turn,
        input: withInput(data)?.input ?? turn.input,
        ...("error" in turn ? {} : { until })
      }
      shown.turns[at] = changed
      const sent = withFiles(data)?.attachments ?? []
      if (sent.length > 0) shown.files[turn.id] = sent.map(({ name }) => name)
      else delete shown.files[turn.id]
      const before = withBefore(data)?.before
      if (before === undefined) return
      shown.turns.splice(at, 1)
      const place = shown.turns.findIndex(({ id }) => id === before)
      shown.turns.splice(place < 0 ? at : place, 0, changed)
      return
    }
    case "turn.completed":
      shown.notices = shown.notices.filter(({ passing }) => passing !== true)
      return without(shown.turns, turnId)
    case "turn.failed":
    case "turn.interrupted": {
      const input = shown.turns.find(({ id }) => id === turnId)?.input ?? ""
      const ended = type === "turn.failed" ? "failed" : "interrupted"
      const state = withWithdrawn(data) ? "withdrawn" : ended
      if (turnId) put(shown.turns, { id: turnId, state, input, error: withError(data)?.error }, "last")
      shown.notices = shown.notices.filter(({ passing }) => passing !== true)
      return
    }
    case "warning":
    case "session.stalled": {
      const passing = withRetry(data) !== undefined
      const text = withMessage(data)?.message ?? "The agent is silent."
      shown.notices = shown.notices.filter((notice) => notice.text !== text && !(passing && notice.passing))
      shown.notices.push({ seq: event.seq, text, ...(passing && { passing }) })
      return
    }
    default:
  }
}
