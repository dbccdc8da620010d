import { assert, describe, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import { discordOn, type On, slackOn, telegramOn, whatsAppOn } from "./ChatPlatforms.ts"
import { live, makeWorld, until, type World } from "./World.ts"

/** How many messages each of the two sends, and how often the server is killed meanwhile. */
const messages = Number(process.env["REJOIN_CHAT_MESSAGES"] ?? 6)
const kills = Number(process.env["REJOIN_CHAT_KILLS"] ?? 2)

const brokenOff = /^(?:_[^\n]*_\n\n)?(?:[^]*\n\n)?(?:⏹ It was broken off|⚠ It did not work)/

/** The message that an answer is to, or that it says was broken off. */
const answered = (text: string): string =>
  brokenOff.test(text) ? "broken off" : (text.split(" | ").at(-1) ?? "")

/** What an end in between leaves, and is told: an empty message of Telegram's, one that WhatsApp may have had already. */
const isLeftOver = (text: string) => text === "…" || text.startsWith("(sent again after a restart)")

const logOf = (world: World) =>
  Effect.orElseSucceed(
    Effect.flatMap(world.fs.readDirectory(world.at("rejoin/logs")), (names) =>
      Effect.map(
        Effect.forEach(names, (name) => world.fs.readFileString(world.at(`rejoin/logs/${name}`))),
        (texts) => texts.join("\n")
      )
    ),
    () => ""
  )

/**
 * Two people who write all the time, while the server is killed at random: each message is answered once, in order, or told
 * to be broken off; the model is asked once for each, and knows nothing of the other one.
 */
const killing = (name: string, on: On, agent: "codex" | "opencode") =>
  it.live(
    `T10, T11, T12, T15: ${name} on ${agent}: kill -9 at random: none lost, none doubled, in order, nothing crossed`,
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: [agent] })
          const platform = yield* on(world, agent)
          yield* world.configure({ providers: world.providers, channels: [platform.config] })
          const people = [0, 1] as const
          let at = 0
          const sayNext = Effect.sync(() => {
            if (at >= messages) return
            for (const person of people) platform.say(person, `${"ab"[person]}${at}`)
            at++
          })
          const whole = (person: 0 | 1) => platform.said(person).filter((text) => !isLeftOver(text))
          const isDone = () => at >= messages && people.every((person) => whole(person).length >= messages)

          for (let life = 0; life < kills; life++) {
            const server = yield* world.start()
            platform.begun(server)
            // What was said before it first listened is nobody's.
            if (life === 0)
              yield* until(
                Effect.map(server.client.channels.list({}), ({ items }) => items[0]?.state === "up")
              )
            const share = Math.ceil((messages * (life + 1)) / (kills + 1))
            const ms = yield* Random.nextIntBetween(300, 2500)
            yield* Effect.suspend(() => (at < share ? sayNext : Effect.void)).pipe(
              Effect.andThen(Effect.sleep("100 millis")),
              Effect.forever,
              Effect.timeoutOption(ms)
            )
            yield* server.kill
          }
          const last = yield* world.start()
          platform.begun(last)
          for (let rest = at; rest < messages; rest++) yield* sayNext
          yield* until(Effect.sync(isDone)).pipe(
            Effect.timeoutOrElse({
              duration: "4 minutes",
              orElse: () =>
                Effect.die(new Error(`not all is answered: ${JSON.stringify(people.map(platform.said))}`))
            })
          )
          yield* until(
            Effect.map(last.client.channels.list({}), ({ items }) =>
              items.every(({ waiting }) => waiting.in + waiting.out === 0)
            )
          )
          for (const person of people) {
            const letter = "ab"[person] ?? ""
            const expected = Array.from({ length: messages }, (_, of) => `${letter}${of}`)
            const all = whole(person).map(answered)
            assert.lengthOf(all, messages, JSON.stringify(platform.said(person)))
            // A kill breaks off what runs, which is one turn of a chat.
            assert.isAtMost(all.filter((text) => text === "broken off").length, kills)
            // Each stands where its message does; what was broken off is told in its place.
            if (platform.unordered)
              assert.isEmpty(all.filter((text) => text !== "broken off" && !expected.includes(text)))
            else
              assert.deepEqual(
                all,
                expected.map((text, of) => (all[of] === "broken off" ? "broken off" : text))
              )
            assert.lengthOf(
              all.filter((text, of) => text !== "broken off" && all.indexOf(text) !== of),
              0,
              "none is answered twice"
            )
            const asked = world.model
              .requests()
              .map(({ said }) => said)
              .filter((said) => said.at(-1)?.startsWith(letter))
            for (const said of asked)
              assert.isTrue(
                said.every((text) => text.startsWith(letter)),
                "nothing is crossed"
              )
            const ends = asked.map((said) => said.at(-1))
            assert.deepEqual(ends, [...new Set(ends)], "the model is asked once")
            assert.includeMembers(
              ends,
              all.filter((text) => text !== "broken off")
            )
          }
          const log = yield* logOf(world)
          assert.isAbove(log.length, 0)
          for (const secret of platform.secrets) assert.notInclude(log, secret)
          assert.strictEqual(yield* last.stop, 0)
        })
      )
  )

describe("chat channels over kills", () => {
  killing("Telegram", telegramOn, "opencode")
  killing("Discord", discordOn, "opencode")
  killing("Slack", slackOn, "opencode")
  killing("WhatsApp", whatsAppOn, "opencode")
  killing("Telegram", telegramOn, "codex")
  killing("Discord", discordOn, "codex")
})
