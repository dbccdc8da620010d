import { assert, describe, it } from "@effect/vitest"
import { ProviderSessionId } from "@rejoin/contracts/Ids"
import { make as makeClient } from "@rejoin/client/Client"
import { Effect, Redacted } from "effect"
import { DatabaseSync } from "node:sqlite"
import type { Page } from "playwright-core"
import { storeOf } from "./AgentHarness.ts"
import { instances } from "./Agents.ts"
import { barriers, makeBrowser } from "./Browser.ts"
import { rejoin } from "./CommandLine.ts"
import { choose, link, said, shoot } from "./ConsolePage.ts"
import { live, makeWorld, open, say, type Server, type World } from "./World.ts"

const texts = (page: Page) =>
  page.locator(".item").evaluateAll((items) => items.map((item) => item.textContent?.trim() ?? ""))

const lose = Effect.fnUntraced(function* (world: World, server: Server, id: string) {
  const { session } = yield* server.client.threads.get({ params: { id } })
  yield* server.client.sessions.stop({ params: { id } })
  yield* storeOf("opencode", world).lose(ProviderSessionId.make(session.providerSessionId ?? ""))
})

describe("the page, in a real Chromium on the real OpenCode", () => {
  it.live("first visit: nothing configured, two clicks, an answered turn; its link is good once", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        // Then the server brings its own OpenCode, with the built-in model.
        yield* world.fs.remove(`${world.home}/config.json`)
        const server = yield* world.start()
        const { complaints, tab } = yield* makeBrowser
        const page = yield* tab()
        const address = yield* link(server)
        yield* Effect.promise(async () => {
          await page.goto(address)
          // Where the server was started stands there already.
          await page.getByRole("button", { name: "repo", exact: true }).waitFor()
          assert.strictEqual(await page.getByLabel("Directory", { exact: true }).inputValue(), world.root)
          assert.deepEqual(await barriers(page), [])
          await shoot(page, "new")
          assert.notInclude(page.url(), "code")
          await page.getByLabel("Message", { exact: true }).fill("My name is Ada.")
          await page.getByRole("button", { name: "Start" }).click()
          await page.getByText("I am Recall").waitFor()
          await page.locator(".markdown li", { hasText: "My name is Ada." }).waitFor()
          // What is being typed is there again after a reload.
          await page.getByLabel("Message", { exact: true }).fill("half a thou")
          await page.reload()
          await page.getByText("I am Recall").waitFor()
          assert.strictEqual(await page.getByLabel("Message", { exact: true }).inputValue(), "half a thou")
          assert.match(await page.title(), /^My name is Ada\. · Rejoin$/)
        })
        // The browser lets itself in again when all its tabs were closed, without a link, until it is forgotten.
        const context = page.context()
        const reopened = yield* Effect.promise(async () => {
          await page.close()
          const next = await context.newPage()
          next.setDefaultTimeout(120_000)
          await next.goto(`${server.url}/`)
          await next.getByRole("link", { name: /My name is Ada/ }).click()
          await next.getByText("I am Recall").waitFor()
          return next
        })
        const listed = yield* rejoin(world, "browsers", "--json")
        const [known] = JSON.parse(listed.out) as ReadonlyArray<{ readonly id: string }>
        assert.include((yield* rejoin(world, "browsers", "--forget", known?.id ?? "")).out, "No browser")
        yield* Effect.promise(async () => {
          const forgotten = await context.newPage()
          await reopened.close()
          await forgotten.goto(`${server.url}/`)
          await forgotten.getByText("Sign in: paste the link").waitFor()
          await forgotten.close()
        })
        const back = yield* link(server)
        const later = yield* Effect.promise(() => context.newPage())
        later.setDefaultTimeout(120_000)
        yield* Effect.promise(async () => {
          await later.goto(back)
          await later.getByRole("link", { name: /My name is Ada/ }).click()
          await later.getByText("I am Recall").waitFor()
        })
        const other = yield* tab()
        const fresh = yield* link(server)
        yield* Effect.promise(async () => {
          await other.goto(address)
          await other.getByText("The link was used already").waitFor()
          assert.deepEqual(await barriers(other), [])
          // Another link can be pasted where it says so.
          await other.getByLabel("The link, or the code in it").fill(fresh)
          await other.getByRole("button", { name: "Sign in" }).click()
          await other.getByRole("link", { name: /My name is Ada/ }).waitFor()
        })
        // A token that is not good any more: the page asks to be let in, and is then where it was.
        yield* server.stop
        const token = "another-token-of-the-operator"
        const { url } = yield* world.start({ REJOIN_TOKEN: token, REJOIN_PORT: new URL(server.url).port })
        const again = yield* makeClient({ url, token: Redacted.make(token) })
        const { code } = yield* again.access.issue()
        yield* Effect.promise(async () => {
          await later.getByLabel("The link, or the code in it").fill(code)
          await later.getByRole("button", { name: "Sign in" }).click()
          await later.getByText("I am Recall").waitFor()
          // And stays in: what follows the server with the old token has ended.
          await said(later, "Still here?")
          await later.locator(".markdown li", { hasText: "Still here?" }).waitFor()
          assert.strictEqual(await later.evaluate("sessionStorage.getItem('rejoin.token')"), token)
        })
        assert.deepEqual(complaints, [])
      })
    )
  )

  it.live(
    "two tabs in step: an approval, a kill -9 of the server while it streams, a move, a start that began anew",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ config: { transcripts: { keep: false } } })
          const first = yield* world.start()
          const port = new URL(first.url).port
          const id = yield* open(first, world.at("repo"), "approval-required")
          yield* say(first, id, "one")
          const { complaints, tab } = yield* makeBrowser
          const desk = yield* tab()
          const phone = yield* tab({ viewport: { width: 390, height: 844 } })
          for (const page of [desk, phone]) {
            const address = yield* link(first)
            yield* Effect.promise(async () => {
              await page.goto(address)
              await page.getByRole("link", { name: /New thread|one/ }).click()
              await page.locator(".item.assistant-message", { hasText: "one" }).waitFor()
            })
          }
          yield* Effect.promise(async () => {
            await said(desk, "run touch approved.txt; echo done")
            const allow = phone.getByRole("button", { name: "Allow", exact: true })
            await allow.waitFor()
            await desk.getByRole("button", { name: "Allow", exact: true }).waitFor()
            assert.deepEqual(await barriers(phone), [])
            await shoot(desk, "approval")
            await shoot(phone, "approval-phone")
            await allow.click()
            for (const page of [desk, phone]) {
              await page.getByRole("button", { name: "Allow", exact: true }).waitFor({ state: "detached" })
              await page.getByText("result: done").waitFor()
            }
            await said(phone, "hold on")
            for (const page of [desk, phone]) await page.getByText("holding").waitFor()
          })
          assert.isTrue(yield* world.fs.exists(world.at("repo/approved.txt")))

          yield* first.kill
          yield* Effect.promise(async () => {
            for (const page of [desk, phone]) await page.getByText("The server is away").waitFor()
          })
          const second = yield* world.start({ REJOIN_PORT: port })
          yield* Effect.promise(async () => {
            for (const page of [desk, phone]) {
              await page.getByText("The server is away").waitFor({ state: "detached" })
              await page.getByText(/hold on.*was interrupted/).waitFor()
            }
            await said(desk, "two")
            for (const page of [desk, phone])
              await page.locator(".item.assistant-message", { hasText: "| two" }).waitFor()
          })
          const { items } = yield* second.client.threads.items({ params: { id }, query: { limit: 500 } })
          yield* Effect.promise(async () => {
            // Without gap and without double: what a page that saw it all shows is what one shows that comes now.
            assert.lengthOf(await texts(desk), items.length)
            assert.deepEqual(await texts(phone), await texts(desk))

            await choose(desk, "Move…")
            await desk.getByRole("button", { name: "tree", exact: true }).click()
            await desk.getByRole("button", { name: "Continuity" }).click()
            const moved = desk.locator('[data-outcome="forked"]')
            await moved.getByText(world.at("tree")).first().waitFor()
            await desk.locator("header code", { hasText: /^tree$/ }).waitFor()
            await moved.getByText("What was checked").click()
            assert.deepEqual(await barriers(desk), [])
            await shoot(desk, "moved")

            // A steer joins the turn that runs; a new worktree is made and moved into.
            await said(desk, "hold again")
            await desk.getByText("holding").nth(1).waitFor()
            await phone.getByLabel("Message", { exact: true }).fill("and this")
            await phone.getByRole("button", { name: "Steer" }).click()
            // What waits can be withdrawn, and what runs goes on.
            await phone.getByLabel("Message", { exact: true }).fill("never mind")
            await phone.getByRole("button", { name: "Queue" }).click()
            await desk.getByRole("button", { name: "Cancel" }).click()
            await phone.getByText("“never mind” was withdrawn").waitFor()
            await desk.getByRole("button", { name: "Stop", exact: true }).click()
            await phone.getByText(/hold again.*was interrupted/).waitFor()
            await choose(desk, "Move…")
            await desk.getByLabel("To a new worktree").fill("feat/page")
            await desk.getByRole("button", { name: "Create and move" }).click()
            await desk.locator("header code", { hasText: "feat/page" }).waitFor()
          })

          // An answer that is lost on its way back: what was typed stays, and sent again it is one turn.
          yield* Effect.promise(async () => {
            await desk.route(
              "**/turns",
              async (route) => {
                await route.fetch()
                await route.abort()
              },
              { times: 1 }
            )
            await said(desk, "only once")
            await desk.getByRole("alert").getByText("The server cannot be reached.").waitFor()
            await desk.getByRole("button", { name: /^Send/ }).first().click()
            await desk.getByRole("alert").waitFor({ state: "detached" })
            await desk.locator(".item.assistant-message", { hasText: "only once" }).waitFor()
            assert.strictEqual(await desk.getByLabel("Message", { exact: true }).inputValue(), "")
          })
          const asked = world.model
            .requests()
            .filter(({ said, tools }) => tools.length > 0 && said.at(-1) === "only once")
          assert.lengthOf(asked, 1)

          // By keyboard alone: what is opened is gone into, Escape leaves it, and one is where one was.
          yield* Effect.promise(async () => {
            await desk.getByRole("button", { name: "This thread" }).focus()
            await desk.keyboard.press("Enter")
            await desk.getByRole("menuitem", { name: "Fork" }).and(desk.locator(":focus")).waitFor()
            for (let i = 0; i < 20; i++) {
              if (
                await desk.getByRole("menuitem", { name: "Reset…" }).and(desk.locator(":focus")).isVisible()
              )
                break
              await desk.keyboard.press("ArrowDown")
            }
            await desk.keyboard.press("Enter")
            await desk
              .getByRole("button", { name: "Reset", exact: true })
              .and(desk.locator(":focus"))
              .waitFor()
            await desk.keyboard.press("Escape")
            await desk.getByRole("button", { name: "This thread" }).and(desk.locator(":focus")).waitFor()
            await desk.getByRole("link", { name: "To the message" }).focus()
            await desk.keyboard.press("Enter")
            await desk.keyboard.type("ask me")
            await desk.keyboard.press("Enter")
            // A question, answered in the other tab.
            await phone.getByRole("radio", { name: "B" }).check()
            await phone.getByRole("button", { name: "Answer" }).click()
            for (const page of [desk, phone]) {
              await page.getByRole("button", { name: "Answer" }).waitFor({ state: "detached" })
              await page.locator(".item.assistant-message", { hasText: "B" }).last().waitFor()
            }
            // A fork shows what it goes on from; one from an earlier turn, what was said until then.
            const first = desk.locator(".item.user-message", { hasText: "hold on" })
            await first.hover()
            await first.getByRole("button", { name: "Fork after this" }).click()
            await desk.getByText("Forked here").waitFor()
            assert.isTrue(await desk.locator(".inherited .user-message", { hasText: "hold on" }).isVisible())
            assert.strictEqual(await desk.locator(".inherited", { hasText: "ask me" }).count(), 0)
            await choose(desk, "Delete…")
            await desk.getByRole("button", { name: "Delete", exact: true }).click()
            await desk.getByRole("link", { name: /one \(fork\)/ }).waitFor({ state: "detached" })
            await desk.getByRole("link", { name: /one/ }).click()
            await choose(phone, "Fork")
            await phone.getByText("Forked here").waitFor()
            await phone.locator(".inherited .user-message", { hasText: "hold on" }).waitFor()
            await phone.goBack()
            await phone.getByText("Forked here").waitFor({ state: "detached" })

            // An answer that comes when another thread is looked at: each thread has its own draft.
            const answered = Promise.withResolvers<void>()
            await desk.route(
              "**/turns",
              async (route) => {
                const response = await route.fetch()
                await answered.promise
                await route.fulfill({ response })
              },
              { times: 1 }
            )
            await said(desk, "slowly answered")
            await desk.locator(".item.user-message", { hasText: "slowly answered" }).waitFor()
            await desk.getByRole("link", { name: /one \(fork\)/ }).click()
            await desk.getByText("Forked here").waitFor()
            const message = desk.getByLabel("Message", { exact: true })
            await message.fill("the fork's own")
            const late = desk.waitForResponse((response) => response.url().endsWith("/turns"))
            answered.resolve()
            await late
            await desk.goBack()
            await desk.getByText("Forked here").waitFor({ state: "detached" })
            assert.strictEqual(await message.inputValue(), "")
            await desk.goForward()
            await desk.getByText("Forked here").waitFor()
            assert.strictEqual(await message.inputValue(), "the fork's own")
            await desk.goBack()
            await desk.locator(".item.assistant-message", { hasText: "slowly answered" }).waitFor()
          })

          yield* lose(world, second, id)
          yield* Effect.promise(async () => {
            await said(desk, "three")
            for (const page of [desk, phone])
              await page.getByRole("alert").getByText("This conversation began anew").waitFor()
            await desk.getByRole("button", { name: "Continuity" }).click()
            await desk.locator('[data-outcome="replaced"]').waitFor()
            for (const colorScheme of ["dark", "light"] as const) {
              await desk.emulateMedia({ colorScheme, reducedMotion: "reduce" })
              assert.deepEqual(await barriers(desk), [], colorScheme)
            }
            await shoot(desk, "replaced")
            await shoot(phone, "replaced-phone")
          })
          // Where the agent's memory ends stays marked, when the next start has long gone well.
          yield* second.client.sessions.stop({ params: { id } })
          yield* say(second, id, "four")
          yield* Effect.promise(async () => {
            for (const page of [desk, phone]) {
              await page.getByRole("alert").waitFor({ state: "detached" })
              const shown = await page.locator(".items > :is(.item, .turning)").allTextContents()
              const turning = shown.findIndex((text) => text.startsWith("Began anew"))
              assert.include(shown[turning + 1], "three")
            }
          })
          assert.deepEqual(complaints, [])
        })
      )
  )

  it.live(
    "a directory that brings code is looked at and trusted; what a model refuses is gone round by a fork",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "read-only")
          yield* world.fs.makeDirectory(world.at("repo/.opencode/plugin"), { recursive: true })
          yield* world.fs.writeFileString(
            world.at("repo/.opencode/plugin/own.js"),
            "export const P = async () => ({})\n"
          )
          const { complaints, tab } = yield* makeBrowser
          const page = yield* tab()
          const address = yield* link(server)
          yield* Effect.promise(async () => {
            await page.goto(address)
            await page.goto(`${server.url}/#/${id}`)
            await said(page, "one")
            await page.getByText("The conversation did not go on.").waitFor()
            await page.getByRole("button", { name: "Look at it…" }).click()
            await page.locator("code", { hasText: ".opencode/plugin" }).waitFor()
            assert.deepEqual(await barriers(page), [])
            await page.getByRole("button", { name: "I have looked at it: trust it" }).click()
            await said(page, "two")
            await page.locator(".item.assistant-message", { hasText: "two" }).waitFor()

            await said(page, "poison")
            const way = page.getByRole("button", { name: "Fork from before it" })
            await page.getByText("fork the thread from the turn before it").waitFor()
            await way.last().click()
            await page.getByText("Forked here").waitFor()
            await said(page, "three")
            await page.locator(".item.assistant-message", { hasText: "two | three" }).waitFor()
            // Of a thread of which nothing is known yet there is nothing to fork.
            await page.goto(`${server.url}/#/${id}`)
            await page.getByText("“poison” failed").waitFor()
            assert.strictEqual(await way.count(), 1)

            await choose(page, "Trust…")
            await page.getByRole("button", { name: "Trust it no longer" }).click()
            await said(page, "four")
            await page.getByText("The conversation did not go on.").waitFor()
          })
          assert.deepEqual(complaints, [])
        })
      )
  )

  it.live("another agent goes on with all that was said; a thread that has moved is taken back", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld({ agents: ["codex", "claude"] })
        const server = yield* world.start()
        const id = yield* open(server, world.at("repo"), "full-access", instances.codex)
        yield* say(server, id, "think of one")
        const { complaints, tab } = yield* makeBrowser
        const page = yield* tab()
        const address = yield* link(server)
        yield* Effect.promise(async () => {
          await page.goto(address)
          await page.goto(`${server.url}/#/${id}`)
          await choose(page, "Hand over…")
          assert.deepEqual(await barriers(page), [])
          await page.getByRole("button", { name: "Hand over to claude" }).click()
          await page.locator(".turning", { hasText: "without 1 × reasoning" }).waitFor()
          await said(page, "two")
          await page.locator(".item.assistant-message", { hasText: "think of one | two" }).waitFor()
        })
        // What was said is found again from anywhere, and opened where it was said.
        const found = yield* rejoin(world, "search", "thought: of one", "--json")
        assert.include(found.out, id)
        const elsewhere = yield* open(server, world.at("repo"), "full-access", instances.codex)
        yield* Effect.promise(async () => {
          await page.goto(`${server.url}/#/${elsewhere}`)
          await page.getByLabel(/^Search threads/).fill("thought of one")
          await page.locator("nav .hit mark", { hasText: "thought" }).first().waitFor()
          assert.deepEqual(await barriers(page), [])
          await page.locator("nav .hit").first().click()
          await page.locator(".item.sought", { hasText: "thought" }).waitFor()
          await page.getByLabel(/^Search threads/).fill("")
        })
        const moved = yield* rejoin(world, "export", id, "--move", "--to", "my laptop", "-o", world.at("out"))
        assert.strictEqual(moved.code, 0, moved.err)
        yield* Effect.promise(async () => {
          await page.getByText("This conversation goes on elsewhere: my laptop").waitFor()
          assert.deepEqual(await barriers(page), [])
          await page.getByRole("button", { name: "Take it back…" }).click()
          await page.getByRole("button", { name: "Take it back", exact: true }).click()
          await page.getByText("This conversation goes on elsewhere").waitFor({ state: "detached" })
          await said(page, "three")
          await page.locator(".item.assistant-message", { hasText: "two | three" }).waitFor()
        })
        // A session that no thread has any more is one of the agent's own, and can be gone on with.
        yield* server.client.sessions.stop({ params: { id } })
        yield* server.client.threads.remove({ params: { id } })
        yield* Effect.promise(async () => {
          await page.goto(`${server.url}/#/new`)
          await page.getByLabel("Agent", { exact: true }).selectOption("claude")
          await page.getByText("Go on with what claude has already").click()
          await page.getByRole("checkbox").first().check()
          assert.deepEqual(await barriers(page), [])
          await page.getByRole("button", { name: "Go on with it" }).click()
          await page.getByText("in the agent's own interface").first().waitFor()
          await said(page, "four")
          await page.locator(".item.assistant-message", { hasText: "three | four" }).waitFor()
        })
        assert.deepEqual(complaints, [])
      })
    )
  )

  it.live("files go with a message; a long title on every screen; who has scrolled up reads on", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld({ agents: ["claude"] })
        const server = yield* world.start()
        const id = yield* open(server, world.at("repo"), "full-access", instances.claude)
        const { complaints, tab } = yield* makeBrowser
        const page = yield* tab()
        const address = yield* link(server)
        const note = { name: "note.txt", mimeType: "text/plain", buffer: Buffer.from("what stands in it") }
        yield* Effect.promise(async () => {
          await page.goto(address)
          await page.goto(`${server.url}/#/${id}`)
          const picker = page.getByLabel("Files to attach")
          await picker.setInputFiles(note)
          await page.getByRole("button", { name: "Remove note.txt" }).click()
          await picker.setInputFiles(note)
          // A picture in the clipboard.
          await page.evaluate(`{
            const data = new DataTransfer()
            data.items.add(new File(["pasted text"], "pasted.txt", { type: "text/plain" }))
            const pasted = { clipboardData: data, bubbles: true, cancelable: true }
            document.getElementById("input").dispatchEvent(new ClipboardEvent("paste", pasted))
          }`)
          await page.getByRole("button", { name: "Remove pasted.txt" }).waitFor()
          assert.deepEqual(await barriers(page), [])
          await said(page, "look at them")
          await page.getByText("with note.txt, pasted.txt").waitFor()
          await page.locator(".item.assistant-message", { hasText: "look at them" }).waitFor()
          await page.reload()
          await page.getByText("with note.txt, pasted.txt").waitFor()
        })
        const body = JSON.stringify(world.model.requests().at(-1)?.body)
        assert.include(body, "what stands in it")
        assert.include(body, "pasted text")

        const title =
          "A title of more than thirty-five characters about a Donaudampfschiffahrtsgesellschaftskapitän"
        yield* server.client.threads.update({ params: { id }, payload: { title } })
        for (let i = 0; i < 6; i++) yield* say(server, id, `${i}: ${"a line of what is said\n".repeat(12)}`)
        yield* Effect.promise(async () => {
          await page.locator("h1", { hasText: "Donaudampf" }).waitFor()
          for (const width of [1440, 1024, 390]) {
            await page.setViewportSize({ width, height: 844 })
            for (const part of [".thread", ".thread h1", ".items", ".composer"]) {
              const box = await page.locator(part).first().boundingBox()
              assert.isAtMost(Math.round((box?.x ?? 0) + (box?.width ?? 0)), width, `${part} at ${width}`)
            }
          }
          await page.setViewportSize({ width: 1024, height: 700 })
          await page.locator(".scroll").evaluate((element) => element.scrollBy(0, -900))
          await page.getByRole("button", { name: /latest/i }).waitFor()
        })
        // As it is painted: what has just come is not in its place before.
        const read = async () => {
          await page.evaluate(
            "new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)))"
          )
          return page.locator(".items").evaluate((items) => {
            const seen = [...items.children].find((child) => child.getBoundingClientRect().bottom > 200)
            return { text: seen?.textContent?.slice(0, 40), top: seen?.getBoundingClientRect().top ?? 0 }
          })
        }
        const before = yield* Effect.promise(read)
        yield* say(server, id, "said while somebody reads")
        yield* Effect.promise(async () => {
          await page
            .locator(".item.assistant-message", { hasText: "said while somebody reads" })
            .waitFor({ state: "attached" })
          const after = await read()
          assert.strictEqual(after.text, before.text)
          assert.isBelow(Math.abs(after.top - before.top), 3)
        })
        // The documentation loads nothing from outside, and nothing of it is kept from loading.
        yield* Effect.promise(async () => {
          await page.goto(`${server.url}/docs`)
          await page.getByText("/threads/{id}/turns").first().waitFor()
        })
        assert.deepEqual(complaints, [])
      })
    )
  )

  it.live(
    "U4: what is always allowed is not asked for again, until that is taken back; models are offered",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "approval-required")
          yield* say(server, id, "one")
          const { complaints, tab } = yield* makeBrowser
          const page = yield* tab()
          const address = yield* link(server)
          yield* Effect.promise(async () => {
            await page.goto(address)
            await page.getByRole("link", { name: /New thread|one/ }).click()
            await page.locator(".item.assistant-message", { hasText: "one" }).waitFor()
            await said(page, "run touch made.txt; echo first")
            await page.getByRole("button", { name: "Always allow this here" }).click()
            await page.getByText("result: first").waitFor()
            await said(page, "run touch made.txt; echo first")
            // Nobody answers: it would wait for ever.
            await page.getByText("result: first").nth(1).waitFor()
            await choose(page, "Name, model, rules…")
            await page.getByText("touch made.txt; echo first", { exact: true }).last().waitFor()
            await page.locator('datalist option[value="test/scripted"]').waitFor({ state: "attached" })
            assert.deepEqual(await barriers(page), [])
            await page.getByRole("button", { name: "Ask again" }).click()
            await page.getByRole("button", { name: "Ask again" }).waitFor({ state: "detached" })

            // What waits is rewritten, and put first.
            await said(page, "run echo holding")
            await page.getByRole("button", { name: "Allow", exact: true }).waitFor()
            await said(page, "run echo second")
            await page.locator(".queued", { hasText: "echo second" }).waitFor()
            await said(page, "run echo thrd")
            const last = page.locator(".queued", { hasText: "echo thrd" })
            await last.getByRole("button", { name: "Edit" }).click()
            await page.getByLabel("The queued message").fill("run echo third")
            await page.getByRole("button", { name: "Save" }).click()
            const third = page.locator(".queued", { hasText: "echo third" })
            await third.getByRole("button", { name: "Send first" }).click()
            await page.locator(".queued").first().getByText("echo third").waitFor()
            assert.deepEqual(await barriers(page), [])
          })
          assert.isEmpty((yield* server.client.rules.list({ query: {} })).items)
          const { items: turns } = yield* server.client.turns.list({ params: { id }, query: {} })
          assert.deepEqual(
            turns.slice(-3).map(({ input }) => input),
            ["run echo holding", "run echo third", "run echo second"]
          )
          assert.deepEqual(complaints, [])
        })
      )
  )

  it.live("5,000 items: the last ones at once, the others as one goes back, and nothing jumps", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld({ agents: ["claude"] })
        const server = yield* world.start()
        const id = yield* open(server, world.at("repo"), "full-access", "claude" as never)
        const db = new DatabaseSync(`${world.home}/rejoin.db`)
        const insert = db.prepare("INSERT INTO item (thread_id, id, record_json) VALUES (?, ?, ?)")
        db.exec("BEGIN")
        for (let i = 0; i < 5000; i++) {
          const text = `Item ${i}: ${"some words of an answer ".repeat(i % 7)}`
          const item = {
            id: `itm_${i}`,
            turnId: "trn_1",
            kind: "assistant-message",
            status: "completed",
            text
          }
          insert.run(id, item.id, JSON.stringify(item))
        }
        db.exec("COMMIT")
        db.close()
        const { complaints, tab } = yield* makeBrowser
        const page = yield* tab()
        const address = yield* link(server)
        yield* Effect.promise(async () => {
          await page.goto(address)
          await page.getByRole("link", { name: /New thread/ }).click()
          await page.getByText("Item 4999:").waitFor()
          const older = page.getByRole("button", { name: "Show what was before" })
          const shown = () => page.locator(".item").count()
          for (let before = await shown(); before < 5000; before = await shown()) {
            await older.scrollIntoViewIfNeeded()
            const first = page.locator(".item").first()
            const text = (await first.textContent())?.split(":")[0] ?? ""
            const at = (await first.boundingBox())?.y ?? 0
            await older.click()
            await page.locator(".item").nth(before).waitFor({ state: "attached" })
            const kept = page.locator(".item", { hasText: `${text}:` }).first()
            const now = (await kept.boundingBox())?.y ?? 0
            // It is where it was, but for the button that stood above it.
            assert.isBelow(Math.abs(now - at), 60)
          }
          const all = await texts(page)
          assert.deepEqual(
            all.map((text) => Number(/^(?:Agent)?Item (\d+):/.exec(text)?.[1])),
            Array.from({ length: 5000 }, (_, i) => i)
          )
        })
        assert.deepEqual(complaints, [])
      })
    )
  )
})
