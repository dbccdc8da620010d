import { Metric } from "effect"

// What an operator watches, by channel. Names follow Prometheus.

export const up = Metric.gauge("rejoin_channel_up", {
  description: "1 while a chat platform is received from, else 0."
})

export const arrived = Metric.counter("rejoin_channel_messages_total", {
  description: "What came from chat platforms and was heard.",
  incremental: true
})

export const delivered = Metric.counter("rejoin_channel_parts_total", {
  description: "Parts of answers that arrived on chat platforms, or never will, by which of these.",
  incremental: true
})
