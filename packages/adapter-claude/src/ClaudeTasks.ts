import type { AdapterItem } from "@rejoin/core/providers/AdapterEvent"
import { planText } from "@rejoin/core/plan/PlanText"
import { Predicate } from "effect"
import type { ToolUse } from "./ClaudeSchema.ts"

interface Task {
  readonly subject: string
  readonly status: string
}

const created = /^Task #(\S+) created successfully/

const text = (value: unknown): string | undefined => (Predicate.isString(value) ? value : undefined)

/**
 * The list of what is to be done, as Claude keeps it now: a tool call for each change, where `TodoWrite` had all of it.
 * Each change is shown as the whole list, as that is what a reader wants to see.
 */
export class ClaudeTasks {
  private readonly tasks = new Map<string, Task>()

  /** The call as a plan, when it has been done; undefined where it is none of these. */
  done({ input, name }: ToolUse, output: string): Pick<AdapterItem, "kind" | "text"> | undefined {
    if (name === "TaskCreate") {
      const id = created.exec(output)?.[1]
      const subject = text(input["subject"])
      if (id === undefined || subject === undefined) return undefined
      this.tasks.set(id, { subject, status: "pending" })
    } else if (name === "TaskUpdate") {
      const id = text(input["taskId"]) ?? ""
      const before = this.tasks.get(id)
      // One that was made before we were there: of it only its number is known.
      const subject = text(input["subject"]) ?? before?.subject ?? `Task ${id}`
      const status = text(input["status"]) ?? before?.status ?? "pending"
      if (status === "deleted") this.tasks.delete(id)
      else this.tasks.set(id, { subject, status })
    } else return undefined
    return { kind: "plan", text: planText([...this.tasks.values()]) }
  }
}
