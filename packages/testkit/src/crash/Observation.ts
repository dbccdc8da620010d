import type { Receipt } from "@rejoin/contracts/Receipt"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import type { Turn } from "@rejoin/contracts/Turn"
import { Equal } from "effect"

/** A turn as it stands in the store, with what was asked of it. */
export interface ObservedTurn {
  readonly id: string
  readonly status: Turn["status"]
  readonly input: string
  readonly output: string
  readonly generation: number | null
}

export interface ObservedThread {
  readonly id: string
  readonly cwd: string
  readonly turns: ReadonlyArray<ObservedTurn>
  readonly events: ReadonlyArray<RuntimeEvent>
  /** Oldest first. */
  readonly receipts: ReadonlyArray<Receipt>
  /** Upstream ids of the thread's session and of those that it had before. */
  readonly sessions: ReadonlyArray<string>
  /** It may have come in from outside: its earlier events are not here. */
  readonly carried: boolean
  /** How often its conversation may have begun anew: resets that were asked for, sessions that fate took. */
  readonly breaks: number
  /** The answer to a last turn that repeats all that the model was told; undefined where it was refused. */
  readonly recalled: string | undefined
  /** The answer to a last `run pwd`. */
  readonly where: string | undefined
}

/** What is seen from outside when everything is over: by a client, in the upstream, on the machine. */
export interface Observation {
  readonly threads: ReadonlyArray<ObservedThread>
  /** Turns whose acceptance was acknowledged, of threads that were not removed. */
  readonly accepted: ReadonlyArray<{ readonly id: string; readonly input: string }>
  /** What a reader of all events had seen, in its order. */
  readonly seen: ReadonlyArray<RuntimeEvent>
  /** Every input that the model was asked to answer, as often as it was. */
  readonly asked: ReadonlyArray<string>
  readonly upstream: {
    readonly sessions: ReadonlyArray<string>
    /** What is nobody's to undo: it belonged to a thread that was removed. */
    readonly released: ReadonlyArray<string>
  }
  /** What was left half done or running. */
  readonly left: { readonly intents: number; readonly processes: number; readonly requests: number }
  /** Laws that were seen broken on the way. */
  readonly witnessed: ReadonlyArray<string>
}

const isSettled = ({ status }: ObservedTurn) =>
  status === "completed" || status === "failed" || status === "interrupted"

const settling = new Set(["turn.completed", "turn.failed", "turn.interrupted"])

/** What of the thread's turns its conversation must still hold: those since it last began anew, visibly. */
export const remembered = ({ receipts, turns }: ObservedThread): ReadonlyArray<ObservedTurn> => {
  const anew = receipts.findLast(({ outcome }) => outcome === "replaced")?.generation ?? 0
  // What a copy did not have when its session was lost, and that is told (W11).
  const isLeftOut = ({ generation }: ObservedTurn, at: number) =>
    receipts.some(
      ({ generation: since, restored }) =>
        restored?.whole === false &&
        (generation ?? 0) < since &&
        at > turns.findIndex(({ id }) => id === restored.upToTurnId)
    )
  return turns.filter(
    (turn, at) => turn.status === "completed" && (turn.generation ?? 0) >= anew && !isLeftOut(turn, at)
  )
}

