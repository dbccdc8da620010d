import { modelFailure, refusalOf } from "@rejoin/agent-kit/ModelFailure"
import type { Failure } from "@rejoin/contracts/Failure"
import { Effect, type FileSystem, Option, Schema } from "effect"
import { join } from "node:path"
import { type AcpStore, type Growing, makeFolded, nothingRecorded, Unreadable } from "../AcpStore.ts"

export const copilotHome = (environment: Readonly<Record<string, string>>): string =>
  environment["COPILOT_HOME"] ?? join(environment["HOME"] ?? "", ".copilot")

const Context = Schema.optionalKey(Schema.Struct({ cwd: Schema.optionalKey(Schema.String) }))
const Line = Schema.Union([
  Schema.Struct({
    type: Schema.Literals(["session.start", "session.resume"]),
    data: Schema.Struct({ context: Context })
  }),
  Schema.Struct({
    type: Schema.Literal("user.message"),
    data: Schema.Struct({
      content: Schema.String,
      messageId: Schema.String,
      /** Not its user: what the agent tells itself. */
      source: Schema.optionalKey(Schema.String)
    })
  }),
  Schema.Struct({
    type: Schema.Literal("session.error"),
    data: Schema.Struct({
      message: Schema.String,
      statusCode: Schema.optionalKey(Schema.Int),
      originatingMessageId: Schema.optionalKey(Schema.String)
    })
  })
])
const decode = Schema.decodeUnknownOption(Line)

const failureOf = (message: string, status: number | undefined): Failure =>
  modelFailure({
    provider: "copilot",
    agent: "Copilot",
    message,
    refusal: refusalOf(status),
    detail: { status: status ?? null }
  })

const fold = (state: Growing, raw: unknown): Growing => {
  const line = Option.getOrUndefined(decode(raw))
  switch (line?.type) {
    case "session.start":
    case "session.resume":
      return { ...state, cwd: line.data.context?.cwd ?? state.cwd }
    case "user.message": {
      const { content: text, messageId: id, source } = line.data
      if (source !== undefined) return state
      const message = { id, text, ...(state.cwd !== undefined && { cwd: state.cwd }) }
      state.messages.push(message)
      return { ...state, failure: undefined }
    }
    case "session.error":
      return { ...state, failure: failureOf(line.data.message, line.data.statusCode) }
    default:
      return state
  }
}

/** A number of a process may be another's by now. Where the system does not tell whose it is, it counts. */
const isCopilot = (fs: FileSystem.FileSystem, pid: number) =>
  Effect.gen(function* () {
    if (!(yield* fs.exists("/proc/self"))) return isAlive(pid)
    return (yield* fs.readFileString(`/proc/${pid}/cmdline`)).includes("copilot")
  }).pipe(Effect.orElseSucceed(() => false))

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** `session-state/<id>/`: the events of a session, a line each, written about 110 ms after they were. */
export const copilotStore = (
  fs: FileSystem.FileSystem,
  environment: Readonly<Record<string, string>>
): AcpStore => {
  const root = copilotHome(environment)
  const folded = makeFolded<Growing>(fs, nothingRecorded, fold)
  const directory = (id: string) => join("session-state", id)
  const unreadable = ({ message }: { readonly message: string }) => new Unreadable({ message })
  return {
    root,
    prompt: false,
    read: (id) =>
      Effect.gen(function* () {
        const path = join(root, directory(id), "events.jsonl")
        if (!(yield* fs.exists(path))) return Option.none()
        return Option.some(yield* folded(path))
      }).pipe(Effect.mapError(unreadable)),
    files: (id) =>
      Effect.succeed(["events.jsonl", "workspace.yaml"].map((name) => join(directory(id), name))),
    isRecord: (file, id) =>
      ["events.jsonl", "workspace.yaml"].some((name) => file === join(directory(id), name)),
    holder: (id) =>
      fs.readDirectory(join(root, directory(id))).pipe(
        Effect.map((names) =>
          names.map((name) => Number(/^inuse\.(\d+)\.lock$/.exec(name)?.[1])).filter(Number.isInteger)
        ),
        Effect.flatMap(Effect.filter((pid) => isCopilot(fs, pid))),
        Effect.map(([pid]) => pid),
        Effect.orElseSucceed(() => undefined)
      ),
    discard: (id) =>
      Effect.gen(function* () {
        if (!/^[\w-]+$/.test(id)) return
        const path = join(root, directory(id))
        if (yield* fs.exists(join(path, "events.jsonl"))) return
        yield* fs.remove(path, { recursive: true, force: true })
      }).pipe(Effect.ignore)
  }
}
