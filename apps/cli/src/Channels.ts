import { type ChannelInfo, ChannelPeer, PairingCode } from "@rejoin/contracts/Channel"
import { channelText } from "@rejoin/shown/Channels"
import { visible } from "@rejoin/shown/Visible"
import { Effect, Schema } from "effect"
import { Argument, Command } from "effect/cli"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { Connection } from "./Connection.ts"
import { print } from "./Output.ts"
import { runHere } from "./Serve.ts"
import { program, quietly } from "./ServerProcess.ts"

const id = Argument.String("channel").pipe(Argument.withDescription("Its id, as config.json has it"))

const client = Effect.flatMap(Connection, ({ open }) => open)

const fromJson = <S extends Schema.Top>(schema: S) =>
  Schema.decodeUnknownEffect(Schema.fromJsonString(schema))

/** The same of a channel that `rejoin channel serve` runs: the server knows nothing of it. */
const besideServer = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  return yield* spawner.string(
    ChildProcess.make(process.execPath, [...quietly, program("channels"), ...args], {
      extendEnv: true,
      stdin: "ignore",
      stderr: "inherit"
    })
  )
})

const listText = (channels: ReadonlyArray<ChannelInfo>) =>
  channels.length === 0
    ? "The server runs no chat platform. docs/channels.md tells how a bot is made in ten minutes."
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
    const code = (yield* client).channels
      .pair({ params: { id } })
      .pipe(
        Effect.catchTag("ChannelNotFound", () =>
          Effect.flatMap(besideServer("pair", id), fromJson(PairingCode))
        )
      )
    yield* print(yield* code, pairText)
  })
).pipe(Command.withDescription("Print a code that lets somebody in; once, for ten minutes"))

const Peers = Schema.Struct({ items: Schema.Array(ChannelPeer) })

const peersText = (peers: ReadonlyArray<ChannelPeer>) =>
  peers.length === 0
    ? "Nobody was let in by a code."
    : peers
        .map(({ by, id, name, since }) =>
          visible(by === undefined ? `${id}  ${name}, since ${since}` : `${id}  by ${by}`)
        )
        .join("\n")

const peers = Command.make(
  "peers",
  { id },
  Effect.fn(function* ({ id }) {
    const found = (yield* client).channels
      .peers({ params: { id } })
      .pipe(
        Effect.catchTag("ChannelNotFound", () => Effect.flatMap(besideServer("peers", id), fromJson(Peers)))
      )
    yield* print((yield* found).items, peersText)
  })
).pipe(Command.withDescription("Show who was let in by a code"))

const revoke = Command.make(
  "revoke",
  {
    id,
    peer: Argument.String("person").pipe(Argument.withDescription("The platform's number of the person"))
  },
  Effect.fn(function* ({ id, peer }) {
    yield* (yield* client).channels
      .revoke({ params: { id, peer } })
      .pipe(Effect.catchTag("ChannelNotFound", () => Effect.asVoid(besideServer("revoke", id, peer))))
    const left = yield* Effect.orElseSucceed((yield* client).channels.peers({ params: { id } }), () => ({
      items: []
    }))
    const still = left.items.some((one) => one.id === peer)
    yield* print({ id, peer, still }, () =>
      still
        ? `The code's leave is taken back, and ${visible(peer)} is still heard: allow.users in config.json lists it.`
        : `${visible(peer)} is not heard any more. Codes that were not used are still good: rejoin channel unpair ${id}.`
    )
  })
).pipe(Command.withDescription("Do not hear somebody any more"))

const unpair = Command.make(
  "unpair",
  { id },
  Effect.fn(function* ({ id }) {
    yield* (yield* client).channels
      .unpair({ params: { id } })
      .pipe(Effect.catchTag("ChannelNotFound", () => Effect.asVoid(besideServer("unpair", id))))
    yield* print({ id }, () => "No code that was made before is good any more.")
  })
).pipe(Command.withDescription("Withdraw the codes that were not used"))

const serve = Command.make("serve", {}, () => runHere("channels", ["serve"])).pipe(
  Command.withDescription(`Run the channels that have "run": "beside", apart from the server, until Ctrl-C`)
)

/** The chats on other platforms: how they are, and who may talk. */
export const channel = Command.make("channel").pipe(
  Command.withDescription("Chats on Telegram, Discord, Slack and WhatsApp: how they are, and who may talk"),
  Command.withSubcommands([list, pair, unpair, peers, revoke, serve])
)
