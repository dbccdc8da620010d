import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Rule } from "./OpenCodeSchema.ts"

const rule = (permission: string, action: Rule["action"], pattern = "*"): Rule => ({
  permission,
  pattern,
  action
})

/** What only looks. Files that hold secrets are asked for in every mode but full access. */
const looking = (secrets: Rule["action"]): ReadonlyArray<Rule> => [
  rule("read", "allow"),
  rule("read", secrets, "*.env"),
  rule("read", secrets, "*.env.*"),
  rule("read", "allow", "*.env.example"),
  ...["glob", "grep", "list", "lsp", "skill", "todowrite", "question"].map((name) => rule(name, "allow"))
]

/**
 * The complete set for a mode, starting with `*`: OpenCode appends rules and the last match wins, so that only a
 * complete set is one that holds whatever came before (docs/providers/opencode.md: Permissions).
 */
export const rulesOf: Readonly<Record<RuntimeMode, ReadonlyArray<Rule>>> = {
  "read-only": [rule("*", "deny"), ...looking("deny")],
  "approval-required": [rule("*", "ask"), ...looking("ask")],
  "auto-accept-edits": [rule("*", "ask"), ...looking("ask"), rule("edit", "allow")],
  "full-access": [rule("*", "allow")]
}

/**
 * On a server of somebody else, whose configuration need not ask: sub-agents would inherit no ask of their session,
 * so where something is asked there are none.
 */
export const externalRulesOf: Readonly<Record<RuntimeMode, ReadonlyArray<Rule>>> = {
  ...rulesOf,
  "approval-required": [...rulesOf["approval-required"], rule("task", "deny")],
  "auto-accept-edits": [...rulesOf["auto-accept-edits"], rule("task", "deny")]
}

const same = (a: Rule | undefined, b: Rule | undefined) =>
  a?.permission === b?.permission && a?.pattern === b?.pattern && a?.action === b?.action

const endsWith = (rules: ReadonlyArray<Rule>, tail: ReadonlyArray<Rule>): boolean =>
  rules.length >= tail.length &&
  tail.every((wanted, i) => same(rules[rules.length - tail.length + i], wanted))

const modes: ReadonlyArray<RuntimeMode> = [
  "auto-accept-edits",
  "approval-required",
  "read-only",
  "full-access"
]

/** The mode in force: the one whose complete set is the tail. Undefined where somebody else's rules hold. */
export const modeOf = (
  rules: ReadonlyArray<Rule> | undefined,
  sets: Readonly<Record<RuntimeMode, ReadonlyArray<Rule>>> = rulesOf
): RuntimeMode | undefined =>
  rules === undefined ? undefined : modes.find((mode) => endsWith(rules, sets[mode]))

/**
 * The server's own configuration: sub-agents inherit denies of their session but not its asks, and do inherit what
 * the configuration asks. So every server asks, and what a session's mode allows is answered by us.
 */
export const serverPermission = {
  "*": "ask",
  read: { "*": "allow", "*.env": "ask", "*.env.*": "ask", "*.env.example": "allow" },
  ...Object.fromEntries(
    ["glob", "grep", "list", "lsp", "skill", "todowrite", "question"].map((name) => [name, "allow"])
  )
}

const allowedByServer = new Set(
  Object.entries(serverPermission).flatMap(([name, action]) => (action === "ask" ? [] : [name]))
)

/**
 * Whether an agent, as the server tells of it, may do more unasked than the server's configuration lets it: its own
 * rules come after that, whoever defined it, and its session's asks do not reach it
 * (docs/providers/opencode.md: Permissions).
 */
const widens = ({ permission }: { readonly permission: ReadonlyArray<Rule> }): boolean => {
  const asks = permission.findLastIndex((own) => same(own, rule("*", "ask")))
  return permission
    .slice(asks + 1)
    .some(
      ({ action, permission: name }) =>
        action === "allow" && name !== "external_directory" && !allowedByServer.has(name)
    )
}

/** What an agent may, by the names of permissions that its rules speak of. */
export type Widening = Readonly<Record<string, ReadonlyArray<string>>>

/** The agents that would do more unasked than the server's configuration lets them. */
export const widening = (
  agents: ReadonlyArray<{ readonly name: string; readonly permission: ReadonlyArray<Rule> }>
): Widening =>
  Object.fromEntries(
    agents
      .filter(widens)
      .map(({ name, permission }) => [
        name,
        [...new Set(permission.map(({ permission }) => permission))].toSorted()
      ])
  )

/**
 * The configuration with these agents asking as the server does. OpenCode puts an agent's own keys first, in their own
 * order, so that `*` alone would come before what the agent allows by name: each name is said.
 */
export const withAsking = (
  config: Readonly<Record<string, unknown>>,
  agents: Widening
): Readonly<Record<string, unknown>> => {
  const names = Object.entries(agents)
  if (names.length === 0) return config
  const own = config["agent"]
  const before = typeof own === "object" && own !== null ? (own as Record<string, object>) : {}
  const asking = names.map(([name, permissions]) => {
    const asked = permissions.filter((of) => of !== "*" && !allowedByServer.has(of))
    const permission = { ...serverPermission, ...Object.fromEntries(asked.map((of) => [of, "ask"])) }
    return [name, { ...before[name], permission }] as const
  })
  return { ...config, agent: { ...before, ...Object.fromEntries(asking) } }
}

/** What to answer when a sub-agent asks, without asking anybody. Undefined: the user is asked. */
export const answerForSubAgent = (mode: RuntimeMode, permission: string): "once" | "reject" | undefined => {
  if (mode === "full-access") return "once"
  if (mode === "auto-accept-edits" && permission === "edit") return "once"
  return mode === "read-only" ? "reject" : undefined
}
