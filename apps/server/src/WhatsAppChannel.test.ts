import { assert, describe, it } from "@effect/vitest"
import { makeWhatsApp } from "@rejoin/channel-whatsapp/WhatsApp"
import type { Channels } from "@rejoin/channels/Channels"
import {
  type FakeWhatsApp,
  fakeWhatsApp,
  whatsAppNumber,
  whatsAppSecret,
  whatsAppToken,
  whatsAppVerify
} from "@rejoin/testkit/platforms/FakeWhatsApp"
import { listening } from "@rejoin/testkit/platforms/Listening"
import { Effect, Redacted } from "effect"
import { makeChats, until } from "./testing/Chats.ts"
import { live, type Served } from "./testing/Served.ts"

interface Chat extends Effect.Success<ReturnType<typeof makeChats>> {
  readonly served: Served
  readonly whatsApp: FakeWhatsApp
  readonly texts: () => ReadonlyArray<string>
}

const person = "4917"

const chatting = <A, E>(body: (chat: Chat) => Effect.Effect<A, E>) =>
  live((served) =>
    Effect.scoped(
      Effect.gen(function* () {
        const whatsApp = yield* fakeWhatsApp
        let channels: Channels | undefined
        // As the server's own route does.
        const { url } = yield* listening(async ({ body, headers, method, url }) => {
          const answer =
            channels === undefined
              ? { status: 503, text: "" }
              : await Effect.runPromise(
                  channels.webhook("chat", {
                    method,
                    query: url.searchParams,
                    headers: headers as Record<string, string>,
                    body
                  })
                )
          return { status: answer.status, bytes: Buffer.from(answer.text) }
        })
        whatsApp.connect(url)
        const make = () =>
          makeWhatsApp({
            token: Redacted.make(whatsAppToken),
            appSecret: Redacted.make(whatsAppSecret),
            verifyToken: Redacted.make(whatsAppVerify),
            phoneNumberId: whatsAppNumber,
            url: whatsApp.url,
            windowClosed: 50
          })
        const chats = yield* makeChats(served, "whatsapp", make, { allow: { users: [person] } })
        const start = Effect.map(chats.start, (life) => {
          channels = life.channels
          return {
            ...life,
            stop: Effect.andThen(
              Effect.sync(() => (channels = undefined)),
              life.stop
            )
          }
        })
        return yield* body({
          ...chats,
          start,
          served,
          whatsApp,
          texts: () => whatsApp.to(person).map(({ text }) => text)
        })
      })
    )
  )

