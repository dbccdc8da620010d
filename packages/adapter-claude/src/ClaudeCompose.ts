import { changedBy } from "@rejoin/agent-kit/Diff"
import { outputOf, toldOfChange, toldOfTool } from "@rejoin/agent-kit/Told"
import { MessageId } from "@rejoin/contracts/Ids"
import type { FileChange } from "@rejoin/contracts/Item"
import type { Conversation, Said } from "@rejoin/core/conversation/Conversation"
import { newUuid } from "@rejoin/core/NewId"
import { Effect } from "effect"
import { contentOf } from "./ClaudeInput.ts"

type Block = Readonly<Record<string, unknown>>
type Call = {
  readonly name: string
  readonly input: Block
  readonly output: string
  readonly failed: boolean
}

/** What a change of a file would have been with Claude's own tools; undefined where what changed is not known. */
const callsOf = ({ diff, path: file_path }: FileChange, failed: boolean): ReadonlyArray<Call> | undefined => {
  const changed = changedBy(diff)
  if (changed === undefined) return undefined
  const output = failed ? "The file was not changed." : `The file ${file_path} has been updated.`
  if (changed._tag === "Added")
    return [{ name: "Write", input: { file_path, content: changed.content }, output, failed }]
  return changed.edits.map(({ after, before }) => ({
    name: "Edit",
    input: { file_path, old_string: before, new_string: after },
    output,
    failed
  }))
}

/** What was done, as calls of Claude's tools, or as what it said where it has no such tool. */
const doneOf = (what: Exclude<Said, { readonly _tag: "User" }>): string | ReadonlyArray<Call> => {
  switch (what._tag) {
    case "Assistant":
      return what.text
    case "Tool":
      return toldOfTool(what)
    case "Command":
      return [
        {
          name: "Bash",
          input: { command: what.command },
          output: outputOf(what),
          failed: what.exitCode !== 0
        }
      ]
    case "Change": {
      const calls = what.changes.map((change) => callsOf(change, what.failed))
      return calls.some((found) => found === undefined)
        ? toldOfChange(what)
        : calls.flatMap((found) => found ?? [])
    }
  }
}

export interface Composed {
  readonly text: string
  /** Which id each message of its user's has in it, by the one that it had. */
  readonly renamed: ReadonlyMap<string, string>
  readonly mark: MessageId | null
  /** Attachments that Claude does not take. */
  readonly unfit: number
}

/** A transcript as Claude writes one, of a conversation that was held with another agent. */
export const composed = Effect.fn("Claude.composed")(function* (
  { said }: Conversation,
  {
    cwd,
    sessionId,
    version
  }: { readonly cwd: string; readonly sessionId: string; readonly version: string | null }
) {
  const lines: Array<unknown> = []
  const renamed = new Map<string, string>()
  let parentUuid: string | null = null
  let mark: MessageId | null = null
  let unfit = 0
  const write = Effect.fnUntraced(function* (at: string, line: Block, uuid?: string) {
    const id: string = uuid ?? (yield* newUuid)
    lines.push({
      parentUuid,
      isSidechain: false,
      userType: "external",
      cwd,
      sessionId,
      ...(version !== null && { version }),
      ...line,
      uuid: id,
      timestamp: at
    })
    parentUuid = id
    return id
  })
  const answer = Effect.fnUntraced(function* (at: string, block: Block) {
    const id = `msg_${(yield* newUuid).replaceAll("-", "").slice(0, 24)}`
    const stop_reason = block["type"] === "tool_use" ? "tool_use" : "end_turn"
    const usage = { input_tokens: 0, output_tokens: 0 }
    const base = { id, type: "message", role: "assistant", model: "unknown" }
    return yield* write(at, {
      type: "assistant",
      message: { ...base, content: [block], stop_reason, stop_sequence: null, usage }
    })
  })
  for (const { at, what } of said) {
    if (what._tag === "User") {
      const uuid = yield* newUuid
      const { content, left } = contentOf(what.attachments, what.text)
      unfit += left.length
      yield* write(
        at,
        { type: "user", message: { role: "user", content }, promptSource: "sdk", turnAttributionKey: uuid },
        uuid
      )
      renamed.set(what.id, uuid)
      mark = MessageId.make(uuid)
      continue
    }
    const done = doneOf(what)
    if (typeof done === "string") {
      yield* answer(at, { type: "text", text: done })
      continue
    }
    for (const { failed, input, name, output } of done) {
      const tool_use_id = `toolu_${(yield* newUuid).replaceAll("-", "").slice(0, 24)}`
      const source = yield* answer(at, { type: "tool_use", id: tool_use_id, name, input })
      const result = { tool_use_id, type: "tool_result", content: output, ...(failed && { is_error: true }) }
      yield* write(at, {
        type: "user",
        message: { role: "user", content: [result] },
        sourceToolAssistantUUID: source
      })
    }
  }
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("")
  const whole: Composed = { text, renamed, mark, unfit }
  return whole
})

/** Where Claude would write it. */
export const fileOf = (cwd: string, sessionId: string): string =>
  `projects/${cwd.replace(/[^A-Za-z0-9]/g, "-").slice(0, 200)}/${sessionId}.jsonl`
