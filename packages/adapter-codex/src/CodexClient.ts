import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import type { AgentProcess } from "@rejoin/agent-kit/AgentProcess"
import { OpenCalls } from "@rejoin/agent-kit/OpenCalls"
import type { AdapterFailure } from "@rejoin/core/providers/ResumeCursor"
import { Data, Deferred, Effect, Option, Result, Schema } from "effect"
import {
  decodeEnvelope,
  decodeNotification,
  decodeRateLimits,
  decodeServerRequest,
  type Notification,
  type RateLimits,
  type RequestId,
  type ServerRequest
} from "./CodexSchema.ts"

/** The server's own no. Its code says nothing of why: nearly all are -32600 (docs/providers/codex.md: Errors). */
export class Refused extends Data.TaggedError("Refused")<{
  readonly method: string
  readonly code: number
  readonly message: string
}> {}

interface Hears {
  readonly notification: (notification: Notification) => void
  readonly request: (request: ServerRequest) => void
  readonly limits: (limits: RateLimits) => void
}

/** Requests and answers over lines, in both directions; their ids are two spaces. */
export class CodexClient {
  readonly provider: string
  private readonly process: AgentProcess
  private readonly hears: Hears
  private readonly calls = new OpenCalls<Refused>()
  /** How many lines it has said. */
  heard = 0
  private ids = 0

  constructor(provider: string, process: AgentProcess, hears: Hears) {
    this.provider = provider
    this.process = process
    this.hears = hears
  }

  /** Whether it has not answered yet what it was asked. */
  owes(): boolean {
    return this.calls.owes
  }

  readonly receive = (line: string): void => {
    this.heard++
    const json = Result.try(() => JSON.parse(line) as unknown)
    const message = Result.isSuccess(json) ? decodeEnvelope(json.success) : Option.none()
    if (Option.isNone(message)) return
    const { error, id, method, result } = message.value
    if (method === undefined) {
      const refused = error && Effect.fail(new Refused({ method: "", ...error }))
      return void this.calls.answer(String(id), refused ?? Effect.succeed(result))
    }
    if (id === undefined) {
      const notification = decodeNotification(message.value)
      if (Option.isSome(notification)) return this.hears.notification(notification.value)
      const limits = decodeRateLimits(message.value)
      if (Option.isSome(limits)) this.hears.limits(limits.value.params.rateLimits)
      return
    }
    const request = decodeServerRequest(message.value)
    if (Option.isSome(request)) return this.hears.request(request.value)
    // What we cannot do is said at once: an agent that waits for an answer waits for ever.
    this.refuse(id, `Rejoin does not know ${method}.`)
  }

  refuse(id: RequestId, message: string): void {
    this.write({ id, error: { code: -32_601, message } })
  }

  private write(message: unknown): void {
    this.process.write(JSON.stringify(message))
  }

  notify(method: string): void {
    this.write({ method })
  }

  respond(id: RequestId, result: unknown): void {
    this.write({ id, result })
  }

  /** Asks, and tells the server's own no apart from what proves nothing. */
  ask<S extends Schema.ConstraintDecoder<unknown>>(
    answer: S,
    method: string,
    params: unknown
  ): Effect.Effect<S["Type"], AdapterFailure | Refused> {
    return Effect.suspend(() => {
      const id = ++this.ids
      const gone = Effect.flatMap(Deferred.await(this.process.gone), (reason) =>
        Effect.fail(this.gone(reason))
      )
      return this.calls
        .ask(String(id), () => this.write({ id, method, params }), gone)
        .pipe(
          Effect.catchTag("Refused", ({ code, message }) =>
            Effect.fail(new Refused({ method, code, message }))
          ),
          Effect.flatMap((result) =>
            Effect.mapError(Schema.decodeUnknownEffect(answer)(result), (error) =>
              this.failed(`the answer to ${method} is not what this adapter knows: ${error.message}`)
            )
          )
        )
    })
  }

  /** Asks what is not refused when all is well: a no is a failure. */
  call<S extends Schema.ConstraintDecoder<unknown>>(
    answer: S,
    method: string,
    params: unknown
  ): Effect.Effect<S["Type"], AdapterFailure> {
    return this.ask(answer, method, params).pipe(
      Effect.catchTag("Refused", (refused) => Effect.fail(this.refused(refused)))
    )
  }

  refused({ code, message, method }: Refused): ProviderFailed {
    return new ProviderFailed({
      provider: this.provider,
      message: `Codex refused ${method}: ${message}`,
      detail: { code }
    })
  }

  failed(why: string): ProviderFailed {
    return new ProviderFailed({ provider: this.provider, message: `Codex: ${why}.` })
  }

  gone(reason: string): ProviderUnavailable {
    const said = this.process.complaints()
    return new ProviderUnavailable({
      provider: this.provider,
      message: `Codex has ended: ${reason}.${said === "" ? "" : ` ${said}`}`
    })
  }
}
