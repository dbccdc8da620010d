import { assert, describe, it } from "@effect/vitest"
import { makeDiscord } from "@rejoin/channel-discord/Discord"
import type { ChannelAllow } from "@rejoin/contracts/Channel"
import { discordToken, type FakeDiscord, fakeDiscord } from "@rejoin/testkit/platforms/FakeDiscord"
import { Effect, Redacted } from "effect"
import { makeChats, until } from "./testing/Chats.ts"
import { live, type Served } from "./testing/Served.ts"

interface Chat extends Effect.Success<ReturnType<typeof makeChats>> {
  readonly served: Served
  readonly discord: FakeDiscord
  readonly texts: (channel?: string) => ReadonlyArray<string>
}

const chatting = <A, E>(body: (chat: Chat) => Effect.Effect<A, E>, allow: ChannelAllow = { users: ["7"] }) =>
  live((served) =>
    Effect.scoped(
      Effect.gen(function* () {
        const discord = yield* fakeDiscord
        const listed = allow.groups ?? []
        const make = () => makeDiscord({ token: Redacted.make(discordToken), url: discord.url, listed })
        const chats = yield* makeChats(served, "discord", make, { allow })
        return yield* body({
          ...chats,
          served,
          discord,
          texts: (channel = "900") => discord.in(channel).map(({ content }) => content)
        })
      })
    )
  )

const ups = (discord: FakeDiscord, identified: number) =>
  until(() => discord.counts().identified === identified)

