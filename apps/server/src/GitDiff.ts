import type { ChangedFile } from "@rejoin/contracts/WorkingTree"

const statuses: Readonly<Record<string, ChangedFile["status"]>> = { A: "added", D: "deleted" }

const escapes: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  t: "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r"
}

/** A path as git quotes it, with what is no letter as the bytes that it is. */
const unquoted = (text: string): string =>
  Buffer.from(
    text.replaceAll(/\\(?:([0-7]{3})|(.))/g, (_, octal: string | undefined, character: string | undefined) =>
      octal === undefined
        ? (escapes[character ?? ""] ?? character ?? "")
        : String.fromCharCode(Number.parseInt(octal, 8))
    ),
    "latin1"
  ).toString("utf8")

/** Whose block it is, by its first line: `a/<path> b/<path>`, both quoted where one has to be. */
const ownerOf = (head: string): string => {
  const half = (head.length - 1) / 2
  const name = head.slice(0, half)
  return name.startsWith('"') ? unquoted(name.slice(3, -1)) : name.slice(2)
}

/** The hunks of each file. Where a file became something else there are two blocks of it: one that was, one that is. */
const hunksIn = (patch: string): ReadonlyMap<string, string> => {
  const hunks = new Map<string, string>()
  // A line of a file has a sign before it: none of them begins so. Lines end with \n here and with nothing else.
  for (const block of `\n${patch}`.split("\ndiff --git ").slice(1)) {
    const path = ownerOf(block.slice(0, block.indexOf("\n")))
    const first = block.indexOf("\n@@")
    const text = first < 0 ? "" : block.slice(first + 1).replace(/\n$/, "")
    hunks.set(path, [hunks.get(path) ?? "", text].filter((part) => part !== "").join("\n"))
  }
  return hunks
}

/** The files of `git diff`, as `--name-status -z`, `--numstat -z` and the differences themselves tell of them. */
export const changedIn = (names: string, counts: string, patch: string): ReadonlyArray<ChangedFile> => {
  const named = names.split("\0")
  const counted = new Map(
    counts.split("\0").map((row) => {
      const [added, removed, ...path] = row.split("\t")
      return [path.join("\t"), { added, removed }]
    })
  )
  const hunks = hunksIn(patch)
  const number = (text: string | undefined) => (text === undefined || text === "-" ? null : Number(text))
  return Array.from({ length: Math.floor(named.length / 2) }, (_, at) => {
    const path = named[2 * at + 1] ?? ""
    const lines = counted.get(path)
    return {
      path,
      status: statuses[named[2 * at] ?? ""] ?? "modified",
      added: number(lines?.added),
      removed: number(lines?.removed),
      diff: hunks.get(path) ?? ""
    }
  })
}
