/**
 * What a device has to be let in for, by the operation. `read`: whatever it was let in with it may look, and stop what
 * runs. `thread`: for the mode of the thread that is named. `owner`: for nothing; that is the owner's alone, and so is
 * whatever does not stand here.
 */
export type Needs = "read" | "thread" | "owner"

const needs: Readonly<Record<string, Needs>> = {
  "threads.list": "read",
  "threads.get": "read",
  "threads.items": "read",
  "threads.events": "read",
  "threads.allEvents": "read",
  "threads.requests": "read",
  "threads.receipts": "read",
  // In which mode it is begun is looked at where that is known.
  "threads.create": "read",
  "threads.update": "thread",
  "threads.answer": "thread",
  "turns.list": "read",
  "turns.get": "read",
  "turns.interrupt": "read",
  "turns.send": "thread",
  "turns.update": "thread",
  "sessions.interrupt": "read",
  "sessions.stop": "thread",
  "sessions.reset": "thread",
  "sessions.move": "thread",
  "sessions.fork": "thread",
  "sessions.handover": "thread",
  "sessions.claim": "thread",
  "sessions.acceptHistory": "thread",
  "sessions.restore": "thread",
  "providers.list": "read",
  "providers.models": "read",
  "providers.sessions": "read",
  "search.search": "read",
  "runners.list": "read",
  "directories.look": "read",
  "directories.changes": "read",
  "directories.files": "read",
  "directories.brings": "read",
  "directories.trusted": "read",
  "rules.list": "read",
  "channels.list": "read",
  "devices.me": "read",
  "push.key": "read",
  "push.list": "read",
  "push.subscribe": "read",
  "push.unsubscribe": "read"
}

export const needsOf = (group: string, endpoint: string): Needs => needs[`${group}.${endpoint}`] ?? "owner"
