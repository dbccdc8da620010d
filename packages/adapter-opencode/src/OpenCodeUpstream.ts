import { type Fact, known, unknown } from "@rejoin/contracts/Fact"
import type { MessageId } from "@rejoin/contracts/Ids"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { RelocateWay } from "@rejoin/contracts/Provider"
import { type History, type ModeFound, Probe } from "@rejoin/core/Probe"
import type { AdapterFailure, Verified } from "@rejoin/core/ProviderAdapter"
import { Effect, type FileSystem, Schedule, Schema } from "effect"
import { isNotFound, type OpenCodeClient } from "./OpenCodeClient.ts"
import type { OpenCodeCursor } from "./OpenCodeCursor.ts"
import { modeOf, rulesOf } from "./OpenCodePermissions.ts"
import { Message, Session } from "./OpenCodeSchema.ts"

const Statuses = Schema.Record(Schema.String, Schema.Struct({ type: Schema.String }))
const Asks = Schema.Array(Schema.Struct({ sessionID: Schema.String }))
const Project = Schema.Struct({ id: Schema.String })
const Messages = Schema.Array(Message)
const decodeSession = Schema.decodeUnknownOption(Session)

/** What is asked of an OpenCode server about its sessions, and what is done to them, one fact or act at a time. */
export class OpenCodeUpstream {
  readonly client: OpenCodeClient
  readonly fs: FileSystem.FileSystem

  constructor(client: OpenCodeClient, fs: FileSystem.FileSystem) {
    this.client = client
    this.fs = fs
  }

  session(sessionID: string): Effect.Effect<Session, AdapterFailure> {
    return this.client.read("session", Session, (sdk, signal) => sdk.session.get({ sessionID }, { signal }))
  }

  messages(sessionID: string): Effect.Effect<ReadonlyArray<Message>, AdapterFailure> {
    return this.client.read("messages", Messages, (sdk, signal) =>
      sdk.session.messages({ sessionID }, { signal })
    )
  }

  /** Links resolved, where the directory is there: OpenCode keeps what a move was given (C15). */
  directoryOf({ directory }: Session): Effect.Effect<string> {
    return this.fs.realPath(directory).pipe(Effect.orElseSucceed(() => directory))
  }

  /** Whether the message reached the session. */
  has(sessionID: string, messageID: string): Effect.Effect<"arrived" | "absent" | "unknown"> {
    return this.client
      .ask((sdk, signal) => sdk.session.message({ sessionID, messageID }, { signal }))
      .pipe(
        Effect.map((answer) => (answer._tag === "Ok" ? "arrived" : isNotFound(answer) ? "absent" : "unknown"))
      )
  }

  /** Answers only for the directory it is asked about. */
  activity(
    sessionID: string,
    directory: string
  ): Effect.Effect<"idle" | "running" | "waiting", AdapterFailure> {
    const { client } = this
    return Effect.gen(function* () {
      const statuses = yield* client.read("status", Statuses, (sdk, signal) =>
        sdk.session.status({ directory }, { signal })
      )
      if (statuses[sessionID] === undefined || statuses[sessionID].type === "idle") return "idle"
      const asks = yield* client.read("permissions", Asks, (sdk, signal) =>
        sdk.permission.list({ directory }, { signal })
      )
      return asks.some((ask) => ask.sessionID === sessionID) ? "waiting" : "running"
    })
  }

  /** Our mark against the history: contained and last, contained, or not there. */
  history(session: Session, mark: MessageId | null): Effect.Effect<History, AdapterFailure> {
    if (mark === null) return Effect.succeed("unknown")
    return Effect.map(this.messages(session.id), (messages) => {
      // A reverted message is still listed, and gone with the next prompt.
      const reverted = messages.findIndex(({ info }) => info.id === session.revert?.messageID)
      const kept = reverted < 0 ? messages : messages.slice(0, reverted)
      const users = kept.filter(({ info }) => info.role === "user")
      const at = users.findIndex(({ info }) => info.id === mark)
      if (at < 0) return users.length === 0 ? "behind" : "diverged"
      return at === users.length - 1 ? "same" : "ahead"
    })
  }

