import { known, unknown } from "@rejoin/contracts/Fact"
import type { MessageId } from "@rejoin/contracts/Ids"
import { type Found, Probe, type Repair } from "@rejoin/core/plan/Probe"
import { Effect, type FileSystem, Option, Predicate } from "effect"
import type { CodexCursor } from "./CodexCursor.ts"
import { type CodexRollouts, markIn } from "./CodexRollouts.ts"
import { ReadThread } from "./CodexSchema.ts"
import type { CodexServer } from "./CodexServer.ts"
import type { CodexConnection } from "./CodexSession.ts"
import { heldBy, writerOf } from "./CodexWriters.ts"

interface Needs {
  readonly fs: FileSystem.FileSystem
  readonly home: string
  readonly rollouts: CodexRollouts
}

/** What the server says of the thread: the code of its no, nothing of its words. */
const readThread = ({ client }: CodexServer, threadId: string) =>
  client.ask(ReadThread, "thread/read", { threadId, includeTurns: false }).pipe(
    Effect.map(({ thread }) => ({ thread, code: undefined })),
    Effect.catchTag("Refused", ({ code }) => Effect.succeed({ thread: undefined, code }))
  )

/**
 * The structural probe: Codex has no code for an absence, so it is read off its index, its files and the code of a
 * read together (docs/providers/codex.md: Errors). No text is ever looked at.
 */
export const makeProbe = ({ fs, home, rollouts }: Needs) => {
  const look = Effect.fnUntraced(function* (server: CodexServer, threadId: string) {
    const { files, row, rowHolds } = yield* rollouts.located(threadId)
    const { code, thread } = yield* readThread(server, threadId)
    return { row, files, code, thread, rowHolds, evidence: { threadId, row, files, code: code ?? null } }
  })

  const probe = Effect.fn("Codex.probe")(
    function* (
      server: CodexServer,
      { lineage, providerSessionId: threadId }: CodexCursor,
      mark: MessageId | null,
      live: CodexConnection | undefined
    ) {
      const { code, evidence, files, row, rowHolds, thread } = yield* look(server, threadId)
      if (files.length === 0 && live === undefined) {
        // Only where index, files and server agree is it gone.
        if (row === null && code === -32600) return Probe.NotFound({ evidence })
        // The index knows it and its file is not there: there was a history, and nothing tells where it is.
        if (row !== null) return Probe.Corrupt({ evidence })
        return Probe.Inconclusive({ evidence })
      }
      if (code === -32603) return Probe.Corrupt({ evidence })
      if (thread === undefined && live === undefined) return Probe.Inconclusive({ evidence })
      if (files.length > 1 && !rowHolds) return Probe.Ambiguous({ candidates: files })
      const path = files.find((file) => file === row) ?? files[0]
      const conversation = path === undefined ? Option.none() : yield* rollouts.conversation(path)
      const missing = Option.getOrUndefined(conversation)?.missing
      if (missing !== undefined) return Probe.Corrupt({ evidence: { ...evidence, missing, lineage } })
      const repairs: Array<Repair> = []
      if (live === undefined && row !== null && !rowHolds) repairs.push("reindex")
      if (path?.startsWith(`${home}/archived_sessions/`)) repairs.push("unarchive")
      const writer = yield* writerOf(fs, home, threadId)
      const settings = live?.settings()
      const directory = thread && (yield* Effect.orElseSucceed(fs.realPath(thread.cwd), () => thread.cwd))
      return Probe.Found({
        directory: directory === undefined ? unknown("not-told") : known(directory, "store"),
        // What is in force is known of a live one only: a resume sends everything anew.
        mode: settings === undefined ? unknown("not-told") : known(settings.mode, "answer"),
        model: settings?.model == null ? unknown("not-told") : known(settings.model, "answer"),
        ...markIn(conversation, mark),
        activity: live?.activity() ?? "idle",
        holder:
          live !== undefined
            ? "ours"
            : Predicate.isNumber(writer)
              ? writer === server.pid
                ? "ours"
                : "other"
              : writer === null
                ? "none"
                : "unknown",
        repairs
      })
    },
    Effect.catchTags({
      IndexUnreadable: ({ message }) => Effect.succeed(Probe.Inconclusive({ evidence: { reason: message } })),
      PlatformError: ({ message }) => Effect.succeed(Probe.Inconclusive({ evidence: { reason: message } }))
    })
  )

  /** By which descriptor the server of a connection held the lock of its thread when it was last asked. */
  const descriptors = new WeakMap<CodexConnection, string>()

  /**
   * As long as our server holds the writer's lock of a thread, nobody else writes it: it is as we left it
   * (docs/providers/codex.md: Another directory). Where the system does not tell who holds it, that is a doubt.
   */
  const glance = Effect.fn("Codex.glance")(function* (live: CodexConnection, threadId: string) {
    const settings = live.settings()
    if (!live.isOpen()) return Option.none()
    const last = descriptors.get(live)
    const descriptor = yield* heldBy(fs, home, threadId, { pid: live.server.pid, known: last })
    if (descriptor === undefined) return Option.none()
    descriptors.set(live, descriptor)
    const found: Found = Probe.Found({
      directory: known(live.directory, "answer"),
      mode: known(settings.mode, "answer"),
      model: settings.model === null ? unknown("not-told") : known(settings.model, "answer"),
      history: "same",
      ahead: 0,
      activity: live.activity(),
      holder: "ours",
      repairs: []
    })
    return Option.some(found)
  })

  /**
   * Whether a message of ours is in the conversation. A turn that began and of which nothing was written may have had
   * it: that is not known.
   */
  const delivered = Effect.fnUntraced(function* (threadId: string, messageId: MessageId) {
    // All of a thread's files: one that its user rewound since had it all the same, and ran it.
    const paths = yield* rollouts.find(threadId)
    if (paths.length === 0) return "unknown" as const
    let openEnded = false
    for (const path of paths) {
      const conversation = Option.getOrUndefined(yield* rollouts.conversation(path))
      if (conversation === undefined) return "unknown" as const
      if (conversation.messages.some(({ clientId }) => clientId === messageId)) return "arrived" as const
      openEnded ||= conversation.rollout.openEnded
    }
    return openEnded ? ("unknown" as const) : ("absent" as const)
  })

  return { probe, glance, delivered }
}
