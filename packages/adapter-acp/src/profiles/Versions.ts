const numbers = (version: string): ReadonlyArray<number> =>
  (/^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number)

/** From a version that was measured on, up to the next one that may break what was. */
export const from =
  (measured: string) =>
  (version: string): boolean => {
    const [wanted, found] = [numbers(measured), numbers(version)]
    if (found.length !== 3 || found[0] !== wanted[0]) return false
    const at = found.findIndex((part, i) => part !== wanted[i])
    return at < 0 || (found[at] ?? 0) > (wanted[at] ?? 0)
  }
