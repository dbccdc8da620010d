import { Schema } from "effect"
import { ChannelConfig } from "./Channel.ts"
import { ProviderInstanceId } from "./Ids.ts"
import { RuntimeMode } from "./RuntimeMode.ts"
import { SystemPrompt } from "./Thread.ts"
import { OnInterrupted, OnLimit } from "./Unattended.ts"

const Positive = Schema.Finite.check(Schema.isGreaterThan(0))

/** One provider instance in `config.json`. `env` is the operator's and reaches the agent unfiltered. */
export const ProviderConfig = Schema.Struct({
  id: ProviderInstanceId,
  driver: Schema.NonEmptyString,
  /** Path of the agent's program; without it the one that is installed is used. */
  binary: Schema.optionalKey(Schema.NonEmptyString),
  /** Of an agent that speaks the Agent Client Protocol: the program and its arguments. */
  command: Schema.optionalKey(Schema.NonEmptyArray(Schema.NonEmptyString)),
  /** An agent server, or a server of models, that somebody else runs, which is never stopped by us. */
  url: Schema.optionalKey(Schema.NonEmptyString),
  env: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  /** The home directory under which the agent keeps its data. */
  home: Schema.optionalKey(Schema.NonEmptyString),
  model: Schema.optionalKey(Schema.NonEmptyString),
  /** Of a server of models: the API that it speaks. */
  wire: Schema.optionalKey(Schema.Literals(["ollama", "openai"])),
  /** Of Ollama: the window in tokens that a model is asked for. */
  context: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))
})
export type ProviderConfig = typeof ProviderConfig.Type

export const OnLost = Schema.Literals(["replace", "refuse"])
export type OnLost = typeof OnLost.Type

export const OnWrongStore = Schema.Literals(["refuse", "restore"])
export type OnWrongStore = typeof OnWrongStore.Type

const duration = <const Name extends string>(name: Name) =>
  ({
    [`${name}Minutes`]: Schema.optionalKey(Positive),
    [`${name}Seconds`]: Schema.optionalKey(Positive)
  }) as { readonly [Key in `${Name}Minutes` | `${Name}Seconds`]: Schema.optionalKey<typeof Positive> }

/** Another program that is told what waits for its user, and what has ended. Told things are named as events are. */
export const WebhookConfig = Schema.Struct({
  url: Schema.String.check(
    Schema.isPattern(/^https?:\/\/[^\s/@]+(?:\/\S*)?$/, {
      message: "An address that begins with http:// or https://, without a name and a password in it"
    })
  ),
  /** Each body is signed with it: `x-rejoin-signature`. */
  secret: Schema.optionalKey(Schema.NonEmptyString),
  events: Schema.optionalKey(
    Schema.Array(
      Schema.Literals([
        "request.opened",
        "user-input.opened",
        "turn.completed",
        "turn.failed",
        "turn.interrupted",
        "session.refused",
        "session.stalled"
      ])
    )
  )
})
export type WebhookConfig = typeof WebhookConfig.Type

/** TLS for other machines, beside the address of this one. PEM files; both are read again when they change. */
export const TlsConfig = Schema.Struct({
  cert: Schema.NonEmptyString,
  key: Schema.NonEmptyString,
  host: Schema.optionalKey(Schema.NonEmptyString),
  port: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 })))
})
export type TlsConfig = typeof TlsConfig.Type

/** `config.json`. Every duration can be given in minutes or in seconds; seconds win. */
export const Config = Schema.Struct({
  providers: Schema.optionalKey(Schema.Array(ProviderConfig)),
  reaper: Schema.optionalKey(
    Schema.Struct({ ...duration("idle"), ...duration("sweep"), ...duration("defer") })
  ),
  retention: Schema.optionalKey(
    Schema.Struct({ sessions: Schema.optionalKey(Positive), days: Schema.optionalKey(Positive) })
  ),
  /** Our copies of the agents' own records, from which a lost conversation is restored. One may be 128 MB large. */
  transcripts: Schema.optionalKey(
    Schema.Struct({
      keep: Schema.optionalKey(Schema.Boolean),
      maxMegabytes: Schema.optionalKey(Positive)
    })
  ),
  ...duration("stall"),
  /** How long a provider may take for a call, a start, a message, and to end an interrupted turn. */
  timeouts: Schema.optionalKey(
    Schema.Struct({
      callSeconds: Schema.optionalKey(Positive),
      startSeconds: Schema.optionalKey(Positive),
      sendSeconds: Schema.optionalKey(Positive),
      interruptSeconds: Schema.optionalKey(Positive),
      /** For how long turns may go on when the server is told to end. */
      drainSeconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3600 }))),
      /** How long an agent may wait for its model before that is a usage limit. */
      retrySeconds: Schema.optionalKey(Positive)
    })
  ),
  /** What a request that opens a thread may leave out (S14); what it says wins. */
  defaults: Schema.optionalKey(
    Schema.Struct({
      runtimeMode: Schema.optionalKey(RuntimeMode),
      systemPrompt: Schema.optionalKey(SystemPrompt)
    })
  ),
  /** Variables that a request may set for its agent, beside those that are known to do no harm; `MY_*` for all that begin so. */
  extraEnv: Schema.optionalKey(Schema.Array(Schema.String.check(Schema.isPattern(/^\w+\*?$/)))),
  onLost: Schema.optionalKey(OnLost),
  /** What becomes of a thread whose agent works on another store now: refused, or restored there from our copy. */
  onWrongStore: Schema.optionalKey(OnWrongStore),
  onLimit: Schema.optionalKey(OnLimit),
  /** How long a usage limit is waited for at most. */
  ...duration("limitWait"),
  onInterrupted: Schema.optionalKey(OnInterrupted),
  webhook: Schema.optionalKey(WebhookConfig),
  channels: Schema.optionalKey(Schema.Array(ChannelConfig)),
  tls: Schema.optionalKey(TlsConfig),
  push: Schema.optionalKey(
    Schema.Struct({
      /** Whom a push service asks about us: `mailto:` or a page. */
      contact: Schema.optionalKey(
        Schema.String.check(
          Schema.isPattern(/^(mailto:|https:\/\/)\S+$/, {
            message: "An address, as mailto:ada@example.org, or a page"
          })
        )
      ),
      /** Origins of push services beside those of the known browsers. */
      services: Schema.optionalKey(
        Schema.Array(Schema.String.check(Schema.isPattern(/^https?:\/\/[^/\s@]+$/)))
      )
    })
  ),
  injectAgentNotificationHooks: Schema.optionalKey(Schema.Boolean)
})
export type Config = typeof Config.Type
