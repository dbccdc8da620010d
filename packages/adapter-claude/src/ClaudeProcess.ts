import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import { spawnAgent } from "@rejoin/agent-kit/AgentProcess"
import { hearLines } from "@rejoin/agent-kit/Lines"
import { OpenCalls } from "@rejoin/agent-kit/OpenCalls"
import { newId } from "@rejoin/core/NewId"
import type { AdapterFailure } from "@rejoin/core/providers/ResumeCursor"
import { Data, Deferred, Effect, Option, Record, Result, Schema } from "effect"
import type { ClaudeOptions } from "./ClaudeOptions.ts"
import { type ClaudeResult, resultOf } from "./ClaudeResult.ts"
import { decodeAsked, decodeFrame, type Frame } from "./ClaudeSchema.ts"

/** Claude said no and ended before it was ready: why, in its own word where it has one. */
export class StartupFailure extends Data.TaggedError("StartupFailure")<{
  readonly reason: string | undefined
  readonly message: string
}> {}

export interface ClaudeProcess {
  readonly pid: number
  readonly gone: Deferred.Deferred<string>
  readonly write: (frame: unknown) => void
  /** Asks, and reads the answer. */
  readonly control: <S extends Schema.ConstraintDecoder<unknown>>(
    answer: S,
    request: Readonly<Record<string, unknown>>
  ) => Effect.Effect<S["Type"], AdapterFailure | StartupFailure>
}

export interface ClaudeCommand {
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly extraEnv: Readonly<Record<string, string>>
  readonly onFrame: (frame: Frame) => void
}

// Inherited from a shell, the first makes sessions that are not kept, the second runs work that nobody sent, and the
// others tell that Claude runs within Claude.
const cleared = [
  "CLAUDE_CODE_SKIP_PROMPT_HISTORY",
  "CLAUDE_CODE_RESUME_INTERRUPTED_TURN",
  // With it, it waits for a limit by itself, for hours and in silence.
  "CLAUDE_CODE_RETRY_WATCHDOG",
  "CLAUDECODE",
  "CLAUDE_CODE_ENTRYPOINT"
]

const fixed = {
  CLAUDE_CODE_STARTUP_FAILURE_RESULTS: "1",
  CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: "1",
  DISABLE_AUTOUPDATER: "1"
}

export const environmentOf = (
  environment: Readonly<Record<string, string>>,
  extraEnv: Readonly<Record<string, string>>
): Readonly<Record<string, string>> => ({
  // Ten, its own default, are three minutes.
  CLAUDE_CODE_MAX_RETRIES: "5",
  ...Record.filter(environment, (_, name) => !cleared.includes(name)),
  ...extraEnv,
  ...fixed
})

const always = [
  "-p",
  "--input-format",
  "stream-json",
  "--output-format",
  "stream-json",
  "--verbose",
  "--permission-prompt-tool",
  "stdio",
  "--replay-user-messages",
  "--include-partial-messages",
  // For this process: without it, it deletes what was not used for 30 days, other conversations of ours too.
  "--settings",
  JSON.stringify({ cleanupPeriodDays: 3650 })
]

/** One Claude for one session, in the scope that ends it. It says nothing before it is asked. */
export const startProcess = Effect.fn("Claude.spawn")(function* (
  options: ClaudeOptions,
  start: ClaudeCommand
) {
  const { binary, environment, id } = options
  const process = yield* spawnAgent({
    provider: id,
    binary,
    args: [...always, ...start.args],
    cwd: start.cwd,
    environment: environmentOf(environment, start.extraEnv)
  })
  const calls = new OpenCalls<AdapterFailure>()
  let last: ClaudeResult | undefined

  const write = (frame: unknown) => process.write(JSON.stringify(frame))

  const receive = (line: string) => {
    const json = Result.try(() => JSON.parse(line) as unknown)
    const frame = Result.isSuccess(json) ? decodeFrame(json.success) : Option.none()
    if (Option.isNone(frame)) {
      // What we cannot do is said at once: an agent that waits for an answer waits for ever.
      const asked = Result.isSuccess(json) ? decodeAsked(json.success) : Option.none()
      if (Option.isSome(asked)) {
        const { request, request_id } = asked.value
        const error = `Rejoin does not know ${request.subtype}.`
        write({ type: "control_response", response: { subtype: "error", request_id, error } })
      }
      return
    }
    const { value } = frame
    if (value.type === "result") last = resultOf(value)
    if (value.type !== "control_response") return start.onFrame(value)
    // Our own answers are echoed: theirs are no ids of ours.
    const { response } = value
    calls.answer(
      response.request_id,
      response.subtype === "success"
        ? Effect.succeed(response.response)
        : Effect.fail(
            new ProviderFailed({
              provider: id,
              message: `Claude refused: ${response.error}`,
              ...(response.error_code !== undefined && { detail: { code: response.error_code } })
            })
          )
    )
  }
  yield* hearLines("Claude", process, receive)

  const ended = (reason: string): AdapterFailure | StartupFailure => {
    if (last?.isError === true && last.answered.length === 0) {
      return new StartupFailure({ reason: last.startupFailure, message: last.errors || reason })
    }
    const said = process.complaints()
    return new ProviderUnavailable({
      provider: id,
      message: `Claude has ended: ${reason}.${said === "" ? "" : ` ${said}`}`
    })
  }
  const control: ClaudeProcess["control"] = Effect.fnUntraced(function* (answer, request) {
    const request_id = yield* newId("ctl")
    const response = yield* calls.ask(
      request_id,
      () => write({ type: "control_request", request_id, request }),
      Effect.flatMap(Deferred.await(process.gone), (reason) => Effect.fail(ended(reason)))
    )
    return yield* Schema.decodeUnknownEffect(answer)(response).pipe(
      Effect.mapError(
        (error) =>
          new ProviderFailed({
            provider: id,
            message: `Claude's answer to ${String(request["subtype"])} is not what this adapter knows: ${error.message}`
          })
      )
    )
  })

  const started: ClaudeProcess = { pid: process.pid, gone: process.gone, write, control }
  return started
})
