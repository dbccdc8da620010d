import { allAdded } from "@rejoin/agent-kit/Diff"
import { ItemId } from "@rejoin/contracts/Ids"
import type { FileChange } from "@rejoin/contracts/Item"
import type { AdapterItem } from "@rejoin/core/providers/AdapterEvent"
import { planText } from "@rejoin/core/plan/PlanText"
import { Predicate } from "effect"
import type { ToolPart } from "./OpenCodeSchema.ts"

const text = (value: unknown): string | undefined => (Predicate.isString(value) ? value : undefined)

const changesOf = ({ state }: ToolPart, diffOfApproval: string | undefined): ReadonlyArray<FileChange> => {
  const { input, metadata } = state
  const path = text(metadata?.["filepath"]) ?? text(input?.["filePath"]) ?? ""
  // `write` tells no diff of its own: only its approval did, if there was one; and whether the file was there before.
  const isNew = metadata?.["exists"] === false
  const whole = isNew ? text(input?.["content"]) : undefined
  const written = whole === undefined ? "" : allAdded(whole)
  return [{ path, diff: text(metadata?.["diff"]) ?? diffOfApproval ?? written }]
}

/** What a tool part does not tell of itself: where its message works, and the diff that its approval showed. */
export interface Around {
  readonly cwd: string | undefined
  readonly diff: string | undefined
}

/** A tool call as an item. */
export const itemOf = (part: ToolPart, around: Around): AdapterItem => {
  const { error, input, metadata, output, status, title } = part.state
  const base = {
    id: ItemId.make(part.id),
    status:
      status === "completed"
        ? ("completed" as const)
        : status === "error"
          ? ("failed" as const)
          : ("started" as const),
    ...(title !== undefined && title !== "" && { title })
  }
  const said = error ?? output
  switch (part.tool) {
    case "bash": {
      const printed = text(metadata?.["output"]) ?? said
      const exit = metadata?.["exit"]
      const workdir = text(input?.["workdir"]) ?? around.cwd
      return {
        ...base,
        kind: "command",
        command: text(input?.["command"]) ?? "",
        ...(workdir !== undefined && { cwd: workdir }),
        ...(Predicate.isNumber(exit) && { exitCode: exit }),
        ...(printed !== undefined && { output: error ?? printed })
      }
    }
    case "edit":
    case "write":
    case "patch":
    case "apply_patch":
      return {
        ...base,
        kind: "file-change",
        changes: changesOf(part, around.diff),
        ...(error !== undefined && { text: error })
      }
    case "todowrite":
      return { ...base, kind: "plan", text: planText(input?.["todos"]) }
    default:
      return {
        ...base,
        kind: "tool-call",
        toolName: part.tool,
        ...(input !== undefined && { toolInput: input }),
        ...(said !== undefined && { output: said })
      }
  }
}
