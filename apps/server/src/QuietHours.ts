import type { QuietHours } from "@rejoin/contracts/Push"

const minutesIn = (hour: string): number => Number(hour.slice(0, 2)) * 60 + Number(hour.slice(3))

/** The minutes of the day in a place, at a moment in ms since the epoch. */
const minutesAt = (zone: string, at: number): number =>
  minutesIn(
    new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23"
    }).format(at)
  )

const day = 24 * 60

/**
 * In how many ms the quiet hours end; 0 where it is none of them. In a night in which the clocks are changed it is an hour
 * off: to be asked again then.
 */
export const quietFor = ({ from, to, zone }: QuietHours, at: number): number => {
  const [begins, ends, now] = [minutesIn(from), minutesIn(to), minutesAt(zone, at)]
  const since = (now - begins + day) % day
  const length = (ends - begins + day) % day
  return since < length ? (length - since) * 60_000 - (at % 60_000) : 0
}
