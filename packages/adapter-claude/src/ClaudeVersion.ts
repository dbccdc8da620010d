/** The versions whose behaviour was measured. Before 2.1.240 a resume worked in its own directory only. */
export const supported = "2.1.329 and later 2.x"

export const isSupported = (version: string): boolean => {
  const [major, minor = 0, patch = 0] = version.split(".").map((part) => Number.parseInt(part, 10))
  return major === 2 && (minor > 1 || (minor === 1 && patch >= 329))
}
