import type { UsageWindow } from "@rejoin/contracts/Provider"
import { timeTold } from "@rejoin/contracts/Time"
import type { RateLimits } from "./CodexSchema.ts"

/** What an account may use, as it was told with a model's answer. */
export const windowsOf = ({ limitId, primary, secondary }: RateLimits): ReadonlyArray<UsageWindow> => {
  const family = limitId == null || limitId === "codex" ? "" : `${limitId} `
  return Object.entries({ primary, secondary }).flatMap(([name, window]) =>
    window == null
      ? []
      : [
          {
            scope: `${family}${name}`,
            used: window.usedPercent / 100,
            resetsAt: window.resetsAt == null ? null : (timeTold(window.resetsAt * 1000) ?? null),
            ...(window.windowDurationMins != null && { minutes: window.windowDurationMins })
          }
        ]
  )
}

/** The window that is used up: where two are, the one that takes longer. */
export const reachedIn = (windows: ReadonlyArray<UsageWindow>): UsageWindow | undefined =>
  windows
    .filter(({ used }) => used !== null && used >= 1)
    .toSorted((a, b) => (b.resetsAt ?? "").localeCompare(a.resetsAt ?? ""))[0]
