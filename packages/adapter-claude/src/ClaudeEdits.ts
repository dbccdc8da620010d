import { diffBetween } from "@rejoin/agent-kit/Diff"
import { Option, Schema } from "effect"
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs"

const Edit = Schema.Struct({
  old_string: Schema.String,
  new_string: Schema.String,
  replace_all: Schema.optional(Schema.Boolean)
})
const decodeEdit = Schema.decodeUnknownOption(Edit)
const decodeEdits = Schema.decodeUnknownOption(Schema.Struct({ edits: Schema.Array(Edit) }))
const decodeWrite = Schema.decodeUnknownOption(Schema.Struct({ content: Schema.String }))
const decodeCell = Schema.decodeUnknownOption(Schema.Struct({ new_source: Schema.String }))

const apply = (text: string, { new_string, old_string, replace_all }: typeof Edit.Type): string =>
  replace_all === true
    ? text.replaceAll(old_string, () => new_string)
    : text.replace(old_string, () => new_string)

/**
 * What an edit would do to a file, before it is allowed. `current` is what the file holds, where that may be shown:
 * without it an edit is shown by itself, and what would be written over is said to be unknown.
 */
export const proposedDiff = (
  input: Readonly<Record<string, unknown>>,
  current: { readonly text: string } | "absent" | "unknown"
): string | undefined => {
  const cell = decodeCell(input)
  const write = Option.orElse(decodeWrite(input), () =>
    Option.map(cell, ({ new_source: content }) => ({ content }))
  )
  if (Option.isSome(write)) {
    const { content } = write.value
    // A cell is a part of its notebook, whose file says nothing about what stood in it.
    if (current === "unknown" || Option.isSome(cell)) {
      return `@@ what stands there now is not shown @@\n${diffBetween("", content).replace(/^@@.*\n/, "")}`
    }
    return diffBetween(current === "absent" ? "" : current.text, content)
  }
  const edits: ReadonlyArray<typeof Edit.Type> = Option.match(decodeEdits(input), {
    onNone: () => Option.toArray(decodeEdit(input)),
    onSome: ({ edits }) => edits
  })
  if (edits.length === 0) return undefined
  if (typeof current === "object") {
    const edited = edits.reduce<string>(apply, current.text)
    if (edited !== current.text) return diffBetween(current.text, edited)
  }
  // It would not apply, or nobody may look: then it is shown by itself.
  return edits.map(({ new_string, old_string }) => diffBetween(old_string, new_string)).join("")
}

/** In bytes. More is not shown before it is changed. */
const most = 1024 * 1024

/** What a file holds. At once, since the agent waits for its answer: so nothing that is not a small file is opened. */
export const currentText = (path: string): { readonly text: string } | "absent" | "unknown" => {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "ENOENT" ? "absent" : "unknown"
  }
  try {
    const { size } = fstatSync(file)
    if (!fstatSync(file).isFile() || size > most) return "unknown"
    return { text: readFileSync(file, "utf8") }
  } catch {
    return "unknown"
  } finally {
    closeSync(file)
  }
}
