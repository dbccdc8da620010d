import { Effect, type FileSystem, Option, Schema } from "effect"
import { join } from "node:path"
import { type AcpStore, type Growing, makeFolded, nothingRecorded, Unreadable } from "../AcpStore.ts"

const User = Schema.Struct({
  type: Schema.Literal("user"),
  provenance: Schema.Literal("real_user"),
  uuid: Schema.String,
  cwd: Schema.String,
  message: Schema.Struct({
    parts: Schema.Array(Schema.Struct({ text: Schema.optionalKey(Schema.String) }))
  })
})
const decode = Schema.decodeUnknownOption(User)

const fold = (state: Growing, raw: unknown): Growing => {
  const user = Option.getOrUndefined(decode(raw))
  if (user === undefined) return state
  const text = user.message.parts.map(({ text = "" }) => text).join("\n")
  state.messages.push({ id: user.uuid, text, cwd: user.cwd })
  return { ...state, cwd: user.cwd }
}

/** `projects/<directory>/chats/<id>.jsonl`; the name of the directory leaves out what is no letter. */
export const qwenStore = (
  fs: FileSystem.FileSystem,
  environment: Readonly<Record<string, string>>
): AcpStore => {
  const root =
    environment["QWEN_RUNTIME_DIR"] ?? environment["QWEN_HOME"] ?? join(environment["HOME"] ?? "", ".qwen")
  const folded = makeFolded<Growing>(fs, nothingRecorded, fold)
  const file = (id: string, cwd: string) =>
    join("projects", cwd.replaceAll(/[^a-zA-Z0-9]/g, "-"), "chats", `${id}.jsonl`)
  return {
    root,
    prompt: true,
    read: (id, cwd) =>
      Effect.gen(function* () {
        const path = join(root, file(id, cwd))
        if (!(yield* fs.exists(path))) return Option.none()
        return Option.some(yield* folded(path))
      }).pipe(Effect.mapError(({ message }) => new Unreadable({ message }))),
    files: (id, cwd) => Effect.succeed([file(id, cwd)]),
    isRecord: (name, id) =>
      /^projects\/[A-Za-z0-9-]+\/chats\/[\w-]+\.jsonl$/.test(name) && name.endsWith(`/${id}.jsonl`),
    // Nothing is written before something is said.
    discard: () => Effect.void
  }
}
