import type { UsageWindow } from "@rejoin/contracts/Provider"
import { type Timestamp, timeTold } from "@rejoin/contracts/Time"
import type { LimitInfo } from "./ClaudeSchema.ts"

/** Claude's own name for it, of a refusal that is no throttle (docs/providers/claude.md: Limits). */
export const limitReached = "usage_limit_reached"

const timeOf = (seconds: number | undefined): Timestamp | undefined =>
  seconds === undefined ? undefined : timeTold(seconds * 1000)

export const limitOf = ({ rateLimitType, resetsAt }: LimitInfo) => ({
  scope: rateLimitType,
  resetsAt: timeOf(resetsAt)
})

/** The windows of a subscription, as far as Claude has heard of them. */
export const windowsOf = ({
  rateLimitType,
  resetsAt,
  unifiedWindows = {},
  utilization
}: LimitInfo): ReadonlyArray<UsageWindow> => {
  const own =
    rateLimitType === undefined || rateLimitType in unifiedWindows
      ? {}
      : { [rateLimitType]: { resetsAt, utilization } }
  return Object.entries({ ...unifiedWindows, ...own }).map(([scope, window]) => ({
    scope,
    used: window.utilization ?? null,
    resetsAt: timeOf(window.resetsAt) ?? null
  }))
}
