/** The versions whose behaviour was measured. Before 2.1.240 a resume worked in its own directory only. */
export const isSupported = (version: string): boolean => {
  const [major, minor, patch] = version.split(".").map((part) => Number.parseInt(part, 10))
  return (
    major === 2 && minor !== undefined && patch !== undefined && (minor > 1 || (minor === 1 && patch >= 329))
  )
}

export const unsupported = (version: string): string =>
  `Claude Code ${version} is not supported: this adapter knows 2.1.329 and later 2.x.`
