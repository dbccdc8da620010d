import { client, type Stream as Wire } from "@agentclientprotocol/sdk"
import { spawnAgent } from "@rejoin/agent-kit/AgentProcess"
import { hearLines } from "@rejoin/agent-kit/Lines"
import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import { Data, Deferred, Effect, Option, Predicate, Schema } from "effect"
import { Initialized, Notified, Permission, type Update } from "./AcpSchema.ts"

/** An agent said no: with a code and data, of which the words mean nothing. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly code: number
  readonly message: string
  readonly data: unknown
}> {}

export interface AcpCommand {
  readonly provider: string
  readonly command: readonly [string, ...ReadonlyArray<string>]
  readonly environment: Readonly<Record<string, string>>
  /** Of the process; a session has its own. */
  readonly cwd: string
}

/** What hears an agent, in the order in which it speaks. */
export interface Hearing {
  readonly update: (sessionId: string, update: Update) => void
  /** Answered by `reply` under its id. */
  readonly permission: (id: number | string, asked: Permission) => void
}

const decodeNotified = Schema.decodeUnknownOption(Notified)
const decodePermission = Schema.decodeUnknownOption(Permission)

/** Nobody is there to answer any more. */
class Gone extends Data.TaggedError("Gone")<{}> {}

const refusedOf = (cause: unknown): Refused | Gone =>
  Predicate.hasProperty(cause, "code") && Predicate.isNumber(cause.code)
    ? new Refused({
        code: cause.code,
        message: Predicate.hasProperty(cause, "message") ? String(cause.message) : "",
        data: Predicate.hasProperty(cause, "data") ? cause.data : undefined
      })
    : new Gone()

type Message = Wire["readable"] extends ReadableStream<infer Any> ? Any : never

/**
 * Starts an agent in the scope that ends it, and speaks with it. What it tells of its sessions and asks of its user is
 * heard as it is written: the library would hear those side by side, and drop what it does not know.
 */
export const connect = Effect.fn("Acp.connect")(function* (command: AcpCommand, hearing: Hearing) {
  const {
    command: [binary, ...args],
    cwd,
    environment,
    provider
  } = command
  const process = yield* spawnAgent({ provider, binary, args, cwd, environment })
  let incoming: ReadableStreamDefaultController<Message> | undefined
  const readable = new ReadableStream<Message>({ start: (controller) => void (incoming = controller) })
  const writable = new WritableStream<Message>({ write: (message) => process.write(JSON.stringify(message)) })
  // It is offered nothing: whatever it asks of us but an approval is answered as a method that there is not.
  const connection = client({ name: "rejoin" }).connect({ readable, writable })

  const hear = (line: string) => {
    if (!line.trimStart().startsWith("{")) return
    const message = JSON.parse(line) as Readonly<Record<string, unknown>>
    const { id, method, params } = message
    if (method === "session/update") {
      const told = Option.getOrUndefined(decodeNotified(params))
      if (told !== undefined) hearing.update(told.sessionId, told.update)
      return
    }
    if (method === "session/request_permission" && (Predicate.isNumber(id) || Predicate.isString(id))) {
      const asked = Option.getOrUndefined(decodePermission(params))
      if (asked !== undefined) {
        try {
          return hearing.permission(id, asked)
        } catch (cause) {
          // Whatever we stumble over, it is not left waiting.
          process.write(JSON.stringify({ jsonrpc: "2.0", id, result: { outcome: { outcome: "cancelled" } } }))
          throw cause
        }
      }
    }
    incoming?.enqueue(message as Message)
  }
  yield* hearLines("an agent of the Agent Client Protocol", process, hear)
  yield* Effect.forkScoped(
    Effect.andThen(
      Deferred.await(process.gone),
      Effect.sync(() => {
        connection.close()
        incoming?.error(new Error("the process has ended"))
        incoming = undefined
      })
    )
  )
  yield* Effect.addFinalizer(() => Effect.sync(() => connection.close()))

  const away = Effect.flatMap(
    Deferred.await(process.gone),
    (reason) =>
      new ProviderUnavailable({
        provider,
        message: `The agent is gone: ${reason}. ${process.complaints()}`.trim()
      })
  )

  /** The answer as it is; a no by its code. */
  const ask = (method: string, params: unknown): Effect.Effect<unknown, Refused | ProviderUnavailable> =>
    Effect.raceFirst(
      Effect.tryPromise({
        try: () => connection.agent.request(method, params),
        catch: refusedOf
      }).pipe(Effect.catchTag("Gone", () => away)),
      away
    )

  /** The answer in the shape that it must have; a no is a failure. */
  const call = <A>(schema: Schema.Decoder<A>, method: string, params: unknown) =>
    ask(method, params).pipe(
      Effect.catchTag("Refused", ({ code, data, message }) =>
        failed(`${method}: ${message}`, { code, data })
      ),
      Effect.flatMap((answer) =>
        Effect.mapError(Schema.decodeUnknownEffect(schema)(answer), () =>
          failed(`${method}: its answer cannot be read`, {})
        )
      )
    )
  const failed = (message: string, detail: Readonly<Record<string, unknown>>) =>
    new ProviderFailed({ provider, message: `The agent refused ${message.replace(/\.+$/, "")}.`, detail })

  const initialized = yield* call(Initialized, "initialize", {
    protocolVersion: 1,
    clientInfo: { name: "rejoin", title: "Rejoin", version: "1" },
    clientCapabilities: {}
  })
  if (initialized.protocolVersion !== 1)
    return yield* failed(`version 1 of the protocol: it speaks ${initialized.protocolVersion}`, {})

  return {
    initialized,
    ask,
    call,
    failed,
    notify: (method: string, params: unknown) =>
      Effect.ignore(Effect.promise(() => connection.agent.notify(method, params).catch(() => undefined))),
    reply: (id: number | string, result: unknown) =>
      process.write(JSON.stringify({ jsonrpc: "2.0", id, result })),
    gone: process.gone,
    pid: process.pid
  }
})

export type AcpConnection = Effect.Success<ReturnType<typeof connect>>
