/** A year, in ms. What is later is a slip of the finger. */
const longest = 366 * 86_400_000

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/**
 * The moment that somebody means by `09:00`, `2026-12-24T09:00`, the same with an offset, or `+90m`, `+2h`, `+1d`. What has
 * no offset is of this place; an hour that is past is tomorrow's. Undefined where it is none of them, past, or later than a year.
 */
export const momentOf = (text: string, now: Date): Date | undefined => {
  const at = meant(text, now)
  return at !== undefined && at > now && at.getTime() - now.getTime() <= longest ? at : undefined
}

const meant = (text: string, now: Date): Date | undefined => {
  const after = /^\+(\d{1,6})([mhd])$/.exec(text)
  if (after !== null) {
    const [, count, unit] = after
    return new Date(now.getTime() + Number(count) * units[unit as keyof typeof units])
  }
  const hour = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text)
  if (hour !== null) {
    const at = new Date(now)
    at.setHours(Number(hour[1]), Number(hour[2]), 0, 0)
    if (at <= now) at.setDate(at.getDate() + 1)
    return at
  }
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?$/.test(text)) return undefined
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number)
  // JavaScript takes the 30th of February for the 2nd of March.
  if (new Date(Date.UTC(year, month - 1, day)).getUTCDate() !== day) return undefined
  const at = new Date(text.replace(" ", "T"))
  return Number.isNaN(at.getTime()) ? undefined : at
}
