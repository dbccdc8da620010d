import { assert, describe, it } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { runChannels } from "@rejoin/channels/Channels"
import { makeTelegram } from "@rejoin/channel-telegram/Telegram"
import { StoreFailed } from "@rejoin/contracts/Errors"
import { type FakeTelegram, fakeTelegram, telegramToken } from "@rejoin/testkit/platforms/FakeTelegram"
import { memory } from "@rejoin/core/testing/World"
import { Clock, Effect, Redacted, Schedule } from "effect"
import { symlinkSync, writeFileSync } from "node:fs"
import { makeChats, until, untilAtRest } from "./testing/Chats.ts"
import { live, type Served } from "./testing/Served.ts"

interface Chat extends Effect.Success<ReturnType<typeof makeChats>> {
  readonly served: Served
  readonly telegram: FakeTelegram
  /** What stands in a chat now, from the bot. */
  readonly texts: (chat?: number) => ReadonlyArray<string | undefined>
}

const chatting = <A, E>(
  body: (chat: Chat) => Effect.Effect<A, E>,
  options: Parameters<typeof makeChats>[3] = {}
) =>
  live((served) =>
    Effect.scoped(
      Effect.gen(function* () {
        const telegram = yield* fakeTelegram
        const make = () =>
          makeTelegram({ token: Redacted.make(telegramToken), url: telegram.url, yields: 20 })
        const chats = yield* makeChats(served, "telegram", make, options)
        return yield* body({
          ...chats,
          served,
          telegram,
          texts: (chat = 7) => telegram.in(chat).map(({ text }) => text)
        })
      })
    )
  )

