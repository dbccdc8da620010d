import { Effect } from "effect"
import type { Page } from "playwright-core"
import type { Server } from "./World.ts"

/** A link that lets one tab in. */
export const link = (server: Server) => Effect.map(server.client.access.issue(), ({ link }) => link)

/** With REJOIN_SCREENSHOTS, what is seen is kept there: light and dark, on a desk and on a phone. */
export const shoot = async (page: Page, name: string) => {
  const directory = process.env["REJOIN_SCREENSHOTS"]
  if (directory === undefined) return
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" })
    await page.screenshot({ path: `${directory}/${name}-${scheme}.png` })
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: null })
}

export const said = async (page: Page, text: string) => {
  await page.getByLabel("Message", { exact: true }).fill(text)
  await page.getByLabel("Message", { exact: true }).press("Enter")
}

/** From the menu of the thread that is open. */
export const choose = async (page: Page, name: string) => {
  await page.getByRole("button", { name: "This thread" }).click()
  await page.getByRole("menuitem", { name, exact: true }).click()
}
