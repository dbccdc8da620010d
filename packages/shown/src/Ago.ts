const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "narrow" })

/** How long ago, as of `now` (ms since the epoch). */
export const ago = (at: string, now: number): string => {
  const seconds = Math.round((Date.parse(at) - now) / 1000)
  if (seconds > -60) return "now"
  if (seconds > -3600) return relative.format(Math.round(seconds / 60), "minute")
  if (seconds > -86_400) return relative.format(Math.round(seconds / 3600), "hour")
  return relative.format(Math.round(seconds / 86_400), "day")
}
