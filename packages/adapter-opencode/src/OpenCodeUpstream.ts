import { type Fact, known, unknown } from "@rejoin/contracts/Fact"
import type { MessageId } from "@rejoin/contracts/Ids"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { RelocateWay } from "@rejoin/contracts/Provider"
import { compareMark } from "@rejoin/core/plan/Mark"
import { type History, type ModeFound, Probe } from "@rejoin/core/plan/Probe"
import type { Verified } from "@rejoin/core/providers/ProviderAdapter"
import type { AdapterFailure } from "@rejoin/core/providers/ResumeCursor"
import { Effect, type FileSystem, Option, Schedule, Schema } from "effect"
import { isNotFound, type OpenCodeClient } from "./OpenCodeClient.ts"
import type { OpenCodeCursor } from "./OpenCodeCursor.ts"
import { externalRulesOf, modeOf, rulesOf } from "./OpenCodePermissions.ts"
import { Message, Session } from "./OpenCodeSchema.ts"

const Statuses = Schema.Record(Schema.String, Schema.Struct({ type: Schema.String }))
const Asks = Schema.Array(Schema.Struct({ sessionID: Schema.String }))
const Project = Schema.Struct({ id: Schema.String })
const Messages = Schema.Array(Message)
/** How many messages are asked for first, and then. */
const [few, many] = [20, 200]
const decodeSession = Schema.decodeUnknownOption(Session)

export type OpenCodeUpstream = ReturnType<typeof makeUpstream>

