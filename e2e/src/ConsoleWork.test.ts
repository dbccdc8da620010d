import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import type { Page } from "playwright-core"
import { barriers, makeBrowser } from "./Browser.ts"
import { choose, link, said, shoot } from "./ConsolePage.ts"
import { live, makeWorld, open, say } from "./World.ts"

/** How much of what was seen has jumped, as browsers measure it, since this was begun. */
const shifts = async (page: Page) => {
  await page.evaluate(`{
    globalThis.seen = 0
    new PerformanceObserver((list) => {
      for (const { value } of list.getEntries()) seen += value
    }).observe({ type: "layout-shift" })
  }`)
  return () => page.evaluate<number>("seen")
}

const message = (page: Page) => page.getByLabel("Message", { exact: true })

describe("what an agent did, on the page", () => {
  it.live(
    "U: files are named by @, changes are seen, code is coloured, what was said is found and said again",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const cwd = world.at("repo")
          yield* world.fs.makeDirectory(`${cwd}/src`, { recursive: true })
          yield* world.fs.writeFileString(`${cwd}/src/Parser.ts`, "export const old = 1\n")
          execFileSync("git", ["add", "."], { cwd })
          const id = yield* open(server, cwd, "full-access")
          const { complaints, tab } = yield* makeBrowser
          const page = yield* tab()
          const address = yield* link(server)
          yield* Effect.promise(async () => {
            await page.goto(address)
            await page.goto(`${server.url}/#/${id}`)
            await page.getByText("Nothing was said here yet.").waitFor()

            await message(page).pressSequentially("look at @pars")
            await page.getByRole("option", { name: "src/Parser.ts" }).waitFor()
            assert.deepEqual(await barriers(page), [])
            await page.keyboard.press("Enter")
            assert.strictEqual(await message(page).inputValue(), "look at @src/Parser.ts ")
            await page.keyboard.press("Enter")
            await page.locator(".item.assistant-message", { hasText: "look at @src/Parser.ts" }).waitFor()

            await said(page, "write notes.md one line that is new")
            const change = page.locator(".item.file-change")
            await change.locator("summary", { hasText: "notes.md" }).waitFor()
            await change.locator(".mark", { hasText: "+1" }).waitFor()
            await page.locator(".changed summary", { hasText: "1 file changed" }).waitFor()
            await choose(page, "Changed files…")
            const panel = page.getByRole("group", { name: "Changed files" })
            await panel.locator("summary", { hasText: "notes.md" }).click()
            await panel.locator(".added", { hasText: "one line that is new" }).waitFor()
            await panel.locator("summary", { hasText: "src/Parser.ts" }).waitFor()
            assert.deepEqual(await barriers(page), [])
            await shoot(page, "changes")
            await page.keyboard.press("Escape")
            await panel.waitFor({ state: "detached" })

            await message(page).fill("think of code:\n\n```ts\nconst answer: number = 42 // coloured\n```")
            await page.keyboard.press("Enter")
            await page.locator(".assistant-message .hljs-keyword", { hasText: "const" }).first().waitFor()
            for (const colorScheme of ["dark", "light"] as const) {
              await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
              assert.deepEqual(await barriers(page), [], colorScheme)
            }
            await shoot(page, "work")

            // What a model writes as HTML is no button and no dialog of ours.
            await said(
              page,
              'think <figure><pre><code hidden>curl evil</code>ls</pre><button class="copy small">Copy</button></figure><dialog open>x</dialog>'
            )
            await page.getByText('<button class="copy small">').last().waitFor()
            assert.strictEqual(await page.locator("dialog, code[hidden]").count(), 0)

            await choose(page, "Find in it…")
            await page.getByLabel("What was said or done here").fill("line new")
            await page
              .getByRole("button", { name: /^Show: .*one line that is new/ })
              .first()
              .click()
            await page.locator(".item.sought").waitFor()
            // The conversation has moved, and the page has not.
            assert.strictEqual(await page.evaluate<number>("scrollY + document.body.scrollTop"), 0)
            assert.deepEqual(await barriers(page), [])
            await page.keyboard.press("Escape")

            // In a new thread, that knows what was said before it and not what was said then.
            const second = page.locator(".item.user-message", { hasText: "write notes.md" })
            await second.hover()
            await second.getByRole("button", { name: "Edit and send again" }).click()
            await page.getByText("Forked here").waitFor()
            assert.strictEqual(await message(page).inputValue(), "write notes.md one line that is new")
            await said(page, "and now?")
            await page
              .locator(".item.assistant-message", { hasText: "look at @src/Parser.ts | and now?" })
              .waitFor()
            // The first message of a fork is said again from where that was forked.
            const third = page.locator(".items > .user-message", { hasText: "and now?" })
            await third.hover()
            await third.getByRole("button", { name: "Edit and send again" }).click()
            await page.getByText("and now?").first().waitFor({ state: "detached" })
            await said(page, "or later?")
            await page
              .locator(".item.assistant-message", { hasText: "look at @src/Parser.ts | or later?" })
              .waitFor()
            // A fork of a fork shows all that it knows.
            await choose(page, "Fork")
            await page.locator(".inherited .user-message", { hasText: "or later?" }).waitFor()
            assert.isTrue(await page.locator(".inherited .user-message", { hasText: "look at" }).isVisible())
            await choose(page, "Find in it…")
            await page.getByLabel("What was said or done here").fill("look at")
            await page
              .getByRole("button", { name: /^Show: .*look at/ })
              .first()
              .click()
            await page.locator(".inherited .item.sought").waitFor()
            await page.getByRole("button", { name: "Close this panel" }).click()
            // The first message has nothing before it: its new thread is begun when it is sent.
            await page.goto(`${server.url}/#/${id}`)
            const first = page.locator(".item.user-message", { hasText: "look at" })
            await first.waitFor()
            await first.hover()
            await first.getByRole("button", { name: "Edit and send again" }).click()
            await page.getByRole("heading", { name: "New thread" }).waitFor()
            assert.include(await message(page).inputValue(), "look at @src/Parser.ts")
            assert.strictEqual(
              await page.getByLabel("What it may do without asking").inputValue(),
              "full-access"
            )
            await message(page).fill("alone")
            await page.getByRole("button", { name: "Start" }).click()
            await page.locator(".item.assistant-message", { hasText: /^\s*(Agent)?\s*alone\s*$/ }).waitFor()
          })
          const { items } = yield* server.client.threads.list({ query: {} })
          assert.lengthOf(items, 5)
          assert.isTrue(items.every((thread) => thread.cwd === cwd && thread.runtimeMode === "full-access"))
          assert.deepEqual(complaints, [])
        })
      )
  )

  it.live(
    "nothing jumps while an answer streams; long, right-to-left and Chinese words keep their place",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "full-access")
          const { complaints, tab } = yield* makeBrowser
          const page = yield* tab()
          const address = yield* link(server)
          const texts = [
            "שלום עולם, זה משפט ארוך מימין לשמאל עם src/Parser.ts באמצע",
            "今日は天気がいいですね。長い文章が折り返されることを確認します。".repeat(4),
            `${"averyveryverylongwordwithoutanyblank".repeat(12)} /a/path/${"deep/".repeat(60)}file.ts`,
            "| a | b |\n|---|---:|\n| 1 | 2 |\n\n- [x] done\n- [ ] to do\n\n> said by others"
          ]
          yield* Effect.promise(async () => {
            await page.goto(address)
            await page.goto(`${server.url}/#/${id}`)
            await message(page).waitFor()
            const short = await shifts(page)
            await said(page, "one")
            await page.locator(".item.assistant-message", { hasText: "one" }).waitFor()
            assert.isBelow(await short(), 0.01, "a first answer")
          })
          for (const text of texts) yield* say(server, id, text)
          yield* server.client.threads.update({
            params: { id },
            payload: { title: texts.join(" ").slice(0, 400) }
          })
          yield* Effect.promise(async () => {
            for (const [width, height] of [
              [1440, 900],
              [1024, 768],
              [390, 844]
            ] as const) {
              await page.setViewportSize({ width, height })
              const wide = await page.evaluate<number>("document.documentElement.scrollWidth")
              assert.isAtMost(wide, width, `at ${width}`)
              for (const part of [".thread", ".thread h1", ".items", ".composer", "header .menu"]) {
                const box = await page.locator(part).first().boundingBox()
                assert.isAtMost(Math.round((box?.x ?? 0) + (box?.width ?? 0)), width, `${part} at ${width}`)
              }
              for (const colorScheme of ["dark", "light"] as const) {
                await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
                assert.deepEqual(await barriers(page), [], `${width} ${colorScheme}`)
              }
            }
          })
          assert.deepEqual(complaints, [])
        })
      )
  )
})
