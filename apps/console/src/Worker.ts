import type { PushTarget } from "@rejoin/contracts/Push"

/** Whether this browser runs something for us when the page is closed: an address with TLS, or this machine. */
export const canRunWorker = (): boolean => "serviceWorker" in navigator && globalThis.isSecureContext
export const canPush = (): boolean =>
  canRunWorker() && "PushManager" in globalThis && "Notification" in globalThis

/**
 * Starts what runs when the page is closed (public/worker.js). Not for everybody who looks: it stays with the address, and
 * another program may be there one day.
 */
export const startWorker = async (): Promise<ServiceWorkerRegistration> => {
  await navigator.serviceWorker.register("/worker.js")
  return navigator.serviceWorker.ready
}

/** A notification that was pressed names what it was about. */
export const onPressed = (open: (address: string) => void): (() => void) => {
  if (!canRunWorker()) return () => undefined
  const hear = ({ data }: MessageEvent<unknown>) => {
    if (typeof data === "object" && data !== null && "open" in data) open(String(data.open))
  }
  navigator.serviceWorker.addEventListener("message", hear)
  return () => navigator.serviceWorker.removeEventListener("message", hear)
}

/** The subscription of this browser, where it has one. */
export const pushTarget = async (): Promise<PushTarget | undefined> => {
  if (!canPush()) return undefined
  const registration = await navigator.serviceWorker.getRegistration()
  return targetOf(await registration?.pushManager.getSubscription())
}

const targetOf = (subscription: PushSubscription | null | undefined): PushTarget | undefined => {
  const { endpoint, keys } = subscription?.toJSON() ?? {}
  const [p256dh, auth] = [keys?.["p256dh"], keys?.["auth"]]
  return endpoint && p256dh && auth ? { endpoint, keys: { p256dh, auth } } : undefined
}

/** As the server calls it: the first half of the SHA-256 of its address, in hex. */
export const pushId = async ({ endpoint }: PushTarget): Promise<string> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint))
  return [...new Uint8Array(digest).slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("")
}

/** Lets this browser be told by its push service, with the server's key. Rejects where its user or the browser does not. */
export const subscribe = async (publicKey: string): Promise<PushTarget> => {
  if ((await Notification.requestPermission()) !== "granted")
    throw new Error("This browser does not let Rejoin notify you.")
  const { pushManager } = await startWorker()
  const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey })
  const target = targetOf(made)
  if (target === undefined) throw new Error("This browser's push service gives no address.")
  return target
}

export const unsubscribe = async (): Promise<void> => {
  const registration = await navigator.serviceWorker.getRegistration()
  await (await registration?.pushManager.getSubscription())?.unsubscribe()
}
