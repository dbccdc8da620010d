import type { Responder } from "@rejoin/model-server/Model"
import { Clock, Effect } from "effect"
import type { Agent } from "./Agents.ts"
import { scripted } from "./Scripted.ts"
import type { World } from "./World.ts"

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds

/** What the API of an agent's own provider says when an account has used what it may, for so many seconds. */
const refusals: Readonly<Record<Agent, (seconds: number) => Readonly<Record<string, string>>>> = {
  opencode: (seconds) => ({ "retry-after": String(seconds) }),
  codex: (seconds) => ({
    "x-codex-primary-used-percent": "100",
    "x-codex-primary-window-minutes": "300",
    "x-codex-primary-reset-at": String(inSeconds(seconds)),
    "x-codex-secondary-used-percent": "42.5",
    "x-codex-secondary-window-minutes": "10080",
    "x-codex-secondary-reset-at": String(inSeconds(604_800))
  }),
  claude: (seconds) => ({
    "anthropic-ratelimit-unified-status": "rejected",
    "anthropic-ratelimit-unified-reset": String(inSeconds(seconds)),
    "anthropic-ratelimit-unified-representative-claim": "five_hour",
    "anthropic-ratelimit-unified-5h-utilization": "1",
    "anthropic-ratelimit-unified-5h-reset": String(inSeconds(seconds)),
    "anthropic-ratelimit-unified-7d-utilization": "0.4",
    "anthropic-ratelimit-unified-7d-reset": String(inSeconds(604_800))
  })
}

/** As agents name the limit that is met so. */
export const scopes: Readonly<Record<Agent, string>> = {
  opencode: "retry",
  codex: "primary",
  claude: "five_hour"
}

/** The scripted model, whose account is used up for so many seconds where its user's last word is `limit <seconds>`. */
export const limitedModel =
  (agent: Agent): Responder =>
  (conversation) => {
    const seconds = /^limit (\d+)/.exec(conversation.said.at(-1) ?? "")?.[1]
    if (seconds === undefined) return scripted(conversation)
    const error = agent === "codex" ? { error: { type: "usage_limit_reached", plan_type: "pro" } } : {}
    return {
      _tag: "Fail",
      status: 429,
      message: "The usage limit is reached.",
      headers: refusals[agent](Number(seconds)),
      ...error
    }
  }

/** The same, as it is said to an agent that tells no end of it. */
export const refusingModel: Responder = (conversation) => {
  if (!(conversation.said.at(-1) ?? "").startsWith("limit")) return scripted(conversation)
  return {
    _tag: "Fail",
    status: 429,
    message: "The usage limit is reached.",
    headers: { "retry-after": "600" },
    // Gemini's: else it tries for minutes, in silence.
    error: {
      details: [
        {
          "@type": "type.googleapis.com/google.rpc.QuotaFailure",
          violations: [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel" }]
        }
      ]
    }
  }
}

/** Claude tells of limits where it is logged in with a subscription, and not with a key. */
export const withSubscription = Effect.fnUntraced(function* (world: World, config: Record<string, unknown>) {
  yield* world.fs.writeFileString(
    `${world.at("claude")}/.credentials.json`,
    JSON.stringify({
      claudeAiOauth: {
        accessToken: "none",
        refreshToken: "none",
        expiresAt: (yield* Clock.currentTimeMillis) + 86_400_000,
        scopes: ["user:inference", "user:profile"],
        subscriptionType: "max"
      }
    })
  )
  const providers = world.providers.map((provider) => {
    if (provider.driver !== "claude" || provider.env === undefined) return provider
    const { ANTHROPIC_API_KEY: _, ...env } = provider.env as Record<string, string>
    return { ...provider, env }
  })
  yield* world.configure({ ...config, providers })
})
