/**
 * How long a session has been quiet, in ms: what was counted before and what has passed since the last sweep, of
 * which a machine's sleep counts as two sweeps at most (C35).
 */
export const quietAfter = (quiet: number, elapsed: number, touched: boolean, sweep: number): number =>
  touched ? 0 : quiet + Math.min(elapsed, 2 * sweep)
