import * as E from "@rejoin/contracts/Errors"
import type { RuleId, ThreadId } from "@rejoin/contracts/Ids"
import type { Approval } from "@rejoin/contracts/Request"
import { type CreateRule, longestPattern, type Rule, type RuleScope } from "@rejoin/contracts/Rule"
import { now } from "@rejoin/contracts/Time"
import { Context, Effect, Layer, Option } from "effect"
import { newId } from "../NewId.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { decisionOf, patternsOf } from "./RuleMatch.ts"

/** Standing answers to approvals. They allow nothing that a person could not have allowed just then. */
export class Rules extends Context.Service<
  Rules,
  {
    /** All of them, or those that hold in a thread. */
    readonly list: (thread?: ThreadId) => Effect.Effect<ReadonlyArray<Rule>, E.ThreadNotFound | E.StoreFailed>
    readonly create: (
      rule: CreateRule
    ) => Effect.Effect<Rule, E.ThreadNotFound | E.InvalidInput | E.StoreFailed>
    readonly remove: (id: RuleId) => Effect.Effect<void, E.RuleNotFound | E.StoreFailed>
    /** What they say to an approval; none where a person has to say. */
    readonly decide: (
      thread: ThreadId,
      approval: Approval
    ) => Effect.Effect<Option.Option<Rule["decision"]>, E.StoreFailed>
    /** The rules by which what was just answered is answered from now on. */
    readonly remembering: (
      thread: ThreadId,
      answered: {
        readonly approval: Approval
        readonly decision: Rule["decision"]
        readonly scope: "thread" | "project"
      }
    ) => Effect.Effect<ReadonlyArray<Rule>, E.ThreadNotFound | E.InvalidInput | E.StoreFailed>
  }
>()("@rejoin/core/Rules") {
  static readonly layer = Layer.effect(
    Rules,
    Effect.gen(function* () {
      const store = yield* ThreadStore

      const threadOf = Effect.fnUntraced(function* (id: ThreadId) {
        const thread = yield* store.getThread(id)
        if (Option.isSome(thread)) return thread.value
        return yield* new E.ThreadNotFound({ threadId: id, message: `There is no thread ${id}.` })
      })
      const made = Effect.fnUntraced(function* (rule: CreateRule) {
        const whole: Rule = { id: (yield* newId("rul")) as RuleId, ...rule, createdAt: yield* now }
        return whole
      })

      return Rules.of({
        list: Effect.fn("Rules.list")(function* (thread) {
          if (thread === undefined) return yield* store.rules.list()
          const { project } = yield* threadOf(thread)
          return yield* store.rules.list({ thread, project })
        }),
        create: Effect.fn("Rules.create")(function* (rule) {
          if ("thread" in rule.scope) yield* threadOf(rule.scope.thread)
          const whole = yield* made(rule)
          yield* store.rules.save(whole)
          yield* store.durable
          return whole
        }),
        remove: Effect.fn("Rules.remove")(function* (id) {
          if (!(yield* store.rules.remove(id)))
            return yield* new E.RuleNotFound({ ruleId: id, message: `There is no rule ${id}.` })
          yield* store.durable
        }),
        decide: Effect.fn("Rules.decide")(function* (thread, approval) {
          const record = yield* store.getThread(thread)
          if (Option.isNone(record)) return Option.none()
          const { project, runtimeMode } = record.value
          const rules = yield* store.rules.list({ thread, project })
          const decision = decisionOf(rules, approval)
          // Whoever said read-only said it of all that was allowed before.
          return decision === "accept" && runtimeMode === "read-only"
            ? Option.none()
            : Option.fromUndefinedOr(decision)
        }),
        remembering: Effect.fn("Rules.remembering")(function* (thread, { approval, decision, scope }) {
          const { project } = yield* threadOf(thread)
          if (scope === "project" && project === null) {
            return yield* new E.InvalidInput({
              field: "remember",
              message: "The thread belongs to no project.",
              hint: 'Answer with "remember": "thread", or without.'
            })
          }
          const patterns = patternsOf(approval)
          if (patterns.length === 0 || patterns.some((pattern) => pattern.length > longestPattern)) {
            return yield* new E.InvalidInput({
              field: "remember",
              message: "A rule cannot hold all that this would do: it is asked every time.",
              hint: 'Answer without "remember".'
            })
          }
          const where: RuleScope = scope === "project" && project !== null ? { project } : { thread }
          return yield* Effect.forEach(patterns, (pattern) =>
            made({ scope: where, tool: approval.permission, pattern, decision })
          )
        })
      })
    })
  )
}
