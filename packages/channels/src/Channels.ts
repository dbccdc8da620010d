import type { RejoinClient } from "@rejoin/client/Client"
import type { ChannelConfig, ChannelInfo, ChannelPeer, PairingCode } from "@rejoin/contracts/Channel"
import { ChannelNotFound, PeerNotFound, type StoreFailed } from "@rejoin/contracts/Errors"
import type { Timestamp } from "@rejoin/contracts/Time"
import { DateTime, Effect, type FileSystem, Ref, Schedule, type Scope, Stream } from "effect"
import type { ChannelAdapter, WebhookAnswer, WebhookRequest } from "./ChannelAdapter.ts"
import { type ChannelFailure, NotLetIn } from "./ChannelFailure.ts"
import type { ChannelStore } from "./ChannelStore.ts"
import { type Engine, runChannel } from "./Engine.ts"
import { hashOfCode, newCode, pairingMinutes } from "./Pairing.ts"

/** What is asked of the channels from outside. */
export interface Channels {
  readonly list: Effect.Effect<ReadonlyArray<ChannelInfo>, StoreFailed>
  /** A code that lets in whoever types it; once, for ten minutes. */
  readonly pair: (channel: string) => Effect.Effect<PairingCode, ChannelNotFound | StoreFailed>
  readonly unpair: (channel: string) => Effect.Effect<void, ChannelNotFound | StoreFailed>
  readonly peers: (
    channel: string
  ) => Effect.Effect<ReadonlyArray<ChannelPeer>, ChannelNotFound | StoreFailed>
  readonly revoke: (
    channel: string,
    person: string
  ) => Effect.Effect<void, ChannelNotFound | PeerNotFound | StoreFailed>
  /** Whether a platform sends something to this one by itself. */
  readonly takesHooks: (channel: string) => boolean
  /** What a platform sends to one of them. */
  readonly webhook: (channel: string, request: WebhookRequest) => Effect.Effect<WebhookAnswer>
}

export const noChannels: Channels = {
  list: Effect.succeed([]),
  pair: (channel) => Effect.fail(notFound(channel)),
  unpair: (channel) => Effect.fail(notFound(channel)),
  peers: (channel) => Effect.fail(notFound(channel)),
  revoke: (channel) => Effect.fail(notFound(channel)),
  takesHooks: () => false,
  webhook: () => Effect.succeed({ status: 404, text: "" })
}

const notFound = (channel: string) =>
  new ChannelNotFound({
    channel,
    message: `There is no channel ${channel}.`,
    hint: "Channels stand in config.json, under `channels`."
  })

/** Runs all channels, for as long as the scope. One reader of the server's events is for all of them. */
export const runChannels = Effect.fn("runChannels")(function* (
  configs: ReadonlyArray<ChannelConfig>,
  make: (config: ChannelConfig) => Effect.Effect<ChannelAdapter, ChannelFailure, Scope.Scope>,
  store: ChannelStore,
  rejoin: RejoinClient
): Effect.fn.Return<Channels, StoreFailed, FileSystem.FileSystem | Scope.Scope> {
  const engines = new Map<string, Engine>()
  const accounts = new Map<string, string>()
  const claimOf =
    (channel: string) =>
    (account: string): Effect.Effect<void, NotLetIn, Scope.Scope> => {
      const holder = accounts.get(account)
      if (holder !== undefined && holder !== channel)
        return Effect.fail(
          new NotLetIn({
            message: `The channel ${holder} is this bot already.`,
            hint: "Each channel needs a bot of its own: what is written to one bot can only go to one of them."
          })
        )
      accounts.set(account, channel)
      return Effect.addFinalizer(() => Effect.sync(() => accounts.delete(account)))
    }
  for (const config of configs)
    engines.set(config.id, yield* runChannel(config, make(config), store, rejoin, claimOf(config.id)))
  const all = [...engines.values()]

  const last = yield* Ref.make<number | undefined>(undefined)
  const reading = Stream.unwrap(
    Effect.gen(function* () {
      const from = (yield* Ref.get(last)) ?? (yield* rejoin.position)
      yield* Ref.set(last, from)
      // What happened while nobody listened.
      yield* Effect.forEach(all, ({ lookAgain }) => lookAgain, {
        discard: true,
        concurrency: "unbounded"
      })
      return rejoin.follow(undefined, from)
    })
  ).pipe(
    Stream.runForEach((event) =>
      Effect.andThen(
        Ref.set(last, event.position),
        Effect.forEach(all, ({ hear }) => hear(event), { discard: true })
      )
    ),
    Effect.ignore,
    Effect.repeat(Schedule.spaced("500 millis"))
  )
  yield* Effect.forkScoped(reading)

  const engineOf = (channel: string) => {
    const engine = engines.get(channel)
    return engine === undefined ? Effect.fail(notFound(channel)) : Effect.succeed(engine)
  }
  return {
    list: Effect.forEach(all, ({ info }) => info),
    takesHooks: (channel) => configs.some(({ id, kind }) => id === channel && kind === "whatsapp"),
    webhook: (channel, request) =>
      engines.get(channel)?.webhook(request) ?? Effect.succeed({ status: 404, text: "" }),
    pair: Effect.fnUntraced(function* (channel) {
      yield* engineOf(channel)
      const code = newCode()
      const until = DateTime.add(yield* DateTime.now, { minutes: pairingMinutes })
      const expiresAt = DateTime.formatIso(until) as Timestamp
      yield* store.offer(channel, hashOfCode(code), expiresAt)
      return { code, expiresAt }
    }),
    unpair: (channel) => Effect.andThen(engineOf(channel), store.withdraw(channel)),
    peers: Effect.fnUntraced(function* (channel) {
      yield* engineOf(channel)
      const listed = configs.find(({ id }) => id === channel)?.allow?.users ?? []
      return [
        ...(yield* store.peers(channel)),
        ...listed.map((id) => ({ id, name: "", by: "config.json" as const }))
      ]
    }),
    revoke: Effect.fnUntraced(function* (channel, person) {
      yield* engineOf(channel)
      if (!(yield* store.revoke(channel, person)))
        return yield* new PeerNotFound({
          peer: "",
          message: "Nobody of this number was let in by a code.",
          hint: "Who stands in config.json, under `allow.users`, is taken out there."
        })
    })
  }
})
