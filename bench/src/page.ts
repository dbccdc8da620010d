// `node bench/src/page.ts [seconds]`: what it costs Chromium to show an answer that grows by 200 pieces a second, in our
// page and in a bare one that appends the same text, side by side: time of the main thread, and their ratio. Then the
// size of the page, and how long it takes to be usable. Needs a built page (`npm test` and `npm start` build it) and
// Chromium.
import { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"
import { ItemId, ProviderInstanceId } from "@rejoin/contracts/Ids"
import { live } from "@rejoin/server/testing/Served"
import { Console, Effect } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { createServer, type ServerResponse } from "node:http"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { chromium, type CDPSession, type Page } from "playwright-core"

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium"
const seconds = Number(process.argv[2] ?? 10)
const perSecond = 200
const piece = (i: number) => (i % 40 === 39 ? "and **more**.\n\n" : "some words ")

/** Seconds of the main thread, and bytes of its heap. */
const cost = async (session: CDPSession) => {
  const { metrics } = await session.send("Performance.getMetrics")
  const value = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0
  return { busy: value("TaskDuration"), heap: value("JSHeapUsedSize") }
}

/** What the page costs while `write` is called at the pace of the pieces, until it shows the last one. */
const measure = async (page: Page, write: (piece: string) => unknown) => {
  const session = await page.context().newCDPSession(page)
  await session.send("Performance.enable")
  const before = await cost(session)
  const began = performance.now()
  for (let i = 0; i < seconds * perSecond; i++) {
    const late = began + (i * 1000) / perSecond - performance.now()
    if (late > 0) await new Promise((resolve) => setTimeout(resolve, late))
    await write(piece(i))
  }
  await write("the end")
  await page.getByText("the end").waitFor()
  const after = await cost(session)
  return { busy: after.busy - before.busy, heap: after.heap - before.heap }
}

const plain = `<!doctype html><pre></pre><script type="module">
  const reader = (await fetch("/text")).body.pipeThrough(new TextDecoderStream()).getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    document.querySelector("pre").append(next.value)
  }
</script>`

/** The same text from a server that does nothing else, appended as it comes. */
const bare = async (page: Page) => {
  const asked = Promise.withResolvers<ServerResponse>()
  const server = createServer((request, response) => {
    if (request.url !== "/text") return response.setHeader("content-type", "text/html").end(plain)
    response.write(" ")
    asked.resolve(response)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  await page.goto(`http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/`)
  const text = await asked.promise
  const measured = await measure(page, (piece) => text.write(piece))
  server.closeAllConnections()
  server.close()
  return measured
}

const sizeOf = () => {
  const dist = fileURLToPath(new URL("dist/assets/", import.meta.resolve("@rejoin/console/package.json")))
  return readdirSync(dist).reduce((sum, name) => sum + gzipSync(readFileSync(`${dist}${name}`)).length, 0)
}

const said = ({ busy, heap }: Awaited<ReturnType<typeof measure>>) =>
  `${busy.toFixed(2)} s of the main thread in ${seconds} s, heap ${(heap / 1e6).toFixed(1)} MB more`

await Effect.runPromise(
  live(({ client, cwd, upstream, url }) =>
    Effect.gen(function* () {
      const provider = ProviderInstanceId.make("memory")
      const { id } = yield* client.threads.create({ payload: { provider, cwd, title: "bench" } })
      const { link } = yield* client.access.issue()
      yield* client.turns.send({ params: { id }, payload: { input: "hold" } })
      const browser = yield* Effect.promise(() =>
        chromium.launch({
          executablePath,
          args: ["--no-sandbox", "--disable-gpu"]
        })
      )
      const results = yield* Effect.promise(async () => {
        const raw = await bare(await browser.newPage())
        const page = await browser.newPage()
        // The link names the address that is in the configuration; the server chose its own.
        const began = performance.now()
        await page.goto(`${url}/${new URL(link).hash}`)
        await page.getByRole("link", { name: /bench/ }).waitFor()
        const usable = performance.now() - began
        await page.getByRole("link", { name: /bench/ }).click()
        await page.getByText("holding").waitFor()
        const item = { id: ItemId.make("growing"), kind: "assistant-message", text: "" } as const
        upstream.tell(AdapterEvent.ItemStarted({ item: { ...item, status: "started" } }))
        const ours = await measure(page, (delta) =>
          upstream.tell(AdapterEvent.ItemDelta({ itemId: item.id, field: "text", delta }))
        )
        return { raw, ours, usable }
      }).pipe(Effect.ensuring(Effect.promise(() => browser.close())))
      const { ours, raw, usable } = results
      yield* Console.log(`bare: ${said(raw)}`)
      yield* Console.log(`ours: ${said(ours)}; ratio ${(ours.busy / raw.busy).toFixed(1)}`)
      yield* Console.log(
        `usable after ${(usable / 1000).toFixed(2)} s; ${Math.round(sizeOf() / 1000)} kB gzipped`
      )
    })
  ).pipe(Effect.orDie)
)
