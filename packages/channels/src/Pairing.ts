import { createHash, randomInt } from "node:crypto"

// No letter that is taken for another one.
const letters = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
const length = 8

/** How long a code is good for, in minutes, and how often somebody may guess in that time. */
export const pairingMinutes = 10
export const guesses = 5

export const newCode = (): string => Array.from({ length }, () => letters[randomInt(letters.length)]).join("")

/** What a text would be if it were a code: alone, or behind `/pair` or `/start`. */
export const codeIn = (text: string): string | undefined => {
  const found = /^\s*(?:\/(?:pair|start)(?:@\w+)?\s+)?([a-z2-9]{8})\s*$/i.exec(text)?.[1]?.toUpperCase()
  return found === undefined || [...found].some((letter) => !letters.includes(letter)) ? undefined : found
}

/** A code is kept as this alone. */
export const hashOfCode = (code: string): string => createHash("sha256").update(code).digest("hex")
