import type { AcpProfile } from "../AcpProfile.ts"

/**
 * Any other agent. Nothing was measured of it, so nothing is promised: it does all that its user may do, in its own
 * directory, and whether it still knows what was said is told by what it repeats when it is opened again.
 */
export const unknownAgent = (name: string): AcpProfile => ({
  name,
  title: name,
  isSupported: () => true,
  supported: "any version",
  modes: { "full-access": { set: [], answers: "all" } },
  open: "load",
  quiet: 500
})
