import { NodeRuntime } from "@effect/platform-node"
import { fakeTelegram, telegramToken } from "@rejoin/testkit/platforms/FakeTelegram"
import { Console, Effect, Schedule, Stream } from "effect"
import { createInterface } from "node:readline"

// `pnpm chat`: Telegram on this machine, in a terminal. What you write is said to the bot by its one user, Ada (7); what stands
// in the chat is shown as it changes. `!2 Accept` presses a button of message 2. For one who wants to see a channel work,
// or to write one.

const lines = Stream.fromAsyncIterable(
  createInterface({ input: process.stdin }),
  () => new Error("the terminal is gone")
)

Effect.gen(function* () {
  const telegram = yield* fakeTelegram
  const config = {
    id: "telegram",
    kind: "telegram",
    url: telegram.url,
    token: { env: "CHAT_TOKEN" },
    provider: "opencode",
    cwd: process.cwd(),
    allow: { users: ["7"] }
  }
  yield* Console.log(
    [
      "Put this into config.json, and start the server with the token in its environment:",
      JSON.stringify({ channels: [config] }, undefined, 2),
      `CHAT_TOKEN=${telegramToken} npm start`,
      "Then write.",
      ""
    ].join("\n")
  )
  const shown = new Map<number, string>()
  const show = Effect.gen(function* () {
    for (const { buttons = [], file, message_id, text } of telegram.in(7)) {
      const now = [text ?? `(a file: ${file?.name})`, ...buttons.map(({ text }) => `[${text}]`)].join(" ")
      if (shown.get(message_id) === now) continue
      shown.set(message_id, now)
      yield* Console.log(`  ${message_id}  ${now.replaceAll("\n", "\n     ")}`)
    }
  })
  yield* Effect.forkScoped(Effect.repeat(show, Schedule.spaced("200 millis")))
  yield* Stream.runForEach(lines, (line) =>
    Effect.sync(() => {
      const [, number, label = ""] = /^!(\d+) (.+)$/.exec(line) ?? []
      const pressed = telegram.in(7).find(({ message_id }) => message_id === Number(number))
      if (pressed !== undefined) telegram.press(pressed, label)
      else if (line.trim() !== "") telegram.say(line)
    })
  )
}).pipe(Effect.scoped, NodeRuntime.runMain)
