import { Metric } from "effect"

// What an operator watches. Names follow Prometheus; `outcome` and `status` are attributes.

export const starts = Metric.counter("rejoin_session_starts_total", {
  description: "Starts of sessions, by what they did with the conversation.",
  incremental: true
})

export const turns = Metric.counter("rejoin_turns_total", {
  description: "Settled turns, by how they ended.",
  incremental: true
})

export const ends = Metric.counter("rejoin_session_ends_total", {
  description: "Ended sessions, by what ended them.",
  incremental: true
})

export const live = Metric.gauge("rejoin_sessions_live", { description: "Sessions that are alive now." })

export const events = Metric.counter("rejoin_events_total", {
  description: "Events written.",
  incremental: true
})
