import type { Thread } from "@rejoin/contracts/Thread"
import { nameOf } from "@rejoin/shown/Words"
import { isWorking } from "./Text.ts"

/** What is told when nobody looks at the page: what waits for an answer, and what has ended. */
export interface Told {
  readonly id: string
  readonly title: string
  readonly body: string
}

/** What changed since, that is worth a word: each once. */
export const news = (before: ReadonlyArray<Thread>, now: ReadonlyArray<Thread>): ReadonlyArray<Told> => {
  const known = new Map(before.map((thread) => [thread.id, thread]))
  return now.flatMap((thread): ReadonlyArray<Told> => {
    const was = known.get(thread.id)
    const told = (body: string) => [{ id: thread.id, title: nameOf(thread), body }]
    if (was === undefined) return []
    if (thread.pendingRequests > was.pendingRequests) return told("The agent needs your approval.")
    if (!isWorking(was) || isWorking(thread)) return []
    return told(thread.status === "error" ? "The turn failed." : "The turn has ended.")
  })
}

export const canNotify = (): boolean => "Notification" in globalThis && Notification.permission !== "denied"
export const notifies = (): boolean => "Notification" in globalThis && Notification.permission === "granted"

/** Asks the browser for leave, once its user wants it. */
export const allowNotifications = (): Promise<boolean> =>
  Notification.requestPermission().then((permission) => permission === "granted")

/** One of each thread at a time: a later one takes the place of the earlier one. */
export const notify = ({ body, id, title }: Told, open: (id: string) => void): void => {
  if (!notifies() || document.visibilityState === "visible") return
  const notification = new Notification(title, { body, tag: id })
  notification.addEventListener("click", () => {
    window.focus()
    open(id)
    notification.close()
  })
}
