import { appendFileSync } from "node:fs"

// Runs within OpenCode, in a user's terminal. It writes down which sessions are begun and spoken in, for the server
// to follow; it never fails, says nothing, and changes nothing (E5, E6).

interface Told {
  readonly type: string
  readonly properties?: { readonly info?: unknown }
}

const tell = (told: unknown) => {
  try {
    const path = process.env["REJOIN_REPORTS"]
    if (path !== undefined) appendFileSync(path, `${JSON.stringify({ pid: process.pid, told })}\n`)
  } catch {
    // What cannot be told is not told.
  }
}

export const RejoinReports = async () => {
  tell({ type: "loaded" })
  return {
    event: async ({ event }: { readonly event: Told }) => {
      if (event.type === "session.created") tell({ type: event.type, info: event.properties?.info })
    },
    "chat.message": async ({ sessionID }: { readonly sessionID: string }) =>
      tell({ type: "chat.message", sessionID })
  }
}