describe("Discord", () => {
  it.live(
    "T2, T8, T12: each channel is a thread, each answer a reply; what a lost answer hides is sent once",
    () =>
      chatting(({ discord, start, texts }) =>
        Effect.gen(function* () {
          yield* start
          yield* ups(discord, 1)
          discord.say("nothing of this is missed")
          yield* until(() => texts().length === 1)
          discord.faults.add({ of: "POST /channels/900/messages", lose: "after" })
          discord.faults.add({ of: "PATCH /channels/900", status: 429 })
          const asked = discord.say("two")
          yield* until(() => texts().at(-1)?.endsWith("| two"))
          assert.lengthOf(texts(), 2)
          assert.strictEqual(discord.in("900")[1]?.message_reference?.message_id, asked)
          discord.say("other", { channel: "901" })
          yield* until(() => texts("901").at(-1) === "other")
        })
      )
  )

  it.live(
    "T11: a session that is resumed, one that was forgotten, and lives in which nobody listened: nothing is missed",
    () =>
      chatting(({ discord, start, served, texts }) =>
        Effect.gen(function* () {
          const first = yield* start
          yield* ups(discord, 1)
          discord.say("one")
          yield* until(() => texts().includes("one"))
          discord.drop()
          discord.say("two")
          yield* until(() => texts().some((text) => text.endsWith("two")))
          discord.drop({ forget: true })
          discord.say("three")
          yield* until(() => texts().some((text) => text.endsWith("three")))
          yield* first.stop
          discord.drop({ forget: true })
          const many = Array.from({ length: 120 }, (_, at) => `m${at}`)
          // More than a page of the history.
          for (const text of many) discord.say(text)
          yield* start
          yield* until(() => texts().some((text) => text.endsWith("m119")))
          const asked = served.upstream.asked.map(({ input }) => input)
          assert.deepEqual(asked, ["one", "two", "three", ...many])
        })
      )
  )

  it.live(
    "T13, T14: in servers only listed channels, and their threads, where the bot is named; an edit changes what waits",
    () =>
      chatting(
        ({ discord, served, start, texts }) =>
          Effect.gen(function* () {
            discord.channelOf("500")
            discord.channelOf("501", "500")
            discord.channelOf("600")
            yield* start
            yield* ups(discord, 1)
            const named = { mentions: [{ id: "42" }] }
            discord.say("not for you", { channel: "500" })
            discord.say("<@42> not here", { channel: "600", more: named })
            discord.say("<@42> by a stranger", { channel: "500", from: "9", more: named })
            discord.say("<@42> hello", { channel: "500", more: named })
            discord.say("<@42> in a thread", { channel: "501", more: named })
            yield* until(
              () =>
                texts("500").some((text) => text.endsWith("hello")) &&
                texts("501").some((text) => text.endsWith("thread"))
            )
            assert.sameMembers(
              served.upstream.asked.map(({ input }) => input.split("\n")[1]),
              ["hello", "in a thread"]
            )
            discord.say("hold")
            yield* until(() => texts().includes("holding"))
            const waiting = discord.say("waits")
            yield* until(() => served.upstream.asked.some(({ input }) => input === "hold"))
            discord.edit("900", waiting, "waited")
            discord.command("stop")
            yield* until(() => texts().some((text) => text.endsWith("| waited")))
          }),
        { users: ["7"], groups: ["500"] }
      )
  )

  it.live(
    "T17: presses are acknowledged at once, checked, and settled; commands come by Discord's own field",
    () =>
      chatting(({ discord, served, start, texts }) =>
        Effect.gen(function* () {
          yield* start
          yield* ups(discord, 1)
          discord.say("run touch it")
          const asked = yield* until(() => discord.in("900").find(({ components }) => components.length > 0))
          const stranger = discord.press(asked, "Accept", "9")
          yield* until(() => discord.followUps.includes("This is not yours to decide."))
          assert.isTrue(discord.isAcked(stranger))
          assert.lengthOf(served.upstream.writes, 0)
          discord.press(asked, "Accept")
          yield* until(() => served.upstream.writes.length === 1)
          yield* until(() => asked.content.endsWith("→ accepted, by Ada") && asked.components.length === 0)
          assert.isAbove(discord.commands().length, 5)
          discord.command("mode", "full-access")
          yield* until(() => texts().some((text) => text.includes("approval-required at most")))
          discord.command("status")
          yield* until(() => texts().some((text) => text.includes("mode: approval-required")))
        })
      )
  )

  it.live(
    "T12, T16: parts of at most 2000 with their code whole; nothing that an agent writes calls anybody",
    () =>
      chatting(({ discord, start, texts }) =>
        Effect.gen(function* () {
          yield* start
          yield* ups(discord, 1)
          discord.say(`@everyone\n\`\`\`ts\n${"const a = 1\n".repeat(400)}\`\`\``)
          yield* until(() => texts().length >= 3 && texts().at(-1)?.endsWith("```"))
          for (const text of texts()) assert.isAtMost(text.length, 2000)
          discord.say("", {
            more: {
              attachments: [
                {
                  id: "1",
                  filename: "a.txt",
                  size: 4,
                  url: `${discord.url}/files/a`,
                  content_type: "text/plain"
                }
              ]
            }
          })
          yield* until(() => texts().some((text) => text.endsWith("a.txt")))
          discord.say("", {
            more: {
              attachments: [{ id: "1", filename: "b.mkv", size: 99_000_000, url: `${discord.url}/files/b` }]
            }
          })
          yield* until(() => texts().some((text) => text.startsWith("b.mkv is larger")))
        })
      )
  )

  it.live("T15, T18: a token that is not taken is told with what helps, and is in nothing that is told", () =>
    live((served) =>
      Effect.scoped(
        Effect.gen(function* () {
          const discord = yield* fakeDiscord
          let token = "wrong-token"
          const make = () => makeDiscord({ token: Redacted.make(token), url: discord.url })
          const { start } = yield* makeChats(served, "discord", make)
          const { channels } = yield* start
          const look = Effect.map(channels.list, ([info]) => info)
          let info = yield* look
          while (info?.state !== "down") {
            yield* Effect.sleep("10 millis")
            info = yield* look
          }
          assert.include(info.hint ?? "", "developer portal")
          assert.notInclude(JSON.stringify(info), "wrong-token")
          token = discordToken
          yield* until(() => discord.counts().identified > 0)
          discord.say("there")
          yield* until(() => discord.in("900").some(({ content }) => content === "there"))
        })
      )
    )
  )
})