const ofThread = (thread: ObservedThread): ReadonlyArray<string> => {
  const { breaks, events, receipts, recalled, turns, where } = thread
  const found: Array<string> = []
  const tell = (law: string) => found.push(`${thread.id}: ${law}`)

  let told = 0
  let replaced = 0
  for (const { generation: of, outcome } of receipts) {
    if (outcome !== "created" && outcome !== "replaced") continue
    const before = turns.filter(
      ({ generation, status }) =>
        status === "completed" && generation !== null && generation >= told && generation < of
    ).length
    if (outcome === "created" && before > 0)
      tell(`law 1: created anew after ${before} completed turns, and not told`)
    if (outcome !== "replaced") continue
    told = of
    // Where nothing was ever completed, nothing is lost: a message may not have been written down before a crash.
    if (before > 0) replaced++
  }
  if (replaced > breaks) tell(`law 2: replaced ${replaced} times, and ${breaks} times there was cause`)

  if (recalled === undefined) tell("the last turn, with everything healed, did not complete")
  else {
    const said = recalled.split(" | ")
    for (const { input } of remembered(thread)) {
      if (said.filter((text) => text === input).length !== 1) {
        tell(`law 1: "${input}" was completed, and the model no longer knows it (${recalled})`)
      }
    }
  }
  if (where === undefined) tell("law 3: the last turn that tells its directory did not complete")
  else if (!where.includes(thread.cwd)) tell(`law 3: works in ${where}`)
  for (const { generation, input, output, status } of turns) {
    if (status !== "completed" || !input.startsWith("run pwd")) continue
    const start = receipts.findLast(
      (receipt) => receipt.generation === generation && receipt.outcome !== "refused"
    )
    if (start !== undefined && !output.includes(start.cwdRequested)) {
      tell(`law 3: "${input}" ran in ${output}, not in ${start.cwdRequested}`)
    }
  }

  for (const turn of turns) {
    const settled = events.filter(({ turnId, type }) => turnId === turn.id && settling.has(type)).length
    if (!isSettled(turn)) tell(`law 6: "${turn.input}" is ${turn.status} for ever`)
    else if (settled > 1 || (settled === 0 && !thread.carried))
      tell(`law 6: "${turn.input}" was settled ${settled} times`)
  }
  let running: string | undefined
  for (const { turnId, type } of events) {
    if (type === "turn.started") running = turnId
    else if (type === "item.started" && running !== undefined && turnId !== running) {
      tell(`events: an item of ${running} is told as one of ${turnId}`)
    }
  }
  const first = thread.carried ? (events[0]?.seq ?? 1) : 1
  for (const [i, { seq }] of events.entries()) {
    if (seq !== i + first) {
      tell(`events: seq ${seq} in place ${i + 1}`)
      break
    }
  }
  return found
}

const most = (inputs: ReadonlyArray<string>) => {
  const counts = new Map<string, number>()
  for (const input of inputs) counts.set(input, (counts.get(input) ?? 0) + 1)
  return counts
}

/** The laws that what was seen contradicts. Empty where all hold. */
export const violations = (observation: Observation): ReadonlyArray<string> => {
  const { accepted, asked, left, seen, threads, upstream, witnessed } = observation
  const found = [...witnessed, ...threads.flatMap(ofThread)]
  const turns = new Map(threads.flatMap((thread) => thread.turns).map((turn) => [turn.id, turn]))
  for (const { id, input } of accepted) {
    if (!turns.has(id)) found.push(`law 6: "${input}" was accepted, and is lost`)
  }
  for (const [input, times] of most(asked)) {
    if (times > 1) found.push(`law 6: the model was asked "${input}" ${times} times`)
  }
  for (const { generation, input, status } of turns.values()) {
    if (status === "interrupted" && generation === null && asked.includes(input)) {
      found.push(`law 6: "${input}" was withdrawn, and the model was asked it`)
    }
  }
  const bound = threads.flatMap(({ sessions }) => sessions)
  for (const [id, times] of most(bound)) {
    if (times > 1) found.push(`law 5: ${times} threads have the session ${id}`)
  }
  const known = new Set([...bound, ...upstream.released])
  for (const id of upstream.sessions) {
    if (!known.has(id)) found.push(`law 7: the session ${id} was left behind`)
  }
  const stored = new Map(threads.flatMap(({ events }) => events).map((event) => [event.position, event]))
  let last = 0
  for (const event of seen) {
    if (event.position <= last) found.push(`events: position ${event.position} came after ${last}`)
    last = Math.max(last, event.position)
    const kept = stored.get(event.position)
    if (kept !== undefined && !Equal.equals(kept, event)) {
      found.push(`events: position ${event.position} was seen as ${event.type}, and is ${kept.type}`)
    }
    if (kept === undefined && threads.some(({ carried, id }) => id === event.threadId && !carried)) {
      found.push(`events: position ${event.position} (${event.type}) was seen, and is not stored`)
    }
  }
  if (left.intents > 0) found.push(`law 7: ${left.intents} intents are left`)
  if (left.processes > 0) found.push(`law 9: ${left.processes} processes or connections are left`)
  if (left.requests > 0) found.push(`C37: ${left.requests} requests are left that nobody can answer`)
  return found
}
