// What runs when the page is closed: it shows what is pushed, and keeps the page's own files, so that it opens where there
// is no network. Nothing of a conversation is ever kept: what the API answers is passed through.

const shell = "rejoin-shell"

/** In ms. */
const patience = 5000

/** How many of the page's files are kept: each version of it has others. */
const most = 80

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      // With all that it is made of: what was loaded before we were there never came by here.
      const page = await fetch("/")
      const files = [...(await page.clone().text()).matchAll(/"(\/assets\/[^"]+)"/g)].map(([, file]) => file)
      const cache = await caches.open(shell)
      await cache.put("/", page)
      await cache.addAll(files)
      await self.skipWaiting()
    })()
  )
})

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim())
})

/** The page itself, under one name whatever it shows, and the files that it is made of. */
const keptAs = (request) => {
  const { origin, pathname } = new URL(request.url)
  if (request.method !== "GET" || origin !== self.location.origin) return undefined
  if (pathname === "/") return "/"
  return pathname.startsWith("/assets/") ? pathname : undefined
}

const keep = async (name, response) => {
  const cache = await caches.open(shell)
  await cache.put(name, response)
  const names = await cache.keys()
  for (const old of names.slice(1, Math.max(1, names.length - most))) await cache.delete(old)
}

self.addEventListener("fetch", (event) => {
  const name = keptAs(event.request)
  if (name === undefined) return
  // What the server has goes before what is kept: another server may be at this address by now. One that does not answer
  // is not waited for: a network may be there that leads nowhere.
  event.respondWith(
    fetch(event.request, { signal: AbortSignal.timeout(patience) }).then(
      (response) => {
        if (response.ok) event.waitUntil(keep(name, response.clone()))
        return response
      },
      async (error) => {
        const kept = await caches.match(name)
        if (kept) return kept
        throw error
      }
    )
  )
})

self.addEventListener("push", (event) => {
  const { body, thread, title } = event.data?.json() ?? {}
  event.waitUntil(
    self.registration.showNotification(title ?? "Rejoin", {
      body,
      // A later word of a thread takes the place of the earlier one.
      tag: thread,
      icon: "/icon-192.png",
      data: { thread }
    })
  )
})

self.addEventListener("notificationclick", (event) => {
  event.notification.close()
  const address = `/#/${event.notification.data?.thread ?? ""}`
  event.waitUntil(
    (async () => {
      const [open] = await self.clients.matchAll({ type: "window" })
      if (open === undefined) return self.clients.openWindow(address)
      await open.focus()
      open.postMessage({ open: address })
    })()
  )
})
