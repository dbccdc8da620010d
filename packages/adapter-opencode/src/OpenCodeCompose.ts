import { changedBy } from "@rejoin/agent-kit/Diff"
import { outputOf, toldOfChange, toldOfTool } from "@rejoin/agent-kit/Told"
import { MessageId } from "@rejoin/contracts/Ids"
import type { FileChange } from "@rejoin/contracts/Item"
import type { Conversation, Said } from "@rejoin/core/conversation/Conversation"
import { newId } from "@rejoin/core/NewId"
import { Effect } from "effect"
import type { Export } from "./OpenCodeCopy.ts"

type Json = Readonly<Record<string, unknown>>
type User = Extract<Said, { readonly _tag: "User" }>

interface Call {
  readonly tool: string
  readonly title: string
  readonly input: Json
  readonly output: string
  readonly metadata: Json
  readonly failed: boolean
}

/** A change with OpenCode's own tools; undefined where what changed is not known. */
const callsOf = ({ diff, path: filePath }: FileChange, failed: boolean): ReadonlyArray<Call> | undefined => {
  const changed = changedBy(diff)
  if (changed === undefined) return undefined
  const base = { title: filePath, output: failed ? "The file was not changed." : "Edit applied.", failed }
  if (changed._tag === "Added") {
    return [{ ...base, tool: "write", input: { filePath, content: changed.content }, metadata: {} }]
  }
  return changed.edits.map(({ after, before }) => ({
    ...base,
    tool: "edit",
    input: { filePath, oldString: before, newString: after },
    metadata: { diff }
  }))
}

/** What was done, as calls of OpenCode's tools, or as what it said where it has no such tool. */
const doneOf = (what: Exclude<Said, User>): string | ReadonlyArray<Call> => {
  switch (what._tag) {
    case "Assistant":
      return what.text
    case "Tool":
      return toldOfTool(what)
    case "Command": {
      const { command, exitCode } = what
      const output = outputOf(what)
      const metadata = { output, exit: exitCode, truncated: false }
      const input = { command, description: command.slice(0, 80) }
      return [{ tool: "bash", title: command, input, output, metadata, failed: false }]
    }
    case "Change": {
      const calls = what.changes.map((change) => callsOf(change, what.failed))
      return calls.some((found) => found === undefined)
        ? toldOfChange(what)
        : calls.flatMap((found) => found ?? [])
    }
  }
}

interface Place {
  readonly sessionId: string
  readonly title: string
  readonly cwd: string
  readonly version: string
  readonly model: { readonly providerID: string; readonly modelID: string }
}

export interface Composed {
  readonly document: Export
  /** Which id each message of its user's has in it, by the one that it had. */
  readonly renamed: ReadonlyMap<string, string>
  readonly mark: MessageId | null
}

/** A document that OpenCode imports, of a conversation that was held with another agent. */
export const composed = Effect.fn("OpenCode.composed")(function* ({ said }: Conversation, place: Place) {
  const { cwd, model, sessionId, title, version } = place
  const base = (yield* newId("x")).slice(2)
  const messages: Array<{ readonly info: Json; readonly parts: ReadonlyArray<Json> }> = []
  const renamed = new Map<string, string>()
  let count = 0
  // Ids in the order of what was said: the history is ordered by time and id.
  const numbered = (prefix: string) => `${prefix}_${base}${String(count++).padStart(6, "0")}`
  let parentID: string | undefined
  let last = 0
  const add = (info: Json, parts: ReadonlyArray<Json>) => {
    const id = numbered("msg")
    const own = parts.map((part) => ({ ...part, id: numbered("prt"), sessionID: sessionId, messageID: id }))
    messages.push({ info: { ...info, id, sessionID: sessionId }, parts: own })
    return id
  }
  const answer = (time: number, finish: string, part: Json) =>
    add(
      {
        role: "assistant",
        time: { created: time, completed: time },
        parentID: parentID ?? "",
        ...model,
        mode: "build",
        agent: "build",
        path: { cwd, root: cwd },
        cost: 0,
        tokens: { input: 0, output: 0, reasoning: 0, cache: { read: 0, write: 0 } },
        finish
      },
      [{ type: "step-start" }, part]
    )
  for (const { at, what } of said) {
    const time = Math.max(Date.parse(at), last)
    last = time
    if (what._tag === "User") {
      const files = what.attachments.map(({ data, mediaType, name }) => ({
        type: "file",
        mime: mediaType,
        filename: name,
        url: `data:${mediaType};base64,${data}`
      }))
      const info = { role: "user", time: { created: time }, agent: "build", model }
      parentID = add(info, [{ type: "text", text: what.text }, ...files])
      renamed.set(what.id, parentID)
      continue
    }
    const done = doneOf(what)
    if (typeof done === "string") {
      answer(time, "stop", { type: "text", text: done, time: { start: time, end: time } })
      continue
    }
    for (const { failed, input, metadata, output, title: named, tool } of done) {
      const when = { start: time, end: time }
      const state = failed
        ? { status: "error", input, error: output, time: when }
        : { status: "completed", input, output, title: named, metadata, time: when }
      answer(time, "tool-calls", { type: "tool", callID: numbered("call"), tool, state })
    }
  }
  const info = {
    id: sessionId,
    slug: "handed-over",
    projectID: "global",
    directory: cwd,
    title,
    version,
    time: { created: messages.length === 0 ? last : Date.parse(said[0]?.at ?? ""), updated: last }
  }
  const mark = parentID === undefined ? null : MessageId.make(parentID)
  const whole: Composed = { document: { info, messages }, renamed, mark }
  return whole
})
