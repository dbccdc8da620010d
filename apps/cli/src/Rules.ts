import type { RuleId } from "@rejoin/contracts/Ids"
import type { Rule } from "@rejoin/contracts/Rule"
import { visible } from "@rejoin/shown/Visible"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { findThread } from "./Addressed.ts"
import { Connection } from "./Connection.ts"
import { print } from "./Output.ts"

const placeOf = ({ scope }: Rule) =>
  "thread" in scope ? `in ${scope.thread}` : `in project ${scope.project}`

const rulesText = (rules: ReadonlyArray<Rule>) =>
  rules.length === 0
    ? "There are no rules: every approval is asked for."
    : rules
        .map((rule) =>
          visible(
            `${rule.id}  ${rule.decision === "accept" ? "allows" : "declines"} ${rule.tool} ${placeOf(rule)}\n    ${rule.pattern}`
          )
        )
        .join("\n")

/** What is allowed or declined without asking: shown, and taken back. */
export const rules = Command.make(
  "rules",
  {
    thread: Argument.String("thread").pipe(
      Argument.withDescription("Only those that hold in this thread"),
      Argument.optional
    ),
    revoke: Flag.String("revoke").pipe(
      Flag.withDescription("Take the rule of this id back, instead"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ revoke, thread }) {
    const client = yield* Effect.flatMap(Connection, ({ open }) => open)
    if (Option.isSome(revoke)) {
      yield* client.rules.remove({ params: { id: revoke.value as RuleId } })
      return yield* print({ id: revoke.value }, ({ id }) => `${id} is taken back: it is asked again.`)
    }
    const query = Option.isSome(thread) ? { thread: (yield* findThread(client, thread.value)).id } : {}
    yield* print((yield* client.rules.list({ query })).items, rulesText)
  })
).pipe(Command.withDescription("Show what is allowed or declined without asking; --revoke takes one back"))
