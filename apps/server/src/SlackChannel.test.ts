import { assert, describe, it } from "@effect/vitest"
import { makeSlack } from "@rejoin/channel-slack/Slack"
import type { ChannelAllow } from "@rejoin/contracts/Channel"
import { type FakeSlack, fakeSlack, slackAppToken, slackToken } from "@rejoin/testkit/platforms/FakeSlack"
import { Effect, Redacted } from "effect"
import { makeChats, until } from "./testing/Chats.ts"
import { live, type Served } from "./testing/Served.ts"

interface Chat extends Effect.Success<ReturnType<typeof makeChats>> {
  readonly served: Served
  readonly slack: FakeSlack
  readonly texts: (channel?: string) => ReadonlyArray<string>
}

const chatting = <A, E>(body: (chat: Chat) => Effect.Effect<A, E>, allow: ChannelAllow = { users: ["U7"] }) =>
  live((served) =>
    Effect.scoped(
      Effect.gen(function* () {
        const slack = yield* fakeSlack
        const make = () =>
          makeSlack({
            token: Redacted.make(slackToken),
            appToken: Redacted.make(slackAppToken),
            url: slack.url
          })
        const chats = yield* makeChats(served, "slack", make, { allow })
        return yield* body({
          ...chats,
          served,
          slack,
          texts: (channel = "D1") => slack.in(channel).map(slack.textOf)
        })
      })
    )
  )

describe("Slack", () => {
  it.live(
    "T2, T8, T12: a direct conversation is a thread; what a lost answer hides is found by its mark, and sent once",
    () =>
      chatting(({ slack, start, texts }) =>
        Effect.gen(function* () {
          yield* start
          slack.faults.add({ of: "chat.postMessage", lose: "after" })
          slack.faults.add({ of: "chat.update", status: 429 })
          slack.say("one")
          slack.say("two")
          yield* until(() => texts().includes("one | two"))
          assert.deepEqual(texts(), ["one", "one | two"])
          assert.strictEqual(slack.waiting(), 0)
        })
      )
  )

  it.live(
    "T11: what was not acknowledged comes again, out of its order; what was missed is read first, in its order",
    () =>
      chatting(({ slack, served, start, texts }) =>
        Effect.gen(function* () {
          const first = yield* start
          slack.say("one")
          yield* until(() => texts().includes("one"))
          yield* first.stop
          // All of these are told again when we come, the newest first.
          for (const text of ["two", "three", "four"]) slack.say(text)
          const second = yield* start
          yield* until(() => texts().some((text) => text.endsWith("four")))
          slack.drop({ giveUp: true })
          yield* second.stop
          slack.say("five")
          slack.say("six")
          slack.giveUp()
          yield* start
          yield* until(() => texts().some((text) => text.endsWith("six")))
          assert.deepEqual(
            served.upstream.asked.map(({ input }) => input),
            ["one", "two", "three", "four", "five", "six"]
          )
        })
      )
  )

  it.live(
    "T13, T14: in a channel each thread that names the bot is one; in it the bot need not be named again",
    () =>
      chatting(
        ({ slack, served, start, texts }) =>
          Effect.gen(function* () {
            yield* start
            const channel = "C1"
            slack.say("not for you", { channel })
            const strangers = slack.say("<@U42> from a stranger", { channel, from: "U9" })
            slack.say("and I answer there", { channel, thread: strangers })
            slack.say("<@U42> elsewhere", { channel: "C2" })
            const ts = slack.say("<@U42> hello", { channel })
            yield* until(() => texts(channel).some((text) => text.endsWith("hello")))
            slack.say("and again", { channel, thread: ts })
            yield* until(() => texts(channel).some((text) => text.endsWith("and again")))
            slack.say("<@U42> another", { channel })
            yield* until(() => texts(channel).at(-1)?.endsWith("another"))
            assert.deepEqual(
              served.upstream.asked.map(({ input }) => input.split("\n")[1]),
              ["hello", "and again", "another"]
            )
            assert.deepEqual(
              slack.in(channel).map(({ thread_ts }) => thread_ts === ts),
              [true, true, false]
            )
          }),
        { users: ["U7"], groups: ["C1"] }
      )
  )

  it.live("T17: buttons, edits, commands with a slash and, in threads, with an exclamation mark", () =>
    chatting(({ slack, served, start, texts }) =>
      Effect.gen(function* () {
        yield* start
        slack.say("run touch it")
        const asked = yield* until(() =>
          slack.in("D1").find(({ blocks }) => blocks?.some(({ type }) => type === "actions"))
        )
        slack.press(asked, "Accept", "U9")
        yield* until(() => slack.ephemeral.includes("This is not yours to decide."))
        slack.press(asked, "Decline")
        yield* until(() => slack.textOf(asked).endsWith("→ declined, by ada"))
        assert.deepEqual(served.upstream.writes, [])
        slack.say("!status")
        yield* until(() => texts().some((text) => text.includes("mode: approval-required")))
        slack.slash("mode full-access")
        yield* until(() => texts().some((text) => text.includes("approval-required at most")))
        slack.say("hold")
        yield* until(() => texts().includes("holding"))
        const waiting = slack.say("&lt;waits&gt;")
        yield* until(() => slack.waiting() === 0)
        slack.edit("D1", waiting, "waited &amp; more")
        yield* until(() => slack.waiting() === 0)
        slack.say("!stop")
        yield* until(() => texts().some((text) => text.endsWith("waited & more")))
      })
    )
  )

  it.live(
    "T15, T18: Slack away, and a token that is not taken any more: told, and it comes back by itself",
    () =>
      chatting(({ slack, start, texts }) =>
        Effect.gen(function* () {
          const { channels } = yield* start
          slack.say("one")
          yield* until(() => texts().includes("one"))
          slack.faults.add({
            of: "apps.connections.open|auth.test",
            status: 200,
            json: { ok: false, error: "token_revoked" },
            times: 2
          })
          slack.drop()
          const look = Effect.map(channels.list, ([info]) => info)
          let info = yield* look
          while (info?.hint === undefined) {
            yield* Effect.sleep("10 millis")
            info = yield* look
          }
          assert.include(info.reason ?? "", "token_revoked")
          assert.notInclude(JSON.stringify(info), "secret")
          slack.say("two")
          yield* until(() => texts().includes("one | two"))
        })
      )
  )
})
