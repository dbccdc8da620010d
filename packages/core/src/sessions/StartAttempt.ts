import * as E from "@rejoin/contracts/Errors"
import { valueOrNull } from "@rejoin/contracts/Fact"
import type { ProviderSessionId, ReceiptId, TurnId } from "@rejoin/contracts/Ids"
import type { Receipt } from "@rejoin/contracts/Receipt"
import { now } from "@rejoin/contracts/Time"
import { Effect, Option, type Scope } from "effect"
import { newId } from "../NewId.ts"
import { Plan, plan, type Situation, type Wanted } from "../plan/Plan.ts"
import { type Conversation, tokensIn } from "../conversation/Conversation.ts"
import type { ProbeFailure } from "../plan/Probe.ts"
import type {
  ProviderAdapterShape,
  Started,
  Starting,
  StartRequest,
  TranscriptCopy,
  Verified
} from "../providers/ProviderAdapter.ts"
import type { Environment, ResumeCursor } from "../providers/ResumeCursor.ts"
import type { Source } from "../threads/ConversationSource.ts"
import type { Binding, ThreadRecord } from "../store/Records.ts"
import type { Loading } from "../trust/Loading.ts"
import { wentOn } from "../terminal/Terminals.ts"
import { checksOf, outcomeOf, verificationOf } from "./SessionReceipt.ts"

/** What was asked of a start. */
export interface Asked {
  readonly thread: ThreadRecord
  readonly wanted: Wanted
  readonly binding: Binding
  readonly turnId: TurnId | undefined
  /** How many turns were undone elsewhere, and given up for it just now. */
  readonly undone: number
  /** Whose conversation it goes on with; known once that was looked up. */
  readonly source?: Source
  /** The session that the thread had before its terminal went on in another one. */
  readonly from?: ProviderSessionId
}

/** A start with all that its plan was made from. */
export interface Attempt extends Asked {
  readonly adapter: ProviderAdapterShape
  readonly source: Source
  /** Of the source. */
  readonly cursor: Option.Option<ResumeCursor>
  /** Our copy of that session, where there is one. */
  readonly copy: Option.Option<TranscriptCopy>
  /** What was said, where another agent is to go on with it. */
  readonly conversation: Option.Option<Conversation>
  /** How many messages that were said in the agent's own interface have become turns just now. */
  readonly imported: number
  readonly situation: Situation
  readonly environment: Environment
  readonly loading: Loading
}

/** What came of it, for the receipt. */
export interface Result {
  readonly generation: number
  readonly agentVersion: string | null
  readonly evidence: unknown
  readonly verified?: Verified
  readonly cursor?: ResumeCursor
  readonly leftOut?: Started["leftOut"]
}

const summed = (one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>) => ({
  ...one,
  ...Object.fromEntries(Object.entries(other).map(([what, count]) => [what, count + (one[what] ?? 0)]))
})

/** What another agent was given of it. */
const carriedOf = (
  decision: Plan,
  { conversation }: Asked & Partial<Pick<Attempt, "conversation">>,
  unfit: Started["leftOut"] = {}
) => {
  const given = conversation && Option.getOrUndefined(conversation)
  if (decision._tag !== "HandOver" || decision.by !== "compose" || given === undefined) return undefined
  return {
    messages: given.said.filter(({ what }) => what._tag === "User").length,
    leftOut: summed(given.left, unfit),
    approximateTokens: tokensIn(given)
  }
}

/** Whether a plan writes a lost session back, as our copy has it. */
export const restoresSession = (decision: Plan): boolean =>
  decision._tag === "Restore" || (decision._tag === "HandOver" && decision.by === "restore")

/** How far a restore goes: an agent writes a moment after it answers, and we copy a moment after that. */
const restoredOf = (
  decision: Plan,
  { binding, copy, source }: Asked & Partial<Pick<Attempt, "copy">>
): Receipt["restored"] => {
  const head = restoresSession(decision) && copy ? Option.getOrUndefined(copy)?.head : undefined
  return head && { upToTurnId: head.upToTurnId, whole: head.mark === (source?.binding ?? binding).mark }
}

const reasonOf = (decision: Plan, asked: Asked): string | undefined => {
  const { binding, from, thread } = asked
  if (decision._tag === "Refuse") return decision.error.message
  if (from !== undefined) return wentOn
  if (decision._tag === "Replace") return decision.reason
  if (decision._tag === "Restore") return "the agent had lost the session: it is there again from our copy"
  if (decision._tag === "HandOver") return `handed over by ${(asked.source?.binding ?? binding).instanceId}`
  if (decision._tag === "Relocate" && thread.forkedFrom && binding.providerSessionId === null)
    return `forked from ${thread.forkedFrom.threadId}`
  return decision._tag === "Relocate" ? `carried into another directory by ${decision.way}` : undefined
}

