import { allAdded } from "@rejoin/agent-kit/Diff"
import { ItemId } from "@rejoin/contracts/Ids"
import type { FileChange } from "@rejoin/contracts/Item"
import type { AdapterItem } from "@rejoin/core/providers/AdapterEvent"
import type { Change, Item } from "./CodexSchema.ts"

/** Of a new file the whole content is told instead of a diff. */
export const changeOf = ({ diff, kind, path }: Change): FileChange => ({
  path,
  diff: kind?.type === "add" ? allAdded(diff) : diff
})

/** Codex shows the whole call of the shell; the command is what it was given. */
export const commandOf = (command: string): string => {
  const quoted = /^\/\S+ -lc '([^]*)'$/.exec(command)?.[1]
  if (quoted !== undefined) return quoted.replaceAll(`'\\''`, "'")
  return /^\/\S+ -lc (?:"([^]*)"|([^\s'"]+))$/.exec(command)?.slice(1).find(Boolean) ?? command
}

const statusOf = (status: string | undefined): AdapterItem["status"] => {
  if (status === "inProgress") return "started"
  return status === "failed" || status === "declined" ? "failed" : "completed"
}

/** An item of a turn, or undefined where it is none of the conversation's. Ids are unique within a turn only. */
export const itemOf = (item: Item, turnId: string): AdapterItem | undefined => {
  const id = ItemId.make(`${turnId}-${item.id}`)
  switch (item.type) {
    case "userMessage":
      return undefined
    case "agentMessage":
      return { id, kind: "assistant-message", status: "completed", text: item.text }
    case "plan":
      return { id, kind: "plan", status: "completed", text: item.text }
    case "reasoning": {
      const text = [...item.summary, ...item.content].join("\n\n")
      return { id, kind: "reasoning", status: "completed", text }
    }
    case "commandExecution":
      return {
        id,
        kind: "command",
        status: item.status === "inProgress" ? "started" : "completed",
        command: commandOf(item.command),
        cwd: item.cwd,
        ...(item.status !== "inProgress" && { status: item.exitCode === 0 ? "completed" : "failed" }),
        ...(item.exitCode != null && { exitCode: item.exitCode }),
        ...(item.aggregatedOutput != null && { output: item.aggregatedOutput })
      }
    case "fileChange":
      return {
        id,
        kind: "file-change",
        status: statusOf(item.status),
        changes: item.changes.map(changeOf)
      }
    case "mcpToolCall":
    case "dynamicToolCall":
      return {
        id,
        kind: "tool-call",
        status: statusOf(item.status),
        toolName: item.tool,
        toolInput: item.arguments,
        ...(item.result != null && { output: JSON.stringify(item.result) })
      }
    case "webSearch":
      return {
        id,
        kind: "tool-call",
        status: "completed",
        toolName: "webSearch",
        toolInput: { query: item.query }
      }
  }
}
