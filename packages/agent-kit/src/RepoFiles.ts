import { Effect } from "effect"
import { createHash } from "node:crypto"
import { constants } from "node:fs"
import { open, readdir, realpath, stat } from "node:fs/promises"
import { join, resolve } from "node:path"

/** How much of a directory is looked at, in files and in bytes of all of them, and how much of one file. */
const most = { files: 2000, bytes: 64 * 1024 * 1024, one: 4 * 1024 * 1024 }

/** `unreadable` is also what is no file, or more than may be looked at. */
export type Looked<A> = A | "absent" | "unreadable"

const isAbsent = (cause: unknown) =>
  ["ENOENT", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "")

const looked = <A>(look: () => Promise<Looked<A>>): Effect.Effect<Looked<A>> =>
  Effect.promise(() => look().catch((cause: unknown) => (isAbsent(cause) ? "absent" : "unreadable")))

const readUpTo = async (path: string, limit: number): Promise<Buffer | "unreadable"> => {
  // A pipe or a device is not even opened; one that takes the file's place now does not hold us up.
  if (!(await stat(path)).isFile()) return "unreadable"
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if (!(await file.stat()).isFile()) return "unreadable"
    const chunks: Array<Buffer> = []
    let length = 0
    // What it says of its size need not be so.
    while (length <= limit) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(64 * 1024), 0, 64 * 1024)
      if (bytesRead === 0) return Buffer.concat(chunks)
      chunks.push(buffer.subarray(0, bytesRead))
      length += bytesRead
    }
    return "unreadable"
  } finally {
    await file.close()
  }
}

/**
 * A text of a repository, which is somebody else's: a link in it leads anywhere, and we may read more than its agent
 * may. So nothing that leads out of `within` is read, and nothing that has no end.
 */
export const textWithin = (path: string, within: string): Effect.Effect<Looked<{ readonly text: string }>> =>
  looked(async () => {
    const [real, root] = await Promise.all([realpath(path), realpath(within)])
    if (!real.startsWith(root === "/" ? root : `${root}/`)) return "unreadable"
    const bytes = await readUpTo(real, most.one)
    return bytes === "unreadable" ? bytes : { text: bytes.toString("utf8") }
  })

/** What is at a path, to be compared and not to be told: `hash` changes with it, `text` is a file's. */
export const contentAt = (
  path: string
): Effect.Effect<Looked<{ readonly hash: string; readonly text: string }>> =>
  looked(async () => {
    const hash = createHash("sha256")
    const found = await stat(path)
    if (found.isFile()) {
      const bytes = await readUpTo(path, most.one)
      if (bytes === "unreadable") return bytes
      return { hash: hash.update(bytes).digest("hex"), text: bytes.toString("utf8") }
    }
    if (!found.isDirectory()) return "unreadable"
    const left = { files: most.files, bytes: most.bytes }
    const seen = new Set<string>()
    const walk = async (directory: string, name: string): Promise<boolean> => {
      const real = await realpath(directory)
      if (seen.has(real)) return true
      seen.add(real)
      for (const entry of (await readdir(directory)).toSorted()) {
        if (--left.files < 0) return false
        const file = join(directory, entry)
        const found = await stat(file).catch((cause: unknown) => {
          if (isAbsent(cause)) return undefined
          throw cause
        })
        if (found === undefined) {
          // A link to what is not there yet.
          hash.update(`${name}${entry}\0`)
          continue
        }
        if (found.isDirectory()) {
          if (!(await walk(file, `${name}${entry}/`))) return false
          continue
        }
        const bytes = await readUpTo(file, Math.min(most.one, left.bytes))
        if (bytes === "unreadable") return false
        left.bytes -= bytes.length
        hash.update(`${name}${entry}\0${bytes.length}\0`).update(bytes)
      }
      return true
    }
    // What goes while it is looked at is not absent: something was there.
    if (!(await walk(path, "").catch(() => false))) return "unreadable"
    return left.files === most.files ? "absent" : { hash: hash.digest("hex"), text: "" }
  })

/** Programs, by how their names end; without an ending too. */
const program = /\.[cm]?[jt]sx?$|\.(?:sh|bash|zsh|py|rb|pl|lua|php|ps1|exe|wasm|jar)$|(?:^|\/)[^/.]+$/

/** What a text names that lies under one of these places and looks like a program. */
const namedIn = (text: string, places: ReadonlyArray<string>): ReadonlyArray<string> => {
  const words = new Set(text.split(/[\s"'`=,;|&<>()[\]{}]+/).filter((word) => word.includes("/")))
  const files = [...words].flatMap((word) => {
    const url = word.startsWith("file:") && URL.canParse(word) ? new URL(word).pathname : word
    // `$CLAUDE_PROJECT_DIR/x` is in one of the places.
    const path = url.replace(/^\$\w+\//, "")
    return places.map((place) => resolve(place, path)).filter((file, i) => file.startsWith(`${places[i]}/`))
  })
  return [...new Set(files)].filter((file) => program.test(file)).slice(0, 200)
}

/** Changes with the programs that a text names: what they load in turn is not looked at. */
export const programsNamed = Effect.fnUntraced(function* (text: string, places: ReadonlyArray<string>) {
  const hash = createHash("sha256")
  let found = false
  for (const file of namedIn(text, places)) {
    const content = yield* looked(async () =>
      (await stat(file)).isFile() ? readUpTo(file, most.one) : "absent"
    )
    if (content === "absent") continue
    found = true
    hash.update(`${file}\0`).update(content)
  }
  return found ? hash.digest("hex") : ""
})
