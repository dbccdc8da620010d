import { Probe } from "@rejoin/core/plan/Probe"
import type { InMemoryUpstream } from "@rejoin/core/testing/InMemoryUpstream"
import type { Fault } from "./Scenario.ts"

/** Makes the in-memory agent misbehave until it is healed. */
export const inflict = (upstream: InMemoryUpstream, fault: Fault) => {
  const { faults } = upstream
  switch (fault) {
    case "send-lost":
      return (faults.failsSend = { times: 1, arrives: false })
    case "send-arrives":
      return (faults.failsSend = { times: 1, arrives: true })
    case "send-refused":
      return (faults.failsSend = { times: 1, arrives: false, certain: true })
    case "start-fails":
      return (faults.failsAfterCreate = true)
    case "undo-fails":
      return (faults.failsUndo = true)
    case "unavailable":
      return (faults.probe = Probe.Unavailable({ cause: "it is away" }))
    case "inconclusive":
      return (faults.probe = Probe.Inconclusive({ evidence: "a 500 that says: not found" }))
    case "wrong-place":
      return (faults.directory = "/elsewhere")
    case "wrong-mode":
      return (faults.mode = "full-access")
    case "ignores-interrupt":
      return (faults.ignoresInterrupt = true)
  }
}

/** Ends every fault. */
export const heal = ({ faults }: InMemoryUpstream) => {
  for (const name of Object.keys(faults)) delete faults[name as keyof typeof faults]
}