describe("WhatsApp", () => {
  it.live(
    "T11, T12: signed bytes alone are believed; what comes while we are away comes again, and is answered once",
    () =>
      chatting(({ served, start, texts, whatsApp }) =>
        Effect.gen(function* () {
          whatsApp.say("é one")
          yield* until(() => whatsApp.codes.length > 1)
          const { stop } = yield* start
          yield* until(() => texts().includes("é one"))
          assert.deepEqual(yield* whatsApp.verify(whatsAppVerify), { status: 200, text: "12345" })
          assert.strictEqual((yield* whatsApp.verify("another")).status, 403)
          assert.strictEqual(yield* whatsApp.forge("forged", "secret"), 401)
          assert.strictEqual(yield* whatsApp.forge("forged", "body"), 401)
          yield* stop
          whatsApp.sayAll(["two", "three"])
          yield* start
          yield* until(() => texts().some((text) => text.endsWith("three")))
          assert.deepEqual(
            served.upstream.asked.map(({ input }) => input),
            ["é one", "two", "three"]
          )
          assert.deepEqual(texts(), ["é one", "é one | two", "é one | two | three"])
          assert.isTrue(whatsApp.to(person).every(({ context }) => context !== undefined))
        })
      )
  )

  it.live("T12: what a lost answer hides is told by its status, and not sent again", () =>
    chatting(({ start, texts, whatsApp }) =>
      Effect.gen(function* () {
        yield* start
        whatsApp.faults.add({ of: "/messages$", lose: "after" })
        whatsApp.say("one")
        yield* until(() => texts().length === 1)
        whatsApp.say("two")
        yield* until(() => texts().includes("one | two"))
        assert.lengthOf(texts(), 2)
      })
    )
  )

  it.live("T16, T17: three buttons, a cut that says so, media in two steps, by the token", () =>
    chatting(({ served, start, texts, whatsApp }) =>
      Effect.gen(function* () {
        yield* start
        whatsApp.say(`run touch ${"a".repeat(2000)}`)
        const asked = yield* until(() => whatsApp.to(person).find(({ buttons }) => buttons.length > 0))
        assert.deepEqual(
          asked.buttons.map(({ title }) => title),
          ["Accept", "Decline", "Stop"]
        )
        assert.include(asked.text, "more characters)")
        whatsApp.press(asked, "Accept", "4999")
        whatsApp.press(asked, "Accept")
        yield* until(() => served.upstream.writes.length === 1)
        whatsApp.media.set("M1", Buffer.from("photo"))
        whatsApp.send("M1")
        yield* until(() => texts().some((text) => text.endsWith("look")))
        const { items } = yield* served.client.threads.list({ query: {} })
        const turns = yield* served.client.turns.list({ params: { id: items[0]?.id ?? "" }, query: {} })
        assert.strictEqual(turns.items.at(-1)?.attachments?.[0]?.bytes, 5)
      })
    )
  )

  it.live(
    "T15, T18: outside of its window, and with a token that has expired: told, without anybody's number",
    () =>
      chatting(({ start, texts, whatsApp }) =>
        Effect.gen(function* () {
          const { channels } = yield* start
          whatsApp.faults.add({
            of: "/messages$",
            status: 401,
            json: { error: { code: 190, message: "Error validating access token of 491712345678" } },
            times: 3
          })
          whatsApp.say("one")
          yield* until(() => texts().includes("one"))
          const [info] = yield* channels.list
          assert.include(info?.lastError ?? "", "does not take the token")
          assert.notMatch(JSON.stringify(info), /secret|4917/)
        })
      )
  )

  it.live(
    "T12: more than a day after somebody wrote, an answer waits until he writes again, and is not lost",
    () =>
      chatting(({ served, start, texts, whatsApp }) =>
        Effect.gen(function* () {
          yield* start
          whatsApp.say("hold")
          // It runs: before, there is nothing to stop.
          yield* until(() => served.upstream.asked.length === 1)
          whatsApp.faults.add({
            of: "/messages$",
            status: 400,
            json: { error: { code: 131_047, message: "(#131047) Re-engagement message" } },
            times: 3
          })
          whatsApp.say("/stop")
          yield* until(() => texts().includes("Stopping it."))
          yield* until(() => texts().some((text) => text.endsWith("⏹ Stopped.")))
        })
      )
  )

  it.live("T12: what WhatsApp takes, and says later that it did not arrive, is sent again or told", () =>
    chatting(({ start, texts, whatsApp }) =>
      Effect.gen(function* () {
        const { channels } = yield* start
        whatsApp.say("one")
        const first = yield* until(() => whatsApp.to(person).find(({ text }) => text === "one"))
        whatsApp.fail(first, 131_047)
        yield* until(() => texts().filter((text) => text === "one").length === 2)
        whatsApp.say("two")
        const second = yield* until(() => whatsApp.to(person).find(({ text }) => text === "one | two"))
        whatsApp.fail(second, 131_026)
        const told = yield* Effect.map(channels.list, ([info]) => info?.lastError ?? "").pipe(
          Effect.delay("10 millis"),
          Effect.repeat({ until: (error) => error.includes("131026") })
        )
        assert.notMatch(told, /4917/)
        assert.lengthOf(texts(), 3)
      })
    )
  )
})
