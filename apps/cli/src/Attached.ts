import { InvalidInput } from "@rejoin/contracts/Errors"
import { Effect, FileSystem, Path } from "effect"
import { fileError } from "./FileErrors.ts"

/** What an agent tells apart; anything else that is text is text. */
const types: Readonly<Record<string, string>> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".pdf": "application/pdf"
}

/** What fits into a request, in base64. */
const most = 18 * 1000 * 1000

const isText = (bytes: Uint8Array): boolean => !bytes.subarray(0, 8192).includes(0)

/** A file as it is sent with a message. */
export const attached = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const { basename, extname } = yield* Path.Path
  const wrong = (why: string) => new InvalidInput({ field: "file", message: `${file}: ${why}.` })
  const info = yield* Effect.mapError(fs.stat(file), fileError("file", file))
  if (info.type !== "File") return yield* wrong("it is no file")
  if (Number(info.size) > most) return yield* wrong("it is too large: files may have 18 MB together")
  if (Number(info.size) === 0) return yield* wrong("it is empty")
  const bytes = yield* Effect.mapError(fs.readFile(file), fileError("file", file))
  return {
    name: basename(file),
    mediaType:
      types[extname(file).toLowerCase()] ?? (isText(bytes) ? "text/plain" : "application/octet-stream"),
    data: Buffer.from(bytes).toString("base64")
  }
})