describe("Telegram", () => {
  it.live(
    "T1, T2, T8: a chat is a thread; its messages run one after the other, each answered as a reply to it",
    () =>
      chatting(({ served, start, telegram, texts }) =>
        Effect.gen(function* () {
          yield* start
          const said = ["one", "two", "three"].map((text) => telegram.say(text))
          yield* until(() => texts().at(-1) === "one | two | three")
          assert.deepEqual(texts(), ["one", "one | two", "one | two | three"])
          assert.deepEqual(
            telegram.in(7).map(({ reply_to }) => reply_to),
            said
          )
          telegram.say("other", { chat: 8, from: 7 })
          yield* until(() => texts(8).includes("other"))
          const { items } = yield* served.client.threads.list({ query: {} })
          assert.sameMembers(
            items.map(({ key }) => key?.external),
            ["telegram:42:7", "telegram:42:8"]
          )
        })
      )
  )

  it.live("U1, T12: what goes on by itself after a usage limit is answered where it was asked, once", () =>
    chatting(({ served: { client, upstream }, start, telegram, texts }) =>
      Effect.gen(function* () {
        const { stop } = yield* start
        telegram.say("one")
        yield* until(() => texts().at(-1) === "one")
        const [thread] = (yield* client.threads.list({ query: {} })).items
        const params = { id: thread?.id ?? "" }
        yield* client.threads.update({ params, payload: { onLimit: "wait" } })
        upstream.faults.limit = { until: (yield* Clock.currentTimeMillis) + 3_600_000, does: "fail" }
        const work = telegram.say("work")
        yield* until(() => texts().at(-1)?.includes("It goes on by itself when that is over."))
        // Whoever is away meanwhile misses nothing.
        yield* stop
        delete upstream.faults.limit
        const turns = (yield* client.turns.list({ params, query: {} })).items
        const turnId = turns.find(({ status }) => status === "deferred")?.id ?? ""
        yield* client.turns.update({ params: { ...params, turnId }, payload: { notBefore: null } })
        yield* start
        yield* until(() => texts().at(-1)?.startsWith("one | work | The usage limit"))
        assert.strictEqual(telegram.in(7).at(-1)?.reply_to, work)
        assert.lengthOf(texts(), 3)
      })
    )
  )

  it.live(
    "T11, T12: what comes while nobody listens is answered once, and in order, over any number of lives",
    () =>
      chatting(({ start, served, telegram, texts }) =>
        Effect.gen(function* () {
          for (let at = 0; at < 12; at++) {
            telegram.say(`m${at}`)
            const { stop } = yield* start
            // At another moment each time: by how often it was called since.
            const calls = telegram.calls.length
            yield* until(
              () => telegram.calls.length >= calls + at + 2 || texts().at(-1)?.endsWith(`m${at}`) === true
            )
            yield* stop
          }
          yield* start
          yield* until(() => texts().at(-1)?.endsWith("m11") && telegram.waiting() === 0)
          const answers = texts().filter((text) => text !== "…")
          assert.lengthOf(answers, 12)
          assert.deepEqual(
            answers.map((text) => text?.split(" | ").at(-1)),
            Array.from({ length: 12 }, (_, at) => `m${at}`)
          )
          const asked = served.upstream.asked.map(({ input }) => input)
          assert.deepEqual(asked, [...new Set(asked)], "the model is asked once for each")
        })
      )
  )

  it.live(
    "T12: an answer of a send that is lost leaves an empty message at most, and never a second answer",
    () =>
      chatting(({ start, telegram, texts }) =>
        Effect.gen(function* () {
          yield* start
          telegram.faults.add({ of: "sendMessage", lose: "after" })
          telegram.faults.add({ of: "editMessageText", lose: "after" })
          telegram.say("one")
          yield* until(() => texts().includes("one"))
          telegram.faults.add({
            of: "sendMessage",
            status: 429,
            json: {
              ok: false,
              error_code: 429,
              description: "Too Many Requests: retry after 1",
              parameters: { retry_after: 0.1 }
            }
          })
          telegram.faults.add({
            of: "sendMessage",
            status: 500,
            json: { ok: false, error_code: 500, description: "Internal" }
          })
          telegram.say("two")
          yield* until(() => texts().includes("one | two"))
          assert.deepEqual(
            texts().filter((text) => text !== "…"),
            ["one", "one | two"]
          )
        })
      )
  )

  it.live("T13: nobody is heard but whom the owner let in: by his code, once, until he takes it back", () =>
    chatting(
      ({ start, served, telegram, texts }) =>
        Effect.gen(function* () {
          const { channels } = yield* start
          telegram.say("hello", { chat: 9, from: 9, name: "Eve" })
          for (let at = 0; at < 6; at++) telegram.say("ABCDEFGH", { chat: 9, from: 9 })
          const { code } = yield* channels.pair("chat")
          // Five guesses are all that one has.
          telegram.say(code, { chat: 9, from: 9 })
          telegram.say(`/pair ${code.toLowerCase()}`, { chat: 10, from: 10, name: "Bob" })
          yield* until(() => texts(10).length === 1)
          assert.deepEqual(texts(9), [])
          telegram.say("hi", { chat: 10, from: 10 })
          yield* until(() => texts(10).includes("hi"))
          telegram.say(code, { chat: 11, from: 11 })
          telegram.say("hi again", { chat: 10, from: 10 })
          yield* until(() => texts(10).includes("hi | hi again"))
          assert.deepEqual(texts(11), [], "a code lets in one")
          const peers = yield* channels.peers("chat")
          assert.deepEqual(
            peers.map(({ id, name }) => [id, name]),
            [["10", "Bob"]]
          )
          yield* channels.revoke("chat", "10")
          telegram.say("still here?", { chat: 10, from: 10 })
          telegram.say("the end")
          yield* until(() => telegram.waiting() === 0)
          assert.notInclude(
            served.upstream.asked.map(({ input }) => input),
            "still here?"
          )
        }),
      { allow: {} }
    )
  )

  it.live(
    "T13: in a group only where it is let in, only who may talk, only what is for the bot, with who said it",
    () =>
      chatting(
        ({ start, served, telegram, texts }) =>
          Effect.gen(function* () {
            yield* start
            const group = { chat: -100 }
            telegram.say("not for you", group)
            telegram.say("@rejoin_bot from a stranger", { ...group, from: 9, name: "Eve" })
            telegram.say("@rejoin_bot elsewhere", { chat: -200 })
            telegram.say("@rejoin_bot hello", { ...group, name: "Ada] [Bob" })
            yield* until(() => texts(-100).some((text) => text?.includes("hello")))
            telegram.say("@rejoin_bot in another topic", {
              ...group,
              more: { message_thread_id: 5, is_topic_message: true }
            })
            // A reply in an ordinary group carries a number too.
            telegram.say("@rejoin_bot again", { ...group, more: { message_thread_id: 77 } })
            yield* until(() => texts(-100).some((text) => text?.includes("again")))
            yield* until(() => texts(-100).some((text) => text?.endsWith("topic")))
            const asked = served.upstream.asked.map(({ input }) => input)
            assert.deepEqual(asked[0], "[Ada Bob, telegram user 7]\nhello")
            assert.lengthOf(asked, 3)
            const topics = telegram.in(-100).map(({ text, topic }) => [text?.split("\n").at(-1), topic])
            assert.deepInclude(topics, ["in another topic", 5])
            assert.deepInclude(topics, ["again", undefined])
          }),
        { allow: { users: ["7"], groups: ["-100"] } }
      )
  )

  it.live("T14: a group that becomes another one takes its thread along, and what waits", () =>
    chatting(
      ({ start, telegram, texts }) =>
        Effect.gen(function* () {
          const { stop } = yield* start
          telegram.say("@rejoin_bot one", { chat: -5, type: "group" })
          yield* until(() => texts(-5).some((text) => text?.endsWith("one")))
          yield* stop
          telegram.say("@rejoin_bot two", { chat: -5, type: "group" })
          telegram.migrate(-5, -100)
          yield* start
          yield* until(() => texts(-100).some((text) => text?.endsWith("two")))
          telegram.say("@rejoin_bot three", { chat: -100 })
          yield* until(() => texts(-100).some((text) => text?.endsWith("three")))
          assert.match(texts(-100).at(-1) ?? "", /one[^]*two[^]*three/)
        }),
      { allow: { users: ["7"], groups: ["-5", "-100"] } }
    )
  )

  it.live(
    "T14: an edited message changes what waits; what has begun it does not, and what is only about it is nothing",
    () =>
      chatting(({ served, start, telegram, texts }) =>
        Effect.gen(function* () {
          const { stop } = yield* start
          telegram.say("hold")
          yield* until(() => texts().includes("holding"))
          const waiting = telegram.say("waits")
          yield* until(() => telegram.waiting() === 0)
          telegram.say("waited", { edits: waiting })
          telegram.say("waited", { edits: waiting, more: { edit_date: 1 } })
          yield* until(() => telegram.waiting() === 0)
          yield* stop
          const late = telegram.say("lat")
          telegram.say("late", { edits: late })
          yield* start
          const { items } = yield* served.client.threads.list({ query: {} })
          const params = { id: items[0]?.id ?? "" }
          yield* until(() => telegram.waiting() === 0)
          telegram.say("/stop")
          yield* until(() => texts().includes("hold | waited | late"))
          const { items: turns } = yield* served.client.turns.list({ params, query: {} })
          assert.deepEqual(
            turns.map(({ input, status }) => [input, status]),
            [
              ["hold", "interrupted"],
              ["waited", "completed"],
              ["late", "completed"]
            ]
          )
          telegram.say("later", { edits: late })
          yield* until(() => texts().some((text) => text?.startsWith("The agent has begun")))
        })
      )
  )

  it.live(
    "T12, T14: what was changed while we were dead, right behind its sending, is changed in the turn",
    () =>
      chatting(({ served: { client }, start, telegram, texts }) =>
        Effect.gen(function* () {
          const { stop } = yield* start
          telegram.say("hold")
          yield* until(() => texts().includes("holding"))
          yield* stop
          const [thread] = (yield* client.threads.list({ query: {} })).items
          const params = { id: thread?.id ?? "" }
          const waiting = telegram.say("waits")
          const idempotencyKey = `${thread?.key?.external}:${waiting}`
          yield* client.turns.send({ params, payload: { input: "waits", idempotencyKey } })
          telegram.say("waited", { edits: waiting })
          yield* start
          telegram.say("/stop")
          yield* until(() => texts().includes("hold | waited"))
          const { items } = yield* client.turns.list({ params, query: {} })
          assert.deepEqual(
            items.map(({ input }) => input),
            ["hold", "waited"]
          )
        })
      )
  )

  it.live(
    "T16: pictures that were sent together are one turn; what cannot be had is told, and nothing else is lost",
    () =>
      chatting(({ served, start, telegram, texts }) =>
        Effect.gen(function* () {
          yield* start
          telegram.files.set("P1", Buffer.from("one"))
          telegram.files.set("P2", Buffer.from("two"))
          const photo = (file_id: string, more: object = {}) => ({
            more: {
              photo: [{ file_id, file_unique_id: file_id, width: 1, height: 1, file_size: 3 }],
              media_group_id: "g",
              ...more
            }
          })
          telegram.say("", photo("P1", { caption: "look" }))
          telegram.say("", photo("P2"))
          telegram.say("", {
            more: {
              document: { file_id: "L", file_unique_id: "L", file_name: "film.mkv", file_size: 30_000_000 }
            }
          })
          yield* until(() => texts().some((text) => text?.includes("film.mkv")))
          yield* until(() => texts().includes("look"))
          const { items } = yield* served.client.threads.list({ query: {} })
          const turns = yield* served.client.turns.list({ params: { id: items[0]?.id ?? "" }, query: {} })
          assert.deepEqual(
            turns.items.map(({ attachments, input }) => [input, attachments?.map(({ bytes }) => bytes)]),
            [["look", [3, 3]]]
          )
        })
      )
  )

  it.live("T17: an approval is answered by its button, by whom may talk; elsewhere it is settled there", () =>
    chatting(({ served, start, telegram, texts }) =>
      Effect.gen(function* () {
        yield* start
        const asked = (of: string) =>
          until(() =>
            telegram.in(7).find(({ buttons, text }) => text?.includes(of) && (buttons?.length ?? 0) > 0)
          )
        telegram.say("run touch one")
        const first = yield* asked("touch one")
        assert.deepEqual(
          first.buttons?.map(({ text }) => text),
          ["Accept", "Decline", "Stop"]
        )
        telegram.press(first, "Accept", { from: 9, name: "Eve" })
        yield* until(() => telegram.answers.includes("This is not yours to decide."))
        assert.deepEqual(served.upstream.writes, [])
        const late = telegram.press(first, "Accept")
        telegram.expire(late)
        yield* until(() => served.upstream.writes.length === 1)
        yield* until(() => first.text?.endsWith("→ accepted, by Ada") === true && first.buttons?.length === 0)
        telegram.press({ ...first, buttons: [{ text: "Accept", callback_data: "a:none:0" }] }, "Accept")
        yield* until(() => telegram.answers.includes("This was answered already."))

        telegram.say("run touch two")
        const second = yield* asked("touch two")
        telegram.say("/decline")
        yield* until(() => second.text?.endsWith("→ declined, by Ada") === true)

        telegram.say("run touch three")
        const third = yield* asked("touch three")
        const { items } = yield* served.client.threads.list({ query: {} })
        const id = items[0]?.id ?? ""
        const { items: requests } = yield* served.client.threads.requests({ params: { id } })
        yield* served.client.threads.answer({
          params: { id, requestId: requests[0]?.id ?? "" },
          payload: { decision: "accept" }
        })
        yield* until(() => third.text?.includes("answered elsewhere") === true)
        assert.lengthOf(served.upstream.writes, 2)
        assert.isAbove(texts().length, 3)
      })
    )
  )

  it.live("T17: a question is answered by a button, or by what is written, which is no turn then", () =>
    chatting(({ served, start, telegram, texts }) =>
      Effect.gen(function* () {
        yield* start
        const asked = () =>
          until(() =>
            telegram.in(7).find(({ buttons, text }) => text?.includes("Which?") && (buttons?.length ?? 0) > 0)
          )
        telegram.say("ask")
        telegram.press(yield* asked(), "B")
        yield* until(() => texts().includes("B"))
        telegram.say("ask")
        yield* asked()
        telegram.say("neither of them")
        yield* until(() => texts().includes("neither of them"))
        const { items } = yield* served.client.threads.list({ query: {} })
        const turns = yield* served.client.turns.list({ params: { id: items[0]?.id ?? "" }, query: {} })
        assert.deepEqual(
          turns.items.map(({ input }) => input),
          ["ask", "ask"]
        )
      })
    )
  )

  it.live(
    "T5, T6: /new begins anew and says so; the old session is kept. What is not ours is the agent's",
    () =>
      chatting(({ served, start, telegram, texts }) =>
        Effect.gen(function* () {
          yield* start
          telegram.say("one")
          // While the agent is at work, /new is refused.
          yield* until(() => texts().includes("one"))
          yield* untilAtRest(served)
          telegram.say("/new")
          yield* until(() => texts().some((text) => text?.includes("begins anew")))
          telegram.say("two")
          yield* until(() =>
            texts().some((text) => text?.startsWith("_Began anew") === true && text.endsWith("two"))
          )
          telegram.say("/unknown command")
          yield* until(() => texts().includes("two | /unknown command"))
          telegram.say("/new@another_bot")
          yield* until(() => texts().includes("two | /unknown command | /new@another_bot"))
          const { items } = yield* served.client.threads.list({ query: {} })
          assert.lengthOf(items, 1)
        })
      )
  )

  it.live(
    "T13: modes up to the highest, conversations of this chat alone, files of the directory alone",
    () =>
      chatting(
        ({ served, start, telegram, texts }) =>
          Effect.gen(function* () {
            const { client, cwd, root } = served
            yield* start
            const told = (text: string, includes: string, chat = 7) =>
              Effect.andThen(
                Effect.sync(() => telegram.say(text, { chat, from: chat })),
                until(() => texts(chat).some((text) => text?.includes(includes)))
              )
            yield* told("one", "one")
            yield* told("secret of another", "secret of another", 8)
            yield* untilAtRest(served)
            yield* told("/mode full-access", "This chat may use auto-accept-edits at most")
            yield* told("/mode auto-accept-edits", "It works with auto-accept-edits")
            yield* told("/status", `directory: ${cwd}`)
            const mine = yield* client.threads.create({
              payload: { provider: memory, cwd, title: "From the page" }
            })
            const strong = yield* client.threads.create({
              payload: { provider: memory, cwd, runtimeMode: "full-access" }
            })
            yield* told("/threads", "From the page")
            const list = texts().find((text) => text?.includes("From the page")) ?? ""
            assert.notInclude(list, strong.id)
            assert.notInclude(list, "secret of another")
            yield* told(`/use ${strong.id}`, "There is no such conversation")
            yield* told(`/use ${mine.id}`, "This chat goes on with: From the page")
            yield* told("two", "two")
            assert.strictEqual(
              (yield* client.turns.list({ params: { id: mine.id }, query: {} })).items.length,
              1
            )
            yield* client.threads.update({ params: { id: mine.id }, payload: { runtimeMode: "full-access" } })
            yield* told("three", "this chat may use auto-accept-edits at most. /mode")

            writeFileSync(`${cwd}/report.txt`, "here")
            writeFileSync(`${root}/outside.txt`, "not here")
            symlinkSync(`${root}/outside.txt`, `${cwd}/link.txt`)
            yield* told("/file report.txt", "Sent: report.txt")
            assert.deepEqual(
              telegram.in(7).flatMap(({ file }) => (file === undefined ? [] : [file])),
              [{ name: "report.txt", size: 4 }]
            )
            for (const path of [
              "../outside.txt",
              "link.txt",
              "../../../../etc/passwd",
              "/etc/passwd",
              "tree",
              "no\nne"
            ])
              yield* told(`/file ${path}`, path === "tree" ? "tree is no file" : `There is no file ${path}`)
          }),
        { allow: { users: ["7", "8"], highestMode: "auto-accept-edits" }, runtimeMode: "approval-required" }
      )
  )

  it.live("T12: a long answer comes whole: in parts with their blocks of code whole, or as a file", () =>
    chatting(({ start, telegram, texts }) =>
      Effect.gen(function* () {
        yield* start
        const code = Array.from({ length: 400 }, (_, at) => `  line ${at} of it`).join("\n")
        telegram.say(`Look:\n\`\`\`ts\n${code}\n\`\`\`\nThat is all.`)
        yield* until(() => texts().length > 1 && texts().at(-1)?.endsWith("That is all."))
        const parts = texts()
        assert.isAbove(parts.length, 1)
        for (const part of parts) {
          assert.isAtMost(part?.length ?? 0, 4096)
          assert.strictEqual((part?.match(/^```/gm)?.length ?? 0) % 2, 0)
        }
        telegram.say("x".repeat(30_000))
        yield* until(() => telegram.in(7).some(({ file }) => file !== undefined))
        const file = telegram.in(7).find(({ file }) => file !== undefined)?.file
        assert.isAbove(file?.size ?? 0, 30_000)
      })
    )
  )

  it.live(
    "T15, T18: a bot that is not let in says so, comes back by itself, and its token is in nothing that is told",
    () =>
      chatting(({ served, start, telegram, texts }) =>
        Effect.gen(function* () {
          const { channels } = yield* start
          telegram.say("one")
          yield* until(() => texts().includes("one"))
          const up = yield* channels.list
          assert.deepInclude(
            { ...up[0] },
            { id: "chat", kind: "telegram", state: "up", account: "rejoin_bot", peers: 0 }
          )
          telegram.revoke("another")
          telegram.say("two")
          const state = Effect.map(channels.list, ([info]) => info)
          const down = yield* state.pipe(
            Effect.repeat({ schedule: Schedule.spaced("10 millis"), until: (info) => info?.state === "down" })
          )
          assert.include(down?.reason ?? "", "Unauthorized")
          assert.include(down?.hint ?? "", "revoked")
          assert.notInclude(JSON.stringify(down), "AAF-secret")
          telegram.revoke(telegramToken)
          yield* until(() => texts().includes("one | two"))
          assert.strictEqual((yield* state)?.state, "up")
          assert.isAbove(served.upstream.asked.length, 1)
        })
      )
  )

  it.live("T11, T18: on a full disk nothing is confirmed; it is told, and goes on when there is room", () => {
    let isFull = false
    const full = new StoreFailed({ message: "The database refused: disk full" })
    return chatting(
      ({ start, served, telegram, texts }) =>
        Effect.gen(function* () {
          const { channels } = yield* start
          yield* until(() => telegram.calls.length > 3)
          isFull = true
          telegram.say("one")
          const look = Effect.map(channels.list, ([info]) => info)
          const down = yield* look.pipe(
            Effect.delay("10 millis"),
            Effect.repeat({ until: (info) => info?.state === "down" })
          )
          assert.include(down?.reason ?? "", "disk full")
          assert.strictEqual(telegram.waiting(), 1)
          isFull = false
          yield* until(() => texts().includes("one"))
          assert.lengthOf(served.upstream.asked, 1)
        }),
      { durable: Effect.suspend(() => (isFull ? Effect.fail(full) : Effect.void)) }
    )
  })

  it.live("T18: that another poll was open, as after a kill, is nothing", () =>
    chatting(({ start, telegram, texts }) =>
      Effect.gen(function* () {
        const conflict = {
          ok: false,
          error_code: 409,
          description: "Conflict: terminated by other getUpdates request"
        }
        telegram.faults.add({ of: "getUpdates", status: 409, json: conflict, times: 1 })
        const { channels } = yield* start
        telegram.say("one")
        yield* until(() => texts().includes("one"))
        assert.strictEqual((yield* channels.list)[0]?.state, "up")
      })
    )
  )

  /** What the model was asked. */
  const asked = ({ upstream }: Served) => upstream.asked.map(({ input }) => input)

  it.live(
    "T11: a message that nobody could take holds up none behind it: names and words are made to fit",
    () =>
      chatting(({ served, start, telegram, texts }) =>
        Effect.gen(function* () {
          yield* start
          telegram.files.set("N", Buffer.from("x"))
          const document = {
            file_id: "N",
            file_unique_id: "N",
            file_name: "n".repeat(300),
            mime_type: "",
            file_size: 1
          }
          telegram.say("", { more: { document, caption: "a\0b\ud800" } })
          telegram.say("behind it")
          yield* until(() => texts().some((text) => text?.endsWith("behind it")))
          assert.lengthOf(asked(served), 2)
          telegram.say("hold")
          yield* until(() => texts().includes("holding"))
          const waiting = telegram.say("", {
            more: { document: { ...document, file_name: "n" }, caption: "look" }
          })
          yield* until(() => telegram.waiting() === 0)
          telegram.say("", {
            edits: waiting,
            more: { caption: "", photo: [{ file_id: "N", file_unique_id: "N" }] }
          })
          telegram.say("/status")
          yield* until(() => texts().some((text) => text?.includes("mode: ") === true))
          telegram.say(`/file ${"~".repeat(5000)}\nand more`)
          yield* until(() => texts().some((text) => text?.startsWith("There is no file ~~~")))
        })
      )
  )

  it.live("T14: changed, and changed back: the agent gets what stands there at last", () =>
    chatting(({ served, start, telegram, texts }) =>
      Effect.gen(function* () {
        yield* start
        telegram.say("hold")
        yield* until(() => texts().includes("holding"))
        const waiting = telegram.say("one way")
        for (const text of ["another way", "one way", "another way"]) {
          yield* until(() => telegram.waiting() === 0)
          telegram.say(text, { edits: waiting })
        }
        yield* until(() => telegram.waiting() === 0)
        telegram.say("/stop")
        yield* until(() => texts().includes("hold | another way"))
        assert.deepEqual(asked(served), ["hold", "another way"])
      })
    )
  )

  it.live("T12: where the server does not answer as a turn ends, its answer comes when it does", () =>
    chatting(({ served, start, store, telegram, texts }) =>
      Effect.gen(function* () {
        let broken = 0
        const { parts } = store
        // As a server that is away for a moment.
        Object.assign(store, {
          parts: (...args: Parameters<typeof parts>) =>
            broken-- > 0 ? Effect.fail(new StoreFailed({ message: "away" })) : parts(...args)
        })
        yield* start
        telegram.say("hold")
        yield* until(() => texts().includes("holding"))
        const { items } = yield* served.client.threads.list({ query: {} })
        broken = 3
        yield* served.client.sessions.interrupt({ params: { id: items[0]?.id ?? "" } })
        yield* until(() => texts().some((text) => text?.endsWith("⏹ Stopped.") === true))
      })
    )
  )

  it.live("T17: a press that comes twice answers no other question; a message with a file is no answer", () =>
    chatting(({ served, start, telegram, texts }) =>
      Effect.gen(function* () {
        yield* start
        telegram.say("ask")
        const question = yield* until(() =>
          telegram.in(7).find(({ buttons, text }) => text?.includes("Which?") && (buttons?.length ?? 0) > 0)
        )
        telegram.files.set("P", Buffer.from("one"))
        telegram.say("", {
          more: { photo: [{ file_id: "P", file_unique_id: "P", file_size: 3 }], caption: "A" }
        })
        yield* until(() => telegram.waiting() === 0)
        assert.isTrue((question.buttons?.length ?? 0) > 0, "it is asked still")
        telegram.press(question, "A")
        telegram.press(question, "A")
        yield* until(() => texts().some((text) => text?.endsWith("ask | A") === true))
        assert.deepEqual(asked(served), ["ask", "A"])
        yield* until(() => telegram.answers.includes("This was answered already."))
      })
    )
  )

  it.live(
    "T13: in a group that is open to all, what has power is for those who were let in; other bots' commands are not ours",
    () =>
      chatting(
        ({ served, start, telegram, texts }) =>
          Effect.gen(function* () {
            yield* start
            const mallory = { chat: -300, from: 666, name: "Mallory" }
            telegram.say("@rejoin_bot hello", { chat: -300 })
            const answer = yield* until(() => telegram.in(-300).find(({ text }) => text?.endsWith("hello")))
            telegram.press(answer, "a:any:0:0", mallory)
            telegram.say("/mode full-access", mallory)
            telegram.say("/file README.md", mallory)
            telegram.say("/weather@another_bot Berlin", { chat: -300 })
            yield* until(
              () => texts(-300).filter((text) => text?.startsWith("That is for people")).length === 2
            )
            assert.include(telegram.answers, "This is not yours to decide.")
            assert.lengthOf(asked(served), 1)
          }),
        { allow: { users: ["7"], openGroups: ["-300"] } }
      )
  )

  it.live(
    "T13: what came from somebody is not said any more when he was put out; a code is never said to the agent",
    () =>
      chatting(
        ({ served, start, telegram, texts }) =>
          Effect.gen(function* () {
            const first = yield* start
            const { code } = yield* first.channels.pair("chat")
            telegram.say(code)
            telegram.say(code)
            telegram.say("hold")
            yield* until(() => texts().includes("holding"))
            const another = yield* first.channels.pair("chat")
            telegram.say(another.code)
            yield* until(() => texts().some((text) => text?.includes("That code is good no more") === true))
            telegram.say(another.code, { chat: 9, from: 9 })
            yield* until(() => telegram.waiting() === 0)
            yield* first.stop
            assert.deepEqual(texts(9), [])
            assert.deepEqual(asked(served), ["hold"])
          }),
        { allow: {} }
      )
  )

  it.live(
    "law 1: where the thread that a chat went on with is deleted, the chat says which one goes on",
    () =>
      chatting(({ served, start, telegram, texts }) =>
        Effect.gen(function* () {
          yield* start
          const { client, cwd } = served
          telegram.say("first of all")
          yield* until(() => texts().includes("first of all"))
          const other = yield* client.threads.create({ payload: { provider: memory, cwd, title: "Another" } })
          telegram.say(`/use ${other.id}`)
          yield* until(() => texts().some((text) => text?.includes("goes on with: Another") === true))
          yield* client.threads.remove({ params: { id: other.id } })
          telegram.say("and now")
          yield* until(() => texts().includes("first of all | and now"))
          assert.isTrue(
            texts().some((text) => text?.includes("was deleted. It goes on with the chat's own one") === true)
          )
        })
      )
  )

  it.live(
    "T18: where another program stays, which takes turns with us, that is told; and it comes back when that ends",
    () =>
      chatting(({ start, telegram, texts }) =>
        Effect.gen(function* () {
          const { channels } = yield* start
          yield* until(() => telegram.calls.length > 3)
          const conflict = {
            ok: false,
            error_code: 409,
            description: "Conflict: terminated by other getUpdates request"
          }
          telegram.faults.add({ of: "getUpdates", status: 409, json: conflict, times: 6 })
          telegram.say("wakes it")
          const look = Effect.map(channels.list, ([info]) => info)
          const down = yield* look.pipe(
            Effect.delay("10 millis"),
            Effect.repeat({ until: (info) => info?.state === "down" })
          )
          assert.include(down?.reason ?? "", "Another program")
          yield* until(() => texts().includes("wakes it"))
        })
      )
  )

  it.live("T14: an answer that was to go to a group that is another one by now goes to that", () =>
    chatting(
      ({ start, telegram, texts }) =>
        Effect.gen(function* () {
          yield* start
          telegram.migrateUnseen(-5, -100)
          telegram.say("@rejoin_bot hello", { chat: -5, type: "group" })
          yield* until(() => texts(-100).some((text) => text?.endsWith("hello") === true))
          assert.deepEqual(texts(-5), [])
        }),
      { allow: { users: ["7"], groups: ["-5", "-100"] } }
    )
  )

  it.live("T18: two channels of one bot: the second is down and says why", () =>
    chatting(({ config, served, store, telegram }) =>
      Effect.gen(function* () {
        const make = () => makeTelegram({ token: Redacted.make(telegramToken), url: telegram.url })
        const both = [config, { ...config, id: "second" }]
        const channels = yield* runChannels(both, () => Effect.sync(make), store, served.client)
        const down = yield* channels.list.pipe(
          Effect.delay("10 millis"),
          Effect.map((all) => all.filter(({ state }) => state === "down")),
          Effect.repeat({ until: (all) => all.length === 1 })
        )
        assert.match(down[0]?.reason ?? "", /is this bot already/)
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
    )
  )
})
