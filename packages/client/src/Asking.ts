import type { SendTurn } from "@rejoin/contracts/api/Requests"
import type { Failure } from "@rejoin/contracts/Failure"
import { Item } from "@rejoin/contracts/Item"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import type { Turn } from "@rejoin/contracts/Turn"
import { isSettled } from "@rejoin/contracts/Turn"
import { Option, Schema } from "effect"
import type { Plain } from "./Plain.ts"

/** A turn that did not complete: `status` says how, `error` why. */
export class TurnDidNotComplete extends Error {
  readonly turn: Turn
  readonly error: Failure | undefined

  constructor(turn: Turn) {
    super(turn.error?.message ?? `The turn was ${turn.status}.`)
    this.name = turn.error?._tag ?? "TurnDidNotComplete"
    this.turn = turn
    this.error = turn.error
  }
}

/** What asking takes of a client. */
export interface Asked {
  readonly lastSeq: () => Promise<number>
  readonly send: (payload: Plain<SendTurn>) => Promise<Turn>
  readonly get: (turnId: string) => Promise<Turn>
  readonly follow: (after: number) => AsyncIterable<RuntimeEvent>
}

const decodeItem = Schema.decodeUnknownOption(Schema.Struct({ item: Item }))
const decodeDelta = Schema.decodeUnknownOption(
  Schema.Struct({ delta: Schema.String, field: Schema.Literal("text") })
)
const settling = new Set(["turn.completed", "turn.failed", "turn.interrupted"])

/** How often in a row the way to the server may break, and how long is waited between, in ms. */
const tries = 60
const pause = 1000
const sleep = () => new Promise((resume) => setTimeout(resume, pause))

/**
 * The same call again, where the way to the server broke; what the server refused is refused. One that was there may just be
 * started again, and is nowhere for a moment.
 */
const again = async <A>(call: () => Promise<A>, wasThere = true): Promise<A> => {
  for (let left = tries; ; left--) {
    try {
      return await call()
    } catch (cause) {
      const tag = typeof cause === "object" && cause !== null && "_tag" in cause ? cause._tag : undefined
      const isLost = tag === "HttpClientError" || (tag === "NoServer" && wasThere)
      if (!isLost || left === 0) throw cause
      await sleep()
    }
  }
}

/**
 * Says something, and gives the answer as it comes, over breaks of the connection and restarts of the server: the same
 * message is one turn, however often it is sent. Throws TurnDidNotComplete, and the server's typed errors.
 */
export async function* ask(
  asked: Asked,
  input: string,
  options: Omit<Plain<SendTurn>, "input"> = {}
): AsyncGenerator<string, Turn> {
  const idempotencyKey = options.idempotencyKey ?? globalThis.crypto.randomUUID()
  let after = await again(asked.lastSeq, false)
  const { id } = await again(() => asked.send({ ...options, input, idempotencyKey }))
  const told = new Map<string, number>()
  let settled = false
  let said = false
  const piece = (itemId: string, text: string) => {
    const length = told.get(itemId) ?? 0
    const first = length === 0
    told.set(itemId, length + text.length)
    const between = first && said && text !== "" ? "\n\n" : ""
    said ||= text !== ""
    return `${between}${text}`
  }
  for (let left = tries; !settled && left > 0; left--) {
    try {
      for await (const event of asked.follow(after)) {
        left = tries
        after = event.seq
        if (event.turnId !== id) continue
        const item = Option.getOrUndefined(decodeItem(event.data))?.item
        if (item?.kind === "assistant-message") {
          const rest = (item.text ?? "").slice(told.get(item.id) ?? 0)
          told.set(item.id, told.get(item.id) ?? 0)
          if (rest !== "") yield piece(item.id, rest)
        }
        const delta = Option.getOrUndefined(decodeDelta(event.data))
        if (event.itemId !== undefined && told.has(event.itemId) && delta)
          yield piece(event.itemId, delta.delta)
        if (settling.has(event.type)) {
          settled = true
          break
        }
      }
    } catch (cause) {
      if (left === 1) throw cause
    }
    // It may have been settled while nobody listened.
    if (!settled) settled = await again(() => asked.get(id)).then(({ status }) => isSettled(status))
    if (!settled) await sleep()
  }
  const turn = await again(() => asked.get(id))
  if (turn.status !== "completed") throw new TurnDidNotComplete(turn)
  // What came while nobody listened.
  if (!said && turn.output !== "") yield turn.output
  return turn
}
