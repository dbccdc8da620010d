import { Effect, FileSystem } from "effect"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { type BrowserContextOptions, chromium, type Page } from "playwright-core"

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium"
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js")

/** A real Chromium, which ends with the scope, and tabs in it. What a page complains of is collected. */
export const makeBrowserWith = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  if (!(yield* fs.exists(executablePath)))
    return yield* Effect.die(`There is no ${executablePath}: apt-get install chromium, or set CHROMIUM.`)
  const browser = yield* Effect.acquireRelease(
    Effect.promise(() =>
      chromium.launch({
        executablePath,
        args: [
          "--no-sandbox",
          "--disable-gpu",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
          ...args
        ]
      })
    ),
    (browser) => Effect.promise(() => browser.close())
  )
  const complaints: Array<string> = []
  const tab = (options: BrowserContextOptions = {}) =>
    Effect.promise(async () => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
      const page = await context.newPage()
      page.setDefaultTimeout(120_000)
      page.on("pageerror", ({ message }) => complaints.push(message))
      return page
    })
  return { tab, complaints }
})

export const makeBrowser = makeBrowserWith([])

/** What axe finds that keeps somebody from using the page. */
export const barriers = async (page: Page): Promise<ReadonlyArray<string>> => {
  // Not as a script of the page: its policy lets none in.
  await page.evaluate(readFileSync(axe, "utf8"))
  return page.evaluate(async () => {
    interface Violation {
      readonly id: string
      readonly impact: string | null
      readonly nodes: ReadonlyArray<{ readonly html: string }>
    }
    const { axe } = globalThis as unknown as {
      readonly axe: { run(): Promise<{ readonly violations: ReadonlyArray<Violation> }> }
    }
    const { violations } = await axe.run()
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)
  })
}
