import { changedBy } from "@rejoin/agent-kit/Diff"
import { outputOf, toldOfChange, toldOfTool } from "@rejoin/agent-kit/Told"
import { MessageId } from "@rejoin/contracts/Ids"
import type { FileChange } from "@rejoin/contracts/Item"
import type { Conversation, Said } from "@rejoin/core/conversation/Conversation"
import { newId, newUuid } from "@rejoin/core/NewId"
import { Effect } from "effect"
import { contentOf } from "./CodexInput.ts"

type Json = Readonly<Record<string, unknown>>
type Call = { readonly call: Json; readonly result: Json }

/** A change as Codex's own patch tool has it; undefined where what changed is not known. */
const patchOf = ({ diff, path }: FileChange): string | undefined => {
  const changed = changedBy(diff)
  if (changed === undefined) return undefined
  const body =
    changed._tag === "Added"
      ? [`*** Add File: ${path}`, ...changed.content.split("\n").map((line) => `+${line}`)]
      : [`*** Update File: ${path}`, ...changed.edits.flatMap(({ lines }) => ["@@", ...lines])]
  return ["*** Begin Patch", ...body, "*** End Patch"].join("\n")
}

/** What was done, as calls of Codex's tools, or as what it said where it has no such tool. */
const doneOf = (what: Exclude<Said, { readonly _tag: "User" }>): string | ReadonlyArray<Call> => {
  switch (what._tag) {
    case "Assistant":
      return what.text
    case "Tool":
      return toldOfTool(what)
    case "Command":
      return [
        {
          call: {
            type: "function_call",
            name: "exec_command",
            arguments: JSON.stringify({ cmd: what.command })
          },
          result: { type: "function_call_output", output: outputOf(what) }
        }
      ]
    case "Change": {
      const patches = what.changes.map(patchOf)
      if (patches.some((patch) => patch === undefined)) return toldOfChange(what)
      const output = what.failed
        ? "Exit code: 1\nOutput:\nThe patch was not applied."
        : "Exit code: 0\nOutput:\nSuccess."
      return patches.map((input) => ({
        call: { type: "custom_tool_call", status: "completed", name: "apply_patch", input },
        result: { type: "custom_tool_call_output", output }
      }))
    }
  }
}

export interface Composed {
  readonly text: string
  /** Which id each message of its user's has in it, by the one that it had. */
  readonly renamed: ReadonlyMap<string, string>
  readonly mark: MessageId | null
  /** Attachments that Codex does not take. */
  readonly unfit: number
}

interface Place {
  readonly id: string
  readonly cwd: string
  readonly version: string | null
  /** By this a thread of ours is known as ours. */
  readonly source: string
  readonly at: string
}

/** A rollout as Codex writes one, of a conversation that was held with another agent. */
export const composed = Effect.fn("Codex.composed")(function* ({ said }: Conversation, place: Place) {
  const lines: Array<Json> = []
  const renamed = new Map<string, string>()
  let mark: MessageId | null = null
  let unfit = 0
  let turn_id: string | undefined
  const write = (timestamp: string, type: string, payload: Json) => {
    lines.push({ timestamp, ordinal: lines.length, type, payload })
  }
  const end = (at: string) => {
    if (turn_id !== undefined)
      write(at, "event_msg", { type: "task_complete", turn_id, last_agent_message: null })
  }
  const complete = (at: string, item: Json) => {
    const times = { started_at_ms: Date.parse(at), completed_at_ms: Date.parse(at) }
    write(at, "event_msg", { type: "item_completed", thread_id: place.id, turn_id, item, ...times })
  }
  write(place.at, "session_meta", {
    id: place.id,
    session_id: place.id,
    timestamp: place.at,
    cwd: place.cwd,
    originator: "rejoin",
    cli_version: place.version ?? "0.0.0",
    source: "vscode",
    thread_source: place.source
  })
  for (const { at, what } of said) {
    if (what._tag === "User") {
      end(at)
      turn_id = yield* newUuid
      const client_id = yield* newId("msg")
      const { left, parts, shown } = contentOf(what.attachments, what.text)
      unfit += left.length
      write(at, "event_msg", {
        type: "task_started",
        turn_id,
        started_at: Math.floor(Date.parse(at) / 1000),
        model_context_window: null,
        collaboration_mode_kind: "default"
      })
      write(at, "response_item", { type: "message", role: "user", content: parts })
      complete(at, { type: "UserMessage", id: yield* newUuid, client_id, content: shown })
      renamed.set(what.id, client_id)
      mark = MessageId.make(client_id)
      continue
    }
    const done = doneOf(what)
    if (typeof done === "string") {
      const id = yield* newId("msg")
      complete(at, { type: "AgentMessage", id, content: [{ type: "Text", text: done }] })
      const content = [{ type: "output_text", text: done }]
      write(at, "response_item", { type: "message", role: "assistant", content })
      continue
    }
    for (const { call, result } of done) {
      const call_id = yield* newId("call")
      write(at, "response_item", { ...call, call_id })
      write(at, "response_item", { ...result, call_id })
    }
  }
  end(place.at)
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("")
  const whole: Composed = { text, renamed, mark, unfit }
  return whole
})

/** Where Codex would write it. */
export const fileOf = (id: string, at: string): string => {
  const [date = "", time = ""] = at.slice(0, 19).split("T")
  return `sessions/${date.replaceAll("-", "/")}/rollout-${date}T${time.replaceAll(":", "-")}-${id}.jsonl`
}
