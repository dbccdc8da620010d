import type { ChannelInfo, ChannelPeer, PairingCode } from "@rejoin/contracts/Channel"
import { channelText } from "@rejoin/shown/Channels"
import { visible } from "@rejoin/shown/Visible"
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { Connection } from "./Connection.ts"
import { print } from "./Output.ts"

const id = Argument.String("channel").pipe(Argument.withDescription("Its id, as config.json has it"))

const client = Effect.flatMap(Connection, ({ open }) => open)

const listText = (channels: ReadonlyArray<ChannelInfo>) =>
  channels.length === 0
    ? "No chat platform is configured: docs/channels.md tells how a bot is made in ten minutes."
    : channels.map((channel) => visible(channelText(channel).join("\n    "))).join("\n")

const list = Command.make(
  "list",
  {},
  Effect.fn(function* () {
    yield* print((yield* (yield* client).channels.list()).items, listText)
  })
).pipe(Command.withDescription("Show the chat platforms, and how they are"))

const pairText = ({ code, expiresAt }: PairingCode) =>
  `${code}\nWhoever writes this to the bot may talk with it from then on: once, until ${expiresAt}.`

const pair = Command.make(
  "pair",
  { id },
  Effect.fn(function* ({ id }) {
    yield* print(yield* (yield* client).channels.pair({ params: { id } }), pairText)
  })
).pipe(Command.withDescription("Print a code that lets somebody in; once, for ten minutes"))

const peersText = (peers: ReadonlyArray<ChannelPeer>) =>
  peers.length === 0
    ? "Nobody was let in by a code."
    : peers.map(({ id, name, since }) => visible(`${id}  ${name}, since ${since}`)).join("\n")

const peers = Command.make(
  "peers",
  { id },
  Effect.fn(function* ({ id }) {
    yield* print((yield* (yield* client).channels.peers({ params: { id } })).items, peersText)
  })
).pipe(Command.withDescription("Show who was let in by a code"))

const revoke = Command.make(
  "revoke",
  {
    id,
    peer: Argument.String("person").pipe(Argument.withDescription("The platform's number of the person"))
  },
  Effect.fn(function* ({ id, peer }) {
    yield* (yield* client).channels.revoke({ params: { id, peer } })
    yield* print(
      { id, peer },
      () =>
        `${visible(peer)} is not heard any more. Codes that were not used are still good: rejoin channel unpair ${id}.`
    )
  })
).pipe(Command.withDescription("Do not hear somebody any more"))

const unpair = Command.make(
  "unpair",
  { id },
  Effect.fn(function* ({ id }) {
    yield* (yield* client).channels.unpair({ params: { id } })
    yield* print({ id }, () => "No code that was made before is good any more.")
  })
).pipe(Command.withDescription("Withdraw the codes that were not used"))

/** The chats on other platforms: how they are, and who may talk. */
export const channel = Command.make("channel").pipe(
  Command.withDescription("Chats on Telegram, Discord, Slack and WhatsApp: how they are, and who may talk"),
  Command.withSubcommands([list, pair, unpair, peers, revoke])
)