/** What is asked of an OpenCode server about its sessions, and what is done to them, one fact or act at a time. */
export const makeUpstream = (client: OpenCodeClient, fs: FileSystem.FileSystem, external: boolean) => {
  const sets = external ? externalRulesOf : rulesOf
  const modeFact = ({ permission }: Session): Fact<ModeFound> =>
    known(modeOf(permission, sets) ?? "other", "store")

  const session = (sessionID: string) =>
    client.read("session", Session, (sdk, signal) => sdk.session.get({ sessionID }, { signal }))

  const messages = (sessionID: string) =>
    client.read("messages", Messages, (sdk, signal) => sdk.session.messages({ sessionID }, { signal }))

  /** Links resolved, where the directory is there: OpenCode keeps what a move was given (C15). */
  const directoryOf = ({ directory }: Session) =>
    Effect.orElseSucceed(fs.realPath(directory), () => directory)

  /** Whether the message reached the session. */
  const has = (sessionID: string, messageID: string) =>
    client
      .ask((sdk, signal) => sdk.session.message({ sessionID, messageID }, { signal }))
      .pipe(
        Effect.map((answer) => {
          if (answer._tag === "Ok") return "arrived" as const
          return isNotFound(answer) ? ("absent" as const) : ("unknown" as const)
        })
      )

  /** Answers only for the directory it is asked about. */
  const activity = Effect.fnUntraced(function* (sessionID: string, directory: string) {
    const statuses = yield* client.read("status", Statuses, (sdk, signal) =>
      sdk.session.status({ directory }, { signal })
    )
    if (statuses[sessionID] === undefined || statuses[sessionID].type === "idle") return "idle"
    const asks = yield* client.read("permissions", Asks, (sdk, signal) =>
      sdk.permission.list({ directory }, { signal })
    )
    return asks.some((ask) => ask.sessionID === sessionID) ? "waiting" : "running"
  })

  const newest = (sessionID: string, limit: number) =>
    client.read("messages", Messages, (sdk, signal) => sdk.session.messages({ sessionID, limit }, { signal }))

  /** The newest messages back to our mark, which is seldom far: all of them only where it is, or something was undone. */
  const since = Effect.fnUntraced(function* (
    { id: sessionID, revert }: Session,
    mark: MessageId,
    first: ReturnType<typeof newest>
  ) {
    for (const limit of revert?.messageID === undefined ? [few, many] : []) {
      const found = yield* limit === few ? first : newest(sessionID, limit)
      if (found.length < limit || found.some(({ info }) => info.id === mark)) return found
    }
    return yield* messages(sessionID)
  })

  /** Our mark against the history: contained and last, contained, or not there; and how much was said after it. */
  const history = (
    of: Session,
    mark: MessageId | null,
    first = newest(of.id, few)
  ): Effect.Effect<{ readonly history: History; readonly ahead: number }, AdapterFailure> => {
    if (mark === null) return Effect.succeed({ history: "unknown", ahead: 0 })
    return Effect.map(since(of, mark, first), (all) => {
      // A reverted message is still listed, and gone with the next prompt.
      const reverted = all.findIndex(({ info }) => info.id === of.revert?.messageID)
      const users = (reverted < 0 ? all : all.slice(0, reverted)).filter(({ info }) => info.role === "user")
      return compareMark(
        users.map(({ info }) => info.id),
        mark
      )
    })
  }

  /**
   * Same project: a fork can be moved there. Another one, or from a directory that is gone (a fork of which is of no
   * project): only a copy can be written there, by a program on the server's own data, which is out of reach where
   * it is somebody else's.
   */
  const ways = Effect.fnUntraced(function* (of: Session, wantedCwd: string) {
    const { id } = yield* client.read("project", Project, (sdk, signal) =>
      sdk.project.current({ directory: wantedCwd }, { signal })
    )
    const isThere = yield* Effect.orElseSucceed(fs.exists(of.directory), () => false)
    const forkable = isThere && id === of.projectID && id !== "global"
    const found: ReadonlyArray<RelocateWay> = forkable ? ["fork"] : external ? [] : ["copy"]
    return found
  })

  /** The structural probe. Only a structured 404 about this id, from the store that has it, is an absence. */
  const probe = Effect.fnUntraced(
    function* (
      { providerSessionId: sessionID }: OpenCodeCursor,
      about: { readonly mark: MessageId | null; readonly wantedCwd: string }
    ) {
      // All at once: where it is as it should be, and that is nearly always, nothing has to be asked again.
      const [answer, first, here] = yield* Effect.all(
        [
          client.ask((sdk, signal) => sdk.session.get({ sessionID }, { signal })),
          Effect.exit(about.mark === null ? Effect.succeed([]) : newest(sessionID, few)),
          Effect.exit(activity(sessionID, about.wantedCwd))
        ],
        { concurrency: "unbounded" }
      )
      if (answer._tag === "Down") return Probe.Unavailable({ cause: answer.cause })
      if (isNotFound(answer)) {
        // Whose data directory a server of somebody else looks at is not told: its 404 proves nothing (C33).
        const evidence = { status: 404, sessionID, server: external ? "external" : "own" }
        return external ? Probe.Inconclusive({ evidence }) : Probe.NotFound({ evidence })
      }
      if (answer._tag === "Refused") return Probe.Inconclusive({ evidence: { status: answer.status } })
      const found = Option.filter(decodeSession(answer.data), ({ id }) => id === sessionID)
      if (Option.isNone(found)) {
        return Probe.Inconclusive({ evidence: { status: 200, reason: "the answer is not this session" } })
      }
      const directory = yield* directoryOf(found.value)
      const [said, working] = yield* Effect.all(
        [
          history(found.value, about.mark, first),
          found.value.directory === about.wantedCwd ? here : activity(sessionID, found.value.directory)
        ],
        { concurrency: "unbounded" }
      )
      return Probe.Found({
        directory: known(directory, "store"),
        mode: modeFact(found.value),
        model: unknown("not-told"),
        ...said,
        activity: working,
        holder: "unknown",
        repairs: [],
        ...(directory !== about.wantedCwd && { ways: yield* ways(found.value, about.wantedCwd) })
      })
    },
    Effect.catch((error) => Effect.succeed(Probe.Inconclusive({ evidence: { reason: error.message } })))
  )

  /** Everything that can be read back of a session. */
  const verify = Effect.fnUntraced(function* (sessionID: string, mark: MessageId | null) {
    const found = yield* session(sessionID)
    const verified: Verified = {
      directory: known(yield* directoryOf(found), "store"),
      mode: modeFact(found),
      model: unknown("not-told"),
      history: (yield* history(found, mark)).history,
      evidence: { sessionID, rules: found.permission?.length ?? 0 }
    }
    return verified
  })

  /** Appends the mode's complete set, unless it is in force already: rules only ever grow (docs/providers/opencode.md). */
  const applyMode = Effect.fnUntraced(function* (sessionID: string, mode: RuntimeMode) {
    const { permission } = yield* session(sessionID)
    if (modeOf(permission, sets) === mode) return
    yield* client.run("permission", (sdk, signal) =>
      sdk.session.update({ sessionID, permission: [...sets[mode]] }, { signal })
    )
  })

  /** Whether something of the agent's came after this message. */
  const answered = (sessionID: string, messageId: string) =>
    Effect.map(messages(sessionID), (all) => {
      const at = all.findIndex(({ info }) => info.id === messageId)
      return at >= 0 && all.slice(at + 1).some(({ info }) => info.role === "assistant")
    })

  /** Ends what runs in the session, and waits until the server says so. */
  const quiesce = Effect.fnUntraced(function* (sessionID: string) {
    const { directory } = yield* session(sessionID)
    yield* client.run("abort", (sdk, signal) => sdk.session.abort({ sessionID, directory }, { signal }))
    yield* activity(sessionID, directory).pipe(
      Effect.repeat({ until: (activity) => activity === "idle", schedule: Schedule.spaced("100 millis") })
    )
  })

  return { client, session, messages, has, answered, activity, probe, verify, applyMode, quiesce }
}
