/** The versions whose protocol was measured: it is experimental, and changes between minor versions. */
export const isSupported = (version: string): boolean => {
  const [major, minor] = version.split(".").map((part) => Number.parseInt(part, 10))
  return major === 0 && minor !== undefined && minor >= 169
}

export const unsupported = (version: string): string =>
  `Codex ${version} is not supported: this adapter knows 0.169 and later 0.x.`
