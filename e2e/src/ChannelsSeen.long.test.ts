import { assert, describe, it } from "@effect/vitest"
import { fakeTelegram, telegramToken } from "@rejoin/testkit/platforms/FakeTelegram"
import { sendSignal } from "@rejoin/agent-kit/ProcessOwner"
import { Effect } from "effect"
import { barriers, makeBrowser } from "./Browser.ts"
import { rejoin, started } from "./CommandLine.ts"
import { link } from "./ConsolePage.ts"
import { live, makeWorld, until } from "./World.ts"

describe("T18: how a channel is, for whoever runs it", () => {
  it.live(
    "in the command, the doctor, the metrics and on the page: down and why, up again, who was let in, by which code",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const telegram = yield* fakeTelegram
          const file = world.at("token")
          yield* world.fs.writeFileString(file, "42:wrong-token\n")
          const channel = {
            id: "tg",
            kind: "telegram",
            token: { file },
            url: telegram.url,
            provider: "opencode",
            cwd: world.at("repo")
          }
          yield* world.configure({ providers: world.providers, channels: [channel] })
          const run = (...args: ReadonlyArray<string>) => rejoin(world, ...args)

          const server = yield* world.start()
          yield* until(Effect.map(server.client.channels.list({}), ({ items }) => items[0]?.state === "down"))
          const listed = yield* run("channel", "list")
          assert.include(listed.out, "tg: Telegram is down")
          assert.include(listed.out, "@BotFather")
          const held = yield* run("doctor")
          assert.include(held.out, "Unauthorized")
          yield* server.stop
          const alone = yield* run("doctor", "--json")
          assert.include(alone.out, "Unauthorized")
          assert.strictEqual(alone.code, 1)

          const again = yield* world.start()
          yield* world.fs.writeFileString(file, telegramToken)
          yield* until(Effect.map(again.client.channels.list({}), ({ items }) => items[0]?.state === "up"))
          const healthy = yield* run("doctor", "--json")
          assert.notInclude(healthy.out, "Unauthorized")
          const metrics = yield* again.client.metrics.metrics()
          assert.match(metrics, /rejoin_channel_up\{[^}]*channel="tg"[^}]*\} 1/)

          const paired = yield* run("channel", "pair", "tg")
          telegram.say(paired.out.split("\n")[0] ?? "", { chat: 7, from: 7, name: "Ada\u202e" })
          yield* until(Effect.sync(() => telegram.in(7).some(({ text }) => text?.startsWith("You may talk"))))
          telegram.say("one", { chat: 7, from: 7 })
          yield* until(Effect.sync(() => telegram.in(7).some(({ text }) => text === "one")))
          assert.include((yield* run("channel", "peers", "tg")).out, "7  Ada⟨U+202E⟩")
          assert.strictEqual((yield* run("channel", "pair", "none")).code, 1)

          const { complaints, tab } = yield* makeBrowser
          const page = yield* tab()
          const address = yield* link(again)
          yield* Effect.promise(async () => {
            await page.goto(address)
            await page.getByRole("button", { name: "Chats" }).click()
            const panel = page.getByRole("group", { name: "Chats on other platforms" })
            await panel.getByText("tg: Telegram is up").waitFor()
            await panel.getByText("Ada").waitFor()
            await panel.getByRole("button", { name: "Let somebody in" }).click()
            await panel.getByText("lets in whoever writes it").waitFor()
            assert.deepEqual(await barriers(page), [])
            await page.setViewportSize({ width: 360, height: 700 })
            assert.isAtMost(await page.evaluate<number>("document.documentElement.scrollWidth"), 360)
            await panel.getByRole("button", { name: "Do not hear" }).click()
            await panel.getByText("0 people let in").waitFor()
          })
          assert.deepEqual(complaints, [])
          telegram.say("two", { chat: 7, from: 7 })
          yield* until(Effect.sync(() => telegram.waiting() === 0))
          assert.isFalse(telegram.in(7).some(({ text }) => text?.includes("two") === true))
        })
      )
  )

  it.live(
    "a channel beside the server: it waits for another runner, and the server may be another one meanwhile",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const telegram = yield* fakeTelegram
          yield* world.fs.writeFileString(world.at("token"), telegramToken)
          const channel = {
            id: "tg",
            kind: "telegram",
            run: "beside",
            token: { file: world.at("token") },
            url: telegram.url,
            provider: "opencode",
            cwd: world.at("repo")
          }
          yield* world.configure({ providers: world.providers, channels: [channel] })
          const server = yield* world.start()
          const polls = () => telegram.calls.filter(({ method }) => method === "getMe").length
          const first = yield* started(world, "channel", "serve")
          yield* first.shows("tg is up")
          const code = yield* rejoin(world, "channel", "pair", "tg")
          telegram.say(code.out.split("\n")[0] ?? "")
          yield* until(Effect.sync(() => telegram.in(7).some(({ text }) => text?.startsWith("You may talk"))))
          telegram.say("one")
          yield* until(Effect.sync(() => telegram.in(7).some(({ text }) => text === "one")))

          const second = yield* started(world, "channel", "serve")
          yield* second.shows("waiting for its end")
          yield* server.stop
          telegram.say("two")
          yield* until(Effect.sync(() => telegram.waiting() === 0))
          yield* world.start()
          yield* until(Effect.sync(() => telegram.in(7).some(({ text }) => text === "one | two")))
          assert.strictEqual(polls(), 1, "the second one waits")
          yield* sendSignal(first.pid, "SIGKILL")
          telegram.say("three")
          yield* until(Effect.sync(() => telegram.in(7).some(({ text }) => text === "one | two | three")))
          assert.include((yield* rejoin(world, "channel", "peers", "tg")).out, "Ada")
        })
      )
  )
})
