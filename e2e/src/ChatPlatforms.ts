import { discordToken, fakeDiscord } from "@rejoin/testkit/platforms/FakeDiscord"
import { fakeSlack, slackAppToken, slackToken } from "@rejoin/testkit/platforms/FakeSlack"
import { fakeTelegram, telegramToken } from "@rejoin/testkit/platforms/FakeTelegram"
import {
  fakeWhatsApp,
  whatsAppNumber,
  whatsAppSecret,
  whatsAppToken,
  whatsAppVerify
} from "@rejoin/testkit/platforms/FakeWhatsApp"
import { Effect, type Scope } from "effect"
import type { Server, World } from "./World.ts"

/** A platform with two people on it, who each talk with the bot alone. */
export interface Platform {
  /** Its part of `config.json`; its secrets lie in files of the world. */
  readonly config: Readonly<Record<string, unknown>>
  readonly say: (person: 0 | 1, text: string) => void
  /** What the bot has said to one of them, as it stands there now. */
  readonly said: (person: 0 | 1) => ReadonlyArray<string>
  /** What stands in no log and no answer. */
  readonly secrets: ReadonlyArray<string>
  /** It tells again what was not taken, each for itself: what comes first then nobody knows. */
  readonly unordered?: true
  /** A server has begun. */
  readonly begun: (server: Server) => void
}

const secretIn = Effect.fnUntraced(function* (world: World, name: string, value: string) {
  yield* world.fs.writeFileString(world.at(name), `${value}\n`)
  return { file: world.at(name) }
}, Effect.orDie)

const common = (world: World, provider: string, users: ReadonlyArray<string>) => ({
  provider,
  cwd: world.at("repo"),
  runtimeMode: "full-access",
  allow: { users }
})

export const telegramOn = Effect.fnUntraced(function* (world: World, provider: string) {
  const telegram = yield* fakeTelegram
  const token = yield* secretIn(world, "telegram-token", telegramToken)
  const people = [7, 8] as const
  const platform: Platform = {
    config: { id: "tg", kind: "telegram", token, url: telegram.url, ...common(world, provider, ["7", "8"]) },
    say: (person, text) => void telegram.say(text, { chat: people[person], from: people[person] }),
    said: (person) => telegram.in(people[person]).map(({ text = "" }) => text),
    secrets: [telegramToken],
    begun: () => undefined
  }
  return platform
})

export const discordOn = Effect.fnUntraced(function* (world: World, provider: string) {
  const discord = yield* fakeDiscord
  const token = yield* secretIn(world, "discord-token", discordToken)
  const people = ["7", "8"] as const
  const channels = ["900", "901"] as const
  const platform: Platform = {
    config: {
      id: "dc",
      kind: "discord",
      token,
      url: discord.url,
      ...common(world, provider, people),
      // A first message between two while nobody listens is not to be found otherwise.
      allow: { users: people, groups: channels }
    },
    say: (person, text) => void discord.say(text, { channel: channels[person], from: people[person] }),
    said: (person) => discord.in(channels[person]).map(({ content }) => content),
    secrets: [discordToken],
    begun: () => undefined
  }
  return platform
})

export const slackOn = Effect.fnUntraced(function* (world: World, provider: string) {
  const slack = yield* fakeSlack
  const token = yield* secretIn(world, "slack-token", slackToken)
  const appToken = yield* secretIn(world, "slack-app-token", slackAppToken)
  const people = ["U7", "U8"] as const
  const channels = ["D1", "D2"] as const
  const platform: Platform = {
    config: { id: "sl", kind: "slack", token, appToken, url: slack.url, ...common(world, provider, people) },
    say: (person, text) => void slack.say(text, { channel: channels[person], from: people[person] }),
    said: (person) => slack.in(channels[person]).map(slack.textOf),
    secrets: [slackToken, slackAppToken],
    begun: () => undefined
  }
  return platform
})

export const whatsAppOn = Effect.fnUntraced(function* (world: World, provider: string) {
  const whatsApp = yield* fakeWhatsApp
  const people = ["491710000001", "491710000002"] as const
  const platform: Platform = {
    config: {
      id: "wa",
      kind: "whatsapp",
      token: yield* secretIn(world, "whatsapp-token", whatsAppToken),
      appSecret: yield* secretIn(world, "whatsapp-secret", whatsAppSecret),
      verifyToken: yield* secretIn(world, "whatsapp-verify", whatsAppVerify),
      phoneNumberId: whatsAppNumber,
      url: whatsApp.url,
      ...common(world, provider, people)
    },
    say: (person, text) => void whatsApp.say(text, people[person]),
    said: (person) => whatsApp.to(people[person]).map(({ text }) => text),
    // A number is whom it belongs to.
    secrets: [whatsAppToken, whatsAppSecret, whatsAppVerify, ...people],
    unordered: true,
    begun: ({ url }) => whatsApp.connect(`${url}/hooks/wa`)
  }
  return platform
})

export type On = (world: World, provider: string) => Effect.Effect<Platform, never, Scope.Scope>
