import type { ProviderAdapterShape } from "@rejoin/core/providers/ProviderAdapter"
import type { ResumeCursor } from "@rejoin/core/providers/ResumeCursor"
import type { Failure } from "@rejoin/contracts/Failure"
import { toFailure } from "@rejoin/contracts/Errors"
import { type NoCursor, plan } from "@rejoin/core/plan/Plan"
import { Probe } from "@rejoin/core/plan/Probe"
import { ProviderCall } from "@rejoin/core/providers/ProviderCall"
import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
import type { Binding, ThreadRecord } from "@rejoin/core/store/Records"
import { Settings } from "@rejoin/core/Settings"
import { environmentOf } from "@rejoin/core/trust/Loading"
import { loadingFor } from "@rejoin/core/trust/RepoTrust"
import { WorkingDirectory } from "@rejoin/core/threads/WorkingDirectory"
import type { Inspection } from "@rejoin/persistence/Inspection"
import { Clock, DateTime, Effect, Option } from "effect"
import type { Finding } from "./Finding.ts"

const day = 86_400_000
/** Days before an agent deletes a conversation of which that is told. */
const soon = 10

/** When the agent itself will delete the conversation, where that is soon. */
const expiring = Effect.fnUntraced(function* (
  adapter: ProviderAdapterShape,
  cursor: ResumeCursor,
  about: string
) {
  const { expiry } = adapter
  if (expiry === undefined) return []
  const at = yield* Effect.option(expiry.at(cursor))
  const left = (Option.getOrUndefined(Option.flatten(at)) ?? Infinity) - (yield* Clock.currentTimeMillis)
  if (left > soon * day) return []
  const date = Option.map(Option.flatten(at), (ms) => DateTime.formatIsoDate(DateTime.makeUnsafe(ms)))
  const finding: Finding = {
    check: "transcript",
    about,
    severity: "warning",
    message: `The agent deletes this conversation after ${Option.getOrElse(date, () => "")} if nobody goes on with it.`,
    fix: { does: `Makes the transcript of ${about} count as used today.`, run: expiry.renew(cursor) }
  }
  return [finding]
})

/** What could not be given back, were it lost now: a server that was killed leaves it behind, as an older version did. */
const behind = (threads: ReadonlyArray<string>): ReadonlyArray<Finding> => {
  const [first] = threads
  if (first === undefined) return []
  const more = threads.length > 3 ? ` and ${threads.length - 3} more` : ""
  return [
    {
      check: "transcript",
      about: threads.length === 1 ? first : `${threads.length} conversations`,
      severity: "warning",
      message: `We hold no copy that goes to the last message, from which it could be restored if the agent lost it: ${threads.slice(0, 3).join(", ")}${more}.`,
      hint: "It is taken when the thread is next used."
    }
  ]
}

/**
 * What the next message would do to each conversation, by the plan that decides it then: whether its directory is
 * there, whether the upstream still has it, with our last message in it. Nothing is started that changes anything.
 */
