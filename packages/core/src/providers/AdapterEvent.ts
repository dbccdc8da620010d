import type { Fact } from "@rejoin/contracts/Fact"
import type { Failure } from "@rejoin/contracts/Failure"
import type { Item } from "@rejoin/contracts/Item"
import type { UsageWindow } from "@rejoin/contracts/Provider"
import type { Approval, UserInput } from "@rejoin/contracts/Request"
import { Data, Schema } from "effect"

/** An id that an agent gives to what it tells of: short enough to be a part of one of ours. */
export const UpstreamId = Schema.NonEmptyString.check(Schema.isMaxLength(120))

/** An item as its adapter tells it: the core knows to which turn it belongs. */
export type AdapterItem = Omit<Item, "turnId">

/** What an adapter tells of a live session, in order. */
export type AdapterEvent = Data.TaggedEnum<{
  ItemStarted: { readonly item: AdapterItem }
  ItemDelta: { readonly itemId: string; readonly field: "text" | "output"; readonly delta: string }
  ItemCompleted: { readonly item: AdapterItem }
  /** `id` is unique within the session; the answer comes back under it. */
  RequestOpened: { readonly id: string; readonly ask: Approval | UserInput }
  RequestResolved: { readonly id: string }
  /** What the turn has used since the last such event. `costUsd` in US dollars. */
  Used: { readonly inputTokens: number; readonly outputTokens: number; readonly costUsd: number }
  /** A fact about place or powers that shows only now: compared with what was asked (laws 3 and 4). */
  Checked: {
    readonly what: "cwd" | "mode"
    readonly stage: "submit" | "tool"
    readonly found: Fact<string>
  }
  /** When it will ask its model again, where that is told: `until` in ms since the epoch, or `after` so many ms. */
  Retrying: {
    readonly attempt: number
    readonly message: string
    readonly until?: number
    readonly after?: number
  }
  /** How much of what its account may use is used: all that the agent tells of, each time. */
  UsageTold: { readonly windows: ReadonlyArray<UsageWindow> }
  Warning: { readonly message: string; readonly detail?: unknown }
  /** Exactly one a turn, after all of its items. */
  TurnSettled: {
    readonly status: "completed" | "failed" | "interrupted"
    readonly output: string
    readonly error?: Failure
  }
  /** The connection is gone. The stream of events ending without it means the same (C30). */
  Exited: { readonly reason: string }
}>
export const AdapterEvent = Data.taggedEnum<AdapterEvent>()
