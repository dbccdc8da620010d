import { createHash } from "node:crypto"

/** Twenty-four letters and digits, the same for the same: what a platform knows an attempt by. */
export const attemptToken = (of: string): string => createHash("sha256").update(of).digest("hex").slice(0, 24)
