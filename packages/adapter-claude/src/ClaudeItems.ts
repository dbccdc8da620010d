import { allAdded } from "@rejoin/agent-kit/Diff"
import { ItemId } from "@rejoin/contracts/Ids"
import type { FileChange } from "@rejoin/contracts/Item"
import type { AdapterItem } from "@rejoin/core/providers/AdapterEvent"
import { planText } from "@rejoin/core/plan/PlanText"
import { Option, Predicate, Schema } from "effect"
import { proposedDiff } from "./ClaudeEdits.ts"
import type { ToolResult, ToolUse } from "./ClaudeSchema.ts"

const text = (value: unknown): string | undefined => (Predicate.isString(value) ? value : undefined)

const Patched = Schema.Struct({
  filePath: Schema.String,
  structuredPatch: Schema.Array(
    Schema.Struct({
      oldStart: Schema.Finite,
      oldLines: Schema.Finite,
      newStart: Schema.Finite,
      newLines: Schema.Finite,
      lines: Schema.Array(Schema.String)
    })
  )
})
const decodePatched = Schema.decodeUnknownOption(Patched)

const diffOf = ({ structuredPatch }: typeof Patched.Type): string =>
  structuredPatch
    .map(
      ({ lines, newLines, newStart, oldLines, oldStart }) =>
        `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@\n${lines.join("\n")}\n`
    )
    .join("")

const changesOf = ({ input }: ToolUse, result: unknown): ReadonlyArray<FileChange> => {
  const path = text(input["file_path"]) ?? text(input["notebook_path"]) ?? ""
  const patched = decodePatched(result)
  const diff = Option.match(patched, { onNone: () => "", onSome: diffOf })
  // Before it was done, and where it was not allowed: what it would change, by itself.
  // A file that is new has no patch.
  const proposed = result === undefined ? proposedDiff(input, "unknown") : undefined
  return [{ path, diff: diff || (proposed ?? allAdded(text(input["content"] ?? input["new_string"]) ?? "")) }]
}

const outputOf = ({ content }: ToolResult): string =>
  Array.isArray(content)
    ? content
        .map((part: unknown) => (Predicate.hasProperty(part, "text") ? String(part.text) : ""))
        .join("\n")
    : (text(content) ?? "")

/** What of a tool's input says most, after its name. */
const telling = [
  "file_path",
  "notebook_path",
  "path",
  "pattern",
  "query",
  "url",
  "description",
  "prompt",
  "skill"
]

const titleOf = (name: string, input: ToolUse["input"]): string => {
  const [question] = Array.isArray(input["questions"]) ? (input["questions"] as ReadonlyArray<unknown>) : []
  const asked = Predicate.hasProperty(question, "question") ? text(question.question) : undefined
  const told = asked ?? telling.map((key) => text(input[key])).find((value) => value !== undefined)
  return told === undefined ? name : `${name}: ${told.slice(0, 200)}`
}

/** A tool call as an item, as far as it has come. */
export const itemOf = (
  use: ToolUse,
  directory: string,
  result?: { readonly block: ToolResult; readonly detail: unknown }
): AdapterItem => {
  const { id, input, name } = use
  const failed = result?.block.is_error === true
  const base = {
    id: ItemId.make(id),
    status:
      result === undefined ? ("started" as const) : failed ? ("failed" as const) : ("completed" as const)
  }
  const output = result && outputOf(result.block)
  switch (name) {
    case "Bash": {
      const exit = failed ? /^Exit code (\d+)/.exec(output ?? "")?.[1] : result && "0"
      return {
        ...base,
        kind: "command",
        command: text(input["command"]) ?? "",
        cwd: directory,
        ...(exit !== undefined && { exitCode: Number(exit) }),
        ...(output !== undefined && { output })
      }
    }
    case "Write":
    case "Edit":
    case "MultiEdit":
    case "NotebookEdit":
      return {
        ...base,
        kind: "file-change",
        changes: changesOf(use, result?.detail),
        ...(failed && output !== undefined && { text: output })
      }
    case "TodoWrite":
      return { ...base, kind: "plan", text: planText(input["todos"]) }
    default:
      return {
        ...base,
        kind: "tool-call",
        title: titleOf(name, input),
        toolName: name,
        toolInput: input,
        ...(output !== undefined && { output })
      }
  }
}
