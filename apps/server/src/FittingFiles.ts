/** How well a path fits: its name begins so, has it, the path has it, or has its characters in this order. */
const fit = (path: string, wanted: string): number => {
  const name = path.slice(path.lastIndexOf("/") + 1)
  if (name.startsWith(wanted)) return 0
  if (name.includes(wanted)) return 1
  if (path.includes(wanted)) return 2
  let from = 0
  for (const character of wanted) {
    from = path.indexOf(character, from) + 1
    if (from === 0) return Infinity
  }
  return 3
}

/** The files that fit, best first; of those that fit as well, the shorter path. */
export const fitting = (paths: ReadonlyArray<string>, q: string): ReadonlyArray<string> => {
  const wanted = q.toLowerCase()
  return paths
    .map((path) => ({ path, rank: fit(path.toLowerCase(), wanted) }))
    .filter(({ rank }) => rank < Infinity)
    .toSorted((a, b) => a.rank - b.rank || a.path.length - b.path.length || (a.path < b.path ? -1 : 1))
    .map(({ path }) => path)
}
