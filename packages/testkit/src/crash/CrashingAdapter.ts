import type { RelocateWay } from "@rejoin/contracts/Provider"
import type {
  AdapterSession,
  ProviderAdapterShape,
  Starting,
  StartRequest
} from "@rejoin/core/providers/ProviderAdapter"
import type { ResumeCursor } from "@rejoin/core/providers/ResumeCursor"
import { Effect } from "effect"
import { around, type Reach } from "./CrashPoint.ts"

type Relocate = (cursor: ResumeCursor, request: StartRequest) => Starting

/** An adapter that tells of every call to its provider, before and after it. */
export const crashingAdapter = (adapter: ProviderAdapterShape, reach: Reach): ProviderAdapterShape => {
  const told = around(reach)

  const sessionOf = (session: AdapterSession): AdapterSession => {
    const { interrupt, reconfigure, steer } = session
    return {
      cursor: session.cursor,
      events: session.events,
      background: session.background,
      send: (turn) => told("send", session.send(turn)),
      answer: (id, answer) => told("answer", session.answer(id, answer)),
      ...(steer && { steer: (turn) => told("steer", steer(turn)) }),
      ...(interrupt && { interrupt: told("interrupt", interrupt) }),
      ...(reconfigure && { reconfigure: (to) => told("mode", reconfigure(to)) })
    }
  }
  const start = (point: "start" | "move", starting: Starting): Starting =>
    told(
      point,
      Effect.map(starting, (started) => ({ ...started, session: sessionOf(started.session) }))
    )
  const way = (name: RelocateWay): { readonly [Way in RelocateWay]?: Relocate } => {
    const relocate = adapter.relocate[name]
    if (relocate === undefined) return {}
    const moving: Relocate = (cursor, request) => start("move", relocate(cursor, request))
    return { [name]: moving }
  }
  const { compose, quiesce, restore } = adapter
  return {
    ...adapter,
    capabilities: told("lease", adapter.capabilities),
    probe: (cursor, about) => told("probe", adapter.probe(cursor, about)),
    create: (request) => start("start", adapter.create(request)),
    adopt: (cursor, request) => start("start", adapter.adopt(cursor, request)),
    relocate: { ...way("fork"), ...way("move"), ...way("copy"), ...way("adopt") },
    ...(restore && { restore: (copy, request) => start("start", restore(copy, request)) }),
    ...(compose && { compose: (said, request) => start("start", compose(said, request)) }),
    ...(quiesce && { quiesce: (cursor, environment) => told("recover", quiesce(cursor, environment)) }),
    delivered: (cursor, id, environment) => told("recover", adapter.delivered(cursor, id, environment)),
    undo: (leftover) => told("recover", adapter.undo(leftover))
  }
}
