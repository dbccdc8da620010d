import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
import type { Binding } from "@rejoin/core/store/Records"
import { Effect } from "effect"
import type { Finding } from "./Finding.ts"

const threads = (count: number) => (count === 1 ? "one thread" : `${count} threads`)

/**
 * Whether the agents can be used that are configured, or that threads live on: one that is only looked for and not
 * installed is none. Returns those that can.
 */
export const agents = Effect.fn("agents")(function* (bindings: ReadonlyArray<Binding>, configured: boolean) {
  const registry = yield* ProviderRegistry
  const adapters = yield* registry.list
  const infos = yield* Effect.forEach(adapters, ({ info }) => info, { concurrency: "unbounded" })
  const livesOn = (id: string) => bindings.filter(({ instanceId }) => instanceId === id).length
  const findings: Array<Finding> = []
  for (const { authenticated, id, reason, status } of infos) {
    const count = livesOn(id)
    if (count === 0 && !configured) continue
    const told = { check: "agent", about: id } as const
    if (status === "unusable") {
      findings.push({
        ...told,
        severity: "problem",
        message: `${reason ?? "It cannot be used."} With it, ${threads(count)} cannot go on.`,
        hint: "Install it, or set its binary in config.json. Its threads keep their conversations."
      })
    } else if (authenticated === false) {
      findings.push({
        ...told,
        severity: "warning",
        message: "No account was found.",
        hint: "Log in with the agent itself."
      })
    }
  }
  const known = new Set<string>(adapters.map(({ id }) => id))
  for (const id of new Set(bindings.map(({ instanceId }) => instanceId))) {
    if (known.has(id)) continue
    findings.push({
      check: "agent",
      about: id,
      severity: "problem",
      message: `No provider has this id any more, and ${threads(livesOn(id))} live on it.`,
      hint: "Put it back into config.json."
    })
  }
  return {
    findings,
    usable: new Set<string>(infos.filter(({ status }) => status === "ready").map(({ id }) => id)),
    checked: infos.length
  }
})
