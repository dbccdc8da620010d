import type { RejoinClient } from "@rejoin/client/Client"
import type { ChannelConfig, ChannelInfo, ChannelPeer, PairingCode } from "@rejoin/contracts/Channel"
import { ChannelNotFound, PeerNotFound, type StoreFailed } from "@rejoin/contracts/Errors"
import type { Timestamp } from "@rejoin/contracts/Time"
import { DateTime, Effect, type FileSystem, Ref, Schedule, type Scope, Stream } from "effect"
import type { ChannelAdapter, WebhookAnswer, WebhookRequest } from "./ChannelAdapter.ts"
import type { ChannelFailure } from "./ChannelFailure.ts"
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
  /** What a platform sends to one of them. */
  readonly webhook: (channel: string, request: WebhookRequest) => Effect.Effect<WebhookAnswer>
}

export const noChannels: Channels = {
  list: Effect.succeed([]),
  pair: (channel) => Effect.fail(notFound(channel)),
  unpair: (channel) => Effect.fail(notFound(channel)),
  peers: (channel) => Effect.fail(notFound(channel)),
  revoke: (channel) => Effect.fail(notFound(channel)),
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
  for (const config of configs) engines.set(config.id, yield* runChannel(config, make(config), store, rejoin))
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
    peers: (channel) => Effect.andThen(engineOf(channel), store.peers(channel)),
    revoke: Effect.fnUntraced(function* (channel, person) {
      yield* engineOf(channel)
      if (!(yield* store.revoke(channel, person)))
        return yield* new PeerNotFound({ peer: person, message: `${person} was not let in by a code.` })
    })
  }
})