/** What was said elsewhere in the thread's own conversation; a fork begins with all that was said. */
const aheadOf = (asked: Asked & Partial<Pick<Attempt, "situation">>): number => {
  const { situation } = asked
  if (situation?.probe._tag !== "Found" || situation.fork !== undefined) return 0
  return situation.probe.ahead ?? 0
}

export const receiptOf = Effect.fnUntraced(function* (asked: Asked, decision: Plan, result: Result) {
  const { binding, thread, turnId, undone, wanted } = asked
  const { cursor, verified } = result
  const at = yield* now
  const checks = verified ? checksOf(wanted, verified, at) : []
  const ahead = decision._tag === "Refuse" ? 0 : aheadOf(asked)
  const imported = "imported" in asked && typeof asked.imported === "number" ? asked.imported : 0
  const reason = reasonOf(decision, asked)
  const restored = restoredOf(decision, asked)
  const carried = carriedOf(decision, asked, result.leftOut)
  const receipt: Receipt = {
    id: (yield* newId("rcp")) as ReceiptId,
    threadId: thread.id,
    ...(turnId && { turnId }),
    generation: result.generation,
    outcome: outcomeOf(decision),
    ...(reason && { reason }),
    ...(decision._tag === "Refuse" && { error: E.toFailure(decision.error) }),
    providerSessionIdBefore: asked.from ?? (asked.source?.binding ?? binding).providerSessionId,
    providerSessionIdAfter: cursor?.providerSessionId ?? null,
    cwdRequested: wanted.cwd,
    cwdVerified: verified ? valueOrNull(verified.directory) : null,
    runtimeModeRequested: wanted.mode,
    // Only what was asked for passes `mismatch`: anything else never gets a receipt with a mode.
    runtimeModeVerified: verified && valueOrNull(verified.mode) === wanted.mode ? wanted.mode : null,
    checks,
    ...(ahead > 0 && { ahead }),
    ...(imported > 0 && { imported }),
    ...(undone > 0 && { undone }),
    ...(restored && { restored }),
    ...(carried && { carried }),
    verification: decision._tag === "Refuse" ? "failed" : verificationOf(checks),
    agentVersion: result.agentVersion,
    evidence: result.evidence,
    at
  }
  return receipt
})

const primitive = (decision: Plan, attempt: Attempt, request: StartRequest): Starting => {
  const { adapter, conversation, copy, cursor } = attempt
  const lacking = (capability: string): Starting =>
    Effect.fail(
      new E.ProviderFailed({
        provider: adapter.id,
        message: `The adapter declares ${capability} but lacks it.`
      })
    )
  switch (decision._tag) {
    case "Create":
    case "Replace":
      return adapter.create(request)
    case "Restore":
      return Option.isSome(copy) && adapter.restore
        ? adapter.restore(copy.value, { ...request, mark: copy.value.head.mark })
        : lacking("restore")
    case "HandOver":
      if (decision.by === "restore") return primitive(Plan.Restore(), attempt, request)
      return Option.isSome(conversation) && adapter.compose
        ? adapter.compose(conversation.value, request)
        : lacking("compose")
    case "Relocate": {
      const way = adapter.relocate[decision.way]
      return Option.isSome(cursor) && way ? way(cursor.value, request) : lacking(`relocate:${decision.way}`)
    }
    default:
      return Option.isSome(cursor) ? adapter.adopt(cursor.value, request) : lacking("adopt")
  }
}

export const quiesce = ({ adapter, cursor, environment }: Attempt, decision: Plan) =>
  "quiesce" in decision && decision.quiesce && adapter.quiesce !== undefined && Option.isSome(cursor)
    ? adapter.quiesce(cursor.value, environment)
    : Effect.void

export interface Done {
  readonly started: Started
  /** The plan that was carried out: the second one, where it was made anew. */
  readonly decision: Plan
}

/** Carries a plan out. Where the act itself shows another probe, the plan is made once more, and only once. */
export const act = (attempt: Attempt, decision: Plan, request: StartRequest) => {
  const carryOut = (decision: Plan): Effect.Effect<Done, E.StartFailure | ProbeFailure, Scope.Scope> =>
    quiesce(attempt, decision).pipe(
      Effect.andThen(
        primitive(decision, attempt, { ...request, repairs: "repairs" in decision ? decision.repairs : [] })
      ),
      Effect.map((started) => ({ started, decision }))
    )
  return carryOut(decision).pipe(
    Effect.catchTag("ProbeFailure", ({ probe }): ReturnType<typeof carryOut> => {
      const again = plan({ ...attempt.situation, probe })
      return again._tag === "Refuse" ? Effect.fail(again.error) : carryOut(again)
    }),
    Effect.catchTag("ProbeFailure", ({ probe }) =>
      Effect.fail(
        new E.ProbeInconclusive({
          message: `The provider answered differently each time it was asked (at last: ${probe._tag}).`
        })
      )
    )
  )
}

/** Whether a plan goes on with the history that is there. */
export const continues = (decision: Plan): boolean =>
  decision._tag !== "Create" && decision._tag !== "Replace"
