import { Schema } from "effect"
import type { PermissionAsked } from "./OpenCodeSchema.ts"

const Files = Schema.Array(
  Schema.StructWithRest(Schema.Struct({ type: Schema.optional(Schema.String) }), [
    Schema.Record(Schema.String, Schema.Unknown)
  ])
)
const isFiles = Schema.is(Files)

/** Tools whose patterns are all that they would do: a page, files that are looked at, a directory outside. */
const toldByPatterns = new Set([
  "edit",
  "external_directory",
  "glob",
  "grep",
  "list",
  "read",
  "webfetch",
  "websearch"
])

/** A patch tells of the files that it deletes or moves beside its patterns only. */
const isPlainEdit = (files: unknown): boolean =>
  files === undefined ||
  (isFiles(files) &&
    files.every(({ movePath, type }) => movePath == null && type !== "delete" && type !== "move"))

/** All that a standing rule has to cover; nothing where OpenCode does not tell it in full, as of other servers' tools. */
export const coversOf = ({
  metadata,
  patterns,
  permission
}: PermissionAsked): { readonly covers?: ReadonlyArray<string> } => {
  const command = metadata?.["command"]
  if (permission === "bash") return typeof command === "string" && command !== "" ? { covers: [command] } : {}
  if (!toldByPatterns.has(permission) || patterns.length === 0 || patterns.includes("*")) return {}
  return permission !== "edit" || isPlainEdit(metadata?.["files"]) ? { covers: patterns } : {}
}
