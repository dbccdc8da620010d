import { heldIn } from "@rejoin/agent-kit/DataUrl"
import { Effect, type FileSystem } from "effect"

/** A part of a user's message, as `thread/read` tells it. */
export interface Part {
  readonly type: string
  /** Of an `image`. */
  readonly url?: string | null | undefined
  /** Of a `localImage`: the file that was named, as it is now. */
  readonly path?: string | null | undefined
}

const pictures: Readonly<Record<string, string>> = {
  gif: "image/gif",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  png: "image/png",
  webp: "image/webp"
}

/** A larger one is left: what is imported stands in memory. */
const largestPicture = 20 * 1024 * 1024

/** A picture of a message. Of one that was given as a file Codex tells the file: as long as it is there, it is read. */
const pictureOf = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, { path, type, url }: Part) {
  if (type === "image" && url != null) {
    const held = heldIn(url)
    return held === undefined ? [] : [{ name: "image", ...held }]
  }
  if (type !== "localImage" || path == null) return []
  const name = path.slice(path.lastIndexOf("/") + 1)
  const mediaType = pictures[name.slice(name.lastIndexOf(".") + 1).toLowerCase()]
  if (mediaType === undefined) return []
  const { size, type: kind } = yield* fs.stat(path)
  if (kind !== "File" || size > largestPicture) return []
  return [{ name, mediaType, data: Buffer.from(yield* fs.readFile(path)).toString("base64") }]
})

/** The pictures of a message, as far as what they held can be read. */
export const picturesOf = (fs: FileSystem.FileSystem, parts: ReadonlyArray<Part>) =>
  Effect.forEach(parts, (part) => Effect.orElseSucceed(pictureOf(fs, part), () => [])).pipe(
    Effect.map((found) => found.flat())
  )
