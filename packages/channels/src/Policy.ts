import type { ChannelAllow, ChannelConfig } from "@rejoin/contracts/Channel"
import { defaultRuntimeMode, type RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Edited, Pressed, Said } from "./Inbound.ts"

/**
 * `heard`: it is from somebody who may talk. `stranger`: between two, from somebody who may not; nothing but a pairing code
 * is looked for in it. `passed-over`: nobody is answered.
 */
export type Hearing = "heard" | "stranger" | "passed-over"

/**
 * Who may talk (T13). Nobody whom the owner did not let in: by number, never by name. In a group only where that was let
 * in, and where the bot is addressed; a button is pressed by whom a message would be heard from.
 */
export const hearing = (
  allow: ChannelAllow,
  isPeer: boolean,
  inbound: Pick<Said | Edited | Pressed, "_tag" | "groups" | "sender"> & { readonly addressed?: boolean }
): Hearing => {
  const { groups, sender } = inbound
  const mayTalk = isLetIn(allow, isPeer, sender.id)
  if (groups.length === 0) return mayTalk ? "heard" : "stranger"
  const isOpen = groups.some((group) => (allow.openGroups ?? []).includes(group))
  const isHeard = isOpen || (mayTalk && groups.some((group) => (allow.groups ?? []).includes(group)))
  if (!isHeard) return "passed-over"
  return inbound._tag === "Said" && inbound.addressed === false ? "passed-over" : "heard"
}

/** Whether this person was let in, and not only heard because everybody is: what has power is for these. */
export const isLetIn = (allow: ChannelAllow, isPeer: boolean, person: string): boolean =>
  isPeer || (allow.users ?? []).includes(person)

const order: ReadonlyArray<RuntimeMode> = [
  "read-only",
  "approval-required",
  "auto-accept-edits",
  "full-access"
]

/** The modes that may be chosen, least first. */
export const modesUpTo = (highest: RuntimeMode): ReadonlyArray<RuntimeMode> =>
  order.slice(0, order.indexOf(highest) + 1)

export const exceeds = (mode: RuntimeMode, highest: RuntimeMode): boolean =>
  order.indexOf(mode) > order.indexOf(highest)

/** With which powers a chat's thread begins, and how far they may go. Never all of them, unless it is said so. */
export const modesOf = ({
  allow,
  runtimeMode
}: Pick<ChannelConfig, "allow" | "runtimeMode">): {
  readonly first: RuntimeMode
  readonly highest: RuntimeMode
} => {
  const first = runtimeMode ?? defaultRuntimeMode
  const highest = allow?.highestMode ?? first
  return { first: exceeds(first, highest) ? highest : first, highest }
}