export const conversations = Effect.fn("conversations")(function* (
  { bindings, threads, transcripts, trusted }: Inspection,
  usable: ReadonlySet<string>,
  options: {
    /** A server of ours works on them now. */
    readonly held: boolean
    readonly progress: (done: number, of: number) => Effect.Effect<void>
  }
) {
  const registry = yield* ProviderRegistry
  const directories = yield* WorkingDirectory
  const settings = yield* Settings
  const call = yield* ProviderCall
  const sessions = new Map(bindings.map(({ providerSessionId, threadId }) => [threadId, providerSessionId]))
  const copies = new Map(
    transcripts.flatMap((head) => {
      const isBound = sessions.get(head.threadId) === head.providerSessionId
      return isBound ? [[head.threadId, head] as const] : []
    })
  )
  const records = new Map(threads.map((thread) => [thread.id, thread]))
  const left: Array<string> = []
  let done = 0

  const ofThread = Effect.fnUntraced(function* (thread: ThreadRecord, binding: Binding) {
    const about = thread.id
    const findings: Array<Finding> = []
    const problem = (check: string, { hint, message }: Pick<Failure, "message" | "hint">) =>
      findings.push({ check, about, severity: "problem", message, ...(hint !== undefined && { hint }) })
    const there = yield* Effect.result(
      Effect.forEach([thread.cwd, ...thread.additionalDirectories], directories.unchanged)
    )
    if (there._tag === "Failure") problem("directory", toFailure(there.failure))
    // One in which nothing was ever said has nothing to lose. What an agent that is away has, nobody knows.
    if ((binding.prior === "none" && binding.providerSessionId === null) || !usable.has(binding.instanceId))
      return findings
    const adapter = yield* registry.get(binding.instanceId)
    const loading = yield* loadingFor(adapter, [thread.cwd, ...thread.additionalDirectories], (path) =>
      Effect.succeed(Option.fromUndefinedOr(trusted.find((directory) => directory.path === path)))
    )
    if (loading._tag === "Refused") problem("trust", toFailure(loading.error))
    const capabilities = yield* call.within(adapter, "detect", adapter.capabilities)
    const cursor = adapter.decodeCursor(binding.cursor)
    const wanted = { cwd: thread.cwd, mode: thread.runtimeMode, model: thread.model }
    const probe: Probe | NoCursor = Option.isNone(cursor)
      ? { _tag: "NoCursor" }
      : yield* adapter
          .probe(cursor.value, { ...environmentOf(thread), mark: binding.mark, wantedCwd: thread.cwd })
          .pipe(
            Effect.timeoutOrElse({
              duration: settings.callTimeout,
              orElse: () => Effect.succeed(Probe.Inconclusive({ evidence: "the probe timed out" }))
            })
          )
    const copy = copies.get(thread.id)
    const decision = plan({
      provider: adapter.id,
      prior: binding.prior,
      reset: binding.resetRequested,
      atTerminal: false,
      loads: null,
      boundCwd: binding.cwd,
      providerSessionId: binding.providerSessionId,
      // What our own server has open, it may have.
      probe: options.held && probe._tag === "Found" ? { ...probe, holder: "ours" } : probe,
      wanted,
      capabilities,
      transcript: copy !== undefined,
      onLost: settings.onLost,
      restores: settings.onWrongStore === "restore"
    })
    if (decision._tag === "Refuse") problem("conversation", toFailure(decision.error))
    if (decision._tag === "Replace" && !binding.resetRequested) {
      problem("conversation", {
        message: `The next message starts anew, without what was said: ${decision.reason}.`,
        hint: "Restore the agent's data before you send, or go on anew."
      })
    }
    if (decision._tag === "Restore") {
      findings.push({
        check: "conversation",
        about,
        severity: "warning",
        message: "The agent has lost this conversation: the next message restores it from our copy."
      })
    }
    if (Option.isSome(cursor)) findings.push(...(yield* expiring(adapter, cursor.value, about)))
    // Where a server of ours runs, it may be about to take it.
    const isHeld = binding.mark === null || copy?.mark === binding.mark
    if (settings.transcripts.keep && capabilities.restore && !options.held && !isHeld) left.push(about)
    return findings
  })

  const found = yield* Effect.forEach(
    bindings,
    (binding) => {
      const thread = records.get(binding.threadId)
      // A thread whose record cannot be read is told of by the database's check.
      const checked: Effect.Effect<ReadonlyArray<Finding>> =
        thread === undefined
          ? Effect.succeed([])
          : ofThread(thread, binding).pipe(
              Effect.catch((error) =>
                Effect.succeed([
                  {
                    check: "conversation",
                    about: thread.id,
                    severity: "warning" as const,
                    message: error.message
                  }
                ])
              )
            )
      return Effect.tap(checked, () => Effect.suspend(() => options.progress(++done, bindings.length)))
    },
    { concurrency: 4 }
  )
  return [...found.flat(), ...behind(left)]
})