  /** Same project: a fork can be moved there. Another one: only a copy can be written there. */
  ways(session: Session, wantedCwd: string): Effect.Effect<ReadonlyArray<RelocateWay>> {
    return this.client
      .read("project", Project, (sdk, signal) => sdk.project.current({ directory: wantedCwd }, { signal }))
      .pipe(
        Effect.map(({ id }): ReadonlyArray<RelocateWay> =>
          id === session.projectID && id !== "global" ? ["fork"] : ["copy"]
        ),
        Effect.orElseSucceed(() => [])
      )
  }

  /** The structural probe. Only a structured 404 about this id, from the store that has it, is an absence. */
  probe(
    cursor: OpenCodeCursor,
    about: { readonly mark: MessageId | null; readonly wantedCwd: string }
  ): Effect.Effect<Probe> {
    const sessionID = cursor.providerSessionId
    const self = this
    return Effect.gen(function* () {
      const answer = yield* self.client.ask((sdk, signal) => sdk.session.get({ sessionID }, { signal }))
      if (answer._tag === "Down") return Probe.Unavailable({ cause: answer.cause })
      if (isNotFound(answer)) return Probe.NotFound({ evidence: { status: 404, sessionID } })
      if (answer._tag === "Refused") return Probe.Inconclusive({ evidence: { status: answer.status } })
      const decoded = decodeSession(answer.data)
      if (decoded._tag === "None" || decoded.value.id !== sessionID) {
        return Probe.Inconclusive({ evidence: { status: 200, reason: "the answer is not this session" } })
      }
      const session = decoded.value
      const directory = yield* self.directoryOf(session)
      const [activity, history, ways] = yield* Effect.all([
        self.activity(sessionID, session.directory),
        self.history(session, about.mark),
        directory === about.wantedCwd ? Effect.succeed([]) : self.ways(session, about.wantedCwd)
      ])
      return Probe.Found({
        directory: known(directory, "store"),
        mode: modeFact(session),
        model: unknown("not-told"),
        history,
        activity,
        holder: "unknown",
        repairs: [],
        ...(directory !== about.wantedCwd && { ways })
      })
    }).pipe(
      Effect.catch((error) => Effect.succeed(Probe.Inconclusive({ evidence: { reason: error.message } })))
    )
  }

  /** Appends the mode's complete set, unless it is in force already: rules only ever grow (providers/opencode.md). */
  applyMode(sessionID: string, mode: RuntimeMode): Effect.Effect<Verified, AdapterFailure> {
    const { client } = this
    const self = this
    return Effect.gen(function* () {
      const before = yield* self.session(sessionID)
      if (modeOf(before.permission) !== mode) {
        yield* client.run("permission", (sdk, signal) =>
          sdk.session.update({ sessionID, permission: [...rulesOf[mode]] }, { signal })
        )
      }
      return yield* self.verify(sessionID, null)
    })
  }

  /** Everything that can be read back of a session. */
  verify(sessionID: string, mark: MessageId | null): Effect.Effect<Verified, AdapterFailure> {
    const self = this
    return Effect.gen(function* () {
      const session = yield* self.session(sessionID)
      const directory = yield* self.directoryOf(session)
      return {
        directory: known(directory, "store"),
        mode: modeFact(session),
        model: unknown("not-told"),
        history: yield* self.history(session, mark),
        evidence: { sessionID, rules: session.permission?.length ?? 0 }
      }
    })
  }

  /** Ends what runs in the session, and waits until the server says so. */
  quiesce(sessionID: string): Effect.Effect<void, AdapterFailure> {
    const { client } = this
    const self = this
    return Effect.gen(function* () {
      const { directory } = yield* self.session(sessionID)
      yield* client.run("abort", (sdk, signal) => sdk.session.abort({ sessionID, directory }, { signal }))
      yield* self
        .activity(sessionID, directory)
        .pipe(
          Effect.repeat({ until: (activity) => activity === "idle", schedule: Schedule.spaced("100 millis") })
        )
    })
  }
}

const modeFact = ({ permission }: Session): Fact<ModeFound> => known(modeOf(permission) ?? "other", "store")
