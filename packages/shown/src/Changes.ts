import type { FileChange, Item } from "@rejoin/contracts/Item"

/** A line of a unified diff as it is shown. `at` is its number in the file as it is now; of a removed one, as it was. */
export interface DiffLine {
  readonly kind: "added" | "hunk" | "kept" | "removed"
  readonly text: string
  readonly at?: number
}

const header = /^(diff |index |--- |\+\+\+ |Index: |={10})/

/** The lines of a diff, without the names of files that stand before its first place. */
export const linesOf = (diff: string): ReadonlyArray<DiffLine> => {
  const all = diff.replace(/\n$/, "").split("\n")
  const first = all.findIndex((line) => line.startsWith("@@"))
  // Where no place is told, a number would be made up.
  let before: number | undefined
  let now: number | undefined
  return all
    .filter(
      (line, at) => at >= first && !(first < 0 && header.test(line)) && !line.startsWith("\\ No newline")
    )
    .map((text): DiffLine => {
      const place = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(text)
      if (place !== null) {
        before = Number(place[1])
        now = Number(place[2])
      }
      if (text.startsWith("@@")) return { kind: "hunk", text }
      const kind = text.startsWith("+") ? "added" : text.startsWith("-") ? "removed" : "kept"
      const at = kind === "removed" ? before : now
      if (before !== undefined && kind !== "added") before += 1
      if (now !== undefined && kind !== "removed") now += 1
      return { kind, text, ...(at !== undefined && { at }) }
    })
}

export interface Counted {
  readonly added: number
  readonly removed: number
}

/** How many lines a diff adds and removes. */
export const counted = (diff: string): Counted => {
  const lines = linesOf(diff)
  const of = (wanted: DiffLine["kind"]) => lines.filter(({ kind }) => kind === wanted).length
  return { added: of("added"), removed: of("removed") }
}

export const countedText = ({ added, removed }: Counted): string =>
  [...(added > 0 ? [`+${added}`] : []), ...(removed > 0 ? [`−${removed}`] : [])].join(" ")

/** Every file that these items changed, once each, with all that was changed in it. */
export const filesChanged = (
  items: ReadonlyArray<Item>
): ReadonlyArray<Counted & { readonly path: string }> => {
  const files = new Map<string, Counted>()
  const add = ({ diff, path }: FileChange) => {
    const { added, removed } = counted(diff)
    const known = files.get(path) ?? { added: 0, removed: 0 }
    files.set(path, { added: known.added + added, removed: known.removed + removed })
  }
  for (const { changes = [], status } of items) if (status === "completed") changes.forEach(add)
  return [...files].map(([path, sums]) => ({ path, ...sums }))
}

/** A path as one reads it who works in the directory. */
export const within = (cwd: string, path: string): string =>
  path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path
