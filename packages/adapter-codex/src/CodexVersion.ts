/** The versions whose protocol was measured: it is experimental, and changes between minor versions. */
export const supported = "0.169 and later 0.x"

export const isSupported = (version: string): boolean => {
  const [major, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10))
  return major === 0 && minor >= 169
}
