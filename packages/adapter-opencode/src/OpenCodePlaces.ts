import { Result } from "effect"

/**
 * Whether OpenCode works in a directory of this name. It decodes the name that it has stored once more before it works
 * there, so that in `a%20b` it works in `a b`; and it takes a backslash for a separator, so that what happens there is
 * told to nobody (docs/providers/opencode.md: Another directory).
 */
export const isPlace = (path: string): boolean => {
  const decoded = Result.try(() => decodeURIComponent(path))
  return !path.includes("\\") && (Result.isFailure(decoded) || decoded.success === path)
}
