import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Page } from "playwright-core"
import { barriers, makeBrowserWith } from "./Browser.ts"
import { rejoin } from "./CommandLine.ts"
import { link } from "./ConsolePage.ts"
import { browserArgs, certificate, makeProxy, phone, scanned } from "./Phone.ts"
import { live, makeWorld, open, say, type World } from "./World.ts"

/** As somebody pairs a phone: by the code that the command shows, read as a camera reads it. */
const pairing = Effect.fnUntraced(function* (world: World, ...flags: ReadonlyArray<string>) {
  const { code, out } = yield* rejoin(world, "pair", ...flags)
  assert.strictEqual(code, 0, out)
  const address = scanned(out)
  assert.include(out, String(address))
  return address ?? ""
})

/** On a phone Enter begins a line. */
const said = async (page: Page, text: string) => {
  await page.getByLabel("Message", { exact: true }).fill(text)
  await page.getByRole("button", { name: "Send", exact: true }).click()
}

const item = (page: Page, text: string) => page.locator(".item", { hasText: text }).last()

describe("G3, U3: a phone", () => {
  it.live(
    "by TLS: let in by a code, talks within its mode, is told by push, opens without network, and is out when revoked",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({
            config: { tls: { ...certificate, host: "127.0.0.1", port: 0 } }
          })
          const server = yield* world.start()
          const high = yield* open(server, world.at("tree"), "full-access")
          yield* say(server, high, "the owner's own")
          const address = yield* pairing(world, "--name", "Ada's phone")
          assert.match(address, /^https:\/\/rejoin\.test:\d+\/#code=/)
          const { complaints, tab } = yield* makeBrowserWith(yield* browserArgs)
          const page = yield* tab(phone)
          page.setDefaultTimeout(10_000)
          const { origin } = new URL(address)
          yield* Effect.promise(async () => {
            await page.goto(address)
            await page.getByRole("button", { name: "Phone and notifications" }).click()
            await page.getByText("This is Ada's phone: it may use approval-required at most.").waitFor()
            assert.deepEqual(await barriers(page), [])
            await page.getByRole("button", { name: "Phone and notifications" }).click()
            // In a thread with more powers than its own it reads, and is told so when it talks.
            await page.getByRole("link", { name: /the owner's own/ }).click()
            await item(page, "the owner's own").waitFor()
            await said(page, "from the phone")
            await page.getByText("Ada's phone may do nothing in full-access").waitFor()
          })
          const low = yield* open(server, world.at("repo"), "approval-required")
          yield* Effect.promise(async () => {
            await page.goto(`${origin}/#/${low}`)
            await said(page, "hello from the phone")
            await item(page, "hello from the phone").waitFor()
            const modes = page.getByLabel("Mode", { exact: true }).locator("option:not([disabled])")
            assert.deepEqual(await modes.allTextContents(), ["read-only", "approval-required"])
            await said(page, "run echo approved > approved.txt")
            await page
              .getByRole("button", { name: /^Allow/ })
              .first()
              .click()
            await item(page, "result:").waitFor()
            assert.deepEqual(await barriers(page), [])
          })
          assert.strictEqual(
            (yield* world.fs.readFileString(`${world.at("repo")}/approved.txt`)).trim(),
            "approved"
          )

          // It can be installed, and keeps its own files and nothing that was said.
          const context = page.context()
          yield* Effect.promise(() => context.grantPermissions(["notifications"], { origin }))
          const session = yield* Effect.promise(() => context.newCDPSession(page))
          yield* Effect.promise(async () => {
            const { errors, url } = await session.send("Page.getAppManifest")
            assert.strictEqual(url, `${origin}/manifest.json`)
            assert.deepEqual(errors, [])
            const { installabilityErrors } = await session.send("Page.getInstallabilityErrors")
            assert.deepEqual(
              installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito"),
              []
            )
            await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
            await page.reload()
            await item(page, "hello from the phone").waitFor()
            const kept = await page.evaluate<ReadonlyArray<string>>(`(async () => {
  const names = await caches.keys()
  const all = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()))
  return all.flat().map(({ url }) => new URL(url).pathname)
})()`)
            assert.include(kept, "/")
            assert.isEmpty(kept.filter((path) => path !== "/" && !path.startsWith("/assets/")))
          })

          // What a push service hands on is shown, and leads to its thread when it is pressed.
          const registration = new Promise<string>((resolve) => {
            session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
              const [first] = registrations
              if (first !== undefined) resolve(first.registrationId)
            })
          })
          yield* Effect.promise(async () => {
            await session.send("ServiceWorker.enable")
            await session.send("ServiceWorker.deliverPushMessage", {
              origin,
              registrationId: await registration,
              data: JSON.stringify({ title: "Shop", body: "The turn has ended.", thread: high })
            })
            const told = await page.evaluate(`(async () => {
  const own = await navigator.serviceWorker.ready
  for (;;) {
    const [shown] = await own.getNotifications()
    if (shown) return [shown.title, shown.body, shown.tag]
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
})()`)
            assert.deepEqual(told, ["Shop", "The turn has ended.", high])
          })

          // Closed and opened again it lets itself in, and is still the phone.
          const again = yield* Effect.promise(async () => {
            await page.close()
            const next = await context.newPage()
            next.setDefaultTimeout(10_000)
            await next.goto(`${origin}/`)
            await next.getByRole("button", { name: "Phone and notifications" }).click()
            await next.getByText("This is Ada's phone").waitFor()
            return next
          })
          const listed = JSON.parse((yield* rejoin(world, "devices", "--json")).out) as ReadonlyArray<{
            readonly id: string
            readonly name: string
            readonly mode: string
          }>
          assert.deepEqual(
            listed.map(({ mode, name }) => [name, mode]),
            [["Ada's phone", "approval-required"]]
          )
          assert.include((yield* rejoin(world, "devices", "--revoke", listed[0]?.id ?? "")).out, "No device")
          yield* Effect.promise(async () => {
            await again.reload()
            await again.getByText("This device is not let in").waitFor()
          })
          // Without the server the page opens all the same, and says so.
          yield* server.stop
          yield* Effect.promise(async () => {
            await again.reload()
            await again.getByText("The server cannot be reached.").waitFor()
          })
          assert.isEmpty(complaints)
        })
      )
  )

  it.live(
    "behind a proxy that ends TLS, as Tailscale does: by the name that the operator lists, live, and over a restart",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          let target = ""
          const origin = yield* makeProxy(() => target)
          const hosts = { REJOIN_HOSTS: origin }
          const server = yield* world.start(hosts)
          target = server.url
          const address = yield* pairing(world, "--mode", "full-access")
          assert.isTrue(address.startsWith(`${origin}/#code=`), address)
          const { tab } = yield* makeBrowserWith(yield* browserArgs)
          const page = yield* tab(phone)
          page.setDefaultTimeout(10_000)
          const id = yield* open(server, world.at("repo"))
          yield* Effect.promise(async () => {
            await page.goto(address)
            await page.locator(`a[href="#/${id}"]`).click()
            await said(page, "one")
            await item(page, "one").waitFor()
          })
          // What is said elsewhere is seen there as it happens, and so is what is said after a restart.
          yield* say(server, id, "two")
          yield* Effect.promise(() => item(page, "one | two").waitFor())
          yield* server.stop
          const next = yield* world.start(hosts)
          target = next.url
          yield* say(next, id, "three")
          yield* Effect.promise(() => item(page, "one | two | three").waitFor())
          // A page that the owner opens lists the phone, and shows a code of its own.
          const desk = yield* tab()
          const owner = yield* link(next)
          yield* Effect.promise(async () => {
            await desk.goto(owner)
            await desk.getByRole("button", { name: "Phone and notifications" }).click()
            await desk.getByRole("button", { name: "Show a code" }).click()
            await desk.getByRole("img", { name: /The code to scan/ }).waitFor()
            assert.include(await desk.getByRole("status").first().innerText(), `${origin}/#code=`)
            assert.deepEqual(await barriers(desk), [])
            await desk.getByRole("button", { name: "Revoke" }).click()
          })
          yield* Effect.promise(() => page.getByText("This device is not let in").waitFor())
        })
      )
  )
})
