import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import type { ThreadId } from "@rejoin/contracts/Ids"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { ThreadEvents } from "@rejoin/core/events/ThreadEvents"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { makeWorld, openThread, say } from "@rejoin/core/testing/World"
import { Context, Effect, FileSystem, Layer, Option, Queue, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { Configuration } from "./Configuration.ts"
import { Push } from "./Push.ts"
import { PushDelivery } from "./PushDelivery.ts"
import { Token } from "./Token.ts"

const target = {
  endpoint: "https://fcm.googleapis.com/fcm/send/x",
  keys: {
    p256dh: "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM",
    auth: "tBHItJI5svbpez7KI4CCXg"
  }
}
const quiet = { from: "22:00", to: "07:00", zone: "UTC" }

/** Web push on this core, whose messages come here instead. */
const pushing = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const home = yield* fs.makeTempDirectoryScoped()
  const told = yield* Queue.unbounded<RuntimeEvent>()
  const start = Effect.gen(function* () {
    const [events, store] = [yield* ThreadEvents, yield* ThreadStore]
    const needs = Layer.mergeAll(
      Layer.succeed(ThreadEvents, events),
      Layer.succeed(ThreadStore, store),
      Layer.succeed(Configuration, {
        home,
        host: "127.0.0.1",
        port: 0,
        token: Option.none(),
        roots: [],
        hosts: [],
        database: Option.none(),
        cluster: Option.none(),
        file: {}
      }),
      Layer.succeed(Token, {
        file: undefined,
        value: Redacted.make("a token"),
        proofKey: "",
        matches: () => false
      }),
      Layer.succeed(PushDelivery, {
        publicKey: Effect.succeed("key"),
        send: (_, event) => Effect.as(Queue.offer(told, event), "taken")
      })
    )
    return Context.get(yield* Layer.build(Layer.provide(Push.layer, needs)), Push)
  })
  return { start, told, next: Queue.take(told) }
})

const kinds = (events: ReadonlyArray<RuntimeEvent>) => events.map(({ threadId, type }) => [threadId, type])

describe("U3: quiet hours of a device", () => {
  it.effect(
    "nothing is told in them; behind them the last word of each thread, once, also over a restart",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const push = yield* pushing
        const [one, other] = yield* world.life(
          Effect.gen(function* () {
            yield* TestClock.setTime(Date.parse("2026-01-10T21:00:00Z"))
            yield* (yield* push.start).subscribe(null, target, quiet)
            const [one, other] = [yield* openThread(), yield* openThread()]
            yield* say(one, "before")
            assert.deepEqual(kinds([yield* push.next]), [[one, "turn.completed"]])
            yield* TestClock.setTime(Date.parse("2026-01-10T23:00:00Z"))
            yield* say(one, "in the night")
            yield* say(other, "fail")
            yield* say(one, "later in the night")
            yield* TestClock.adjust("1 minute")
            assert.strictEqual(yield* Queue.size(push.told), 0)
            return [one, other] as const
          }).pipe(Effect.scoped)
        )
        yield* world.life(
          Effect.gen(function* () {
            yield* push.start
            yield* TestClock.setTime(Date.parse("2026-01-11T06:59:00Z"))
            assert.strictEqual(yield* Queue.size(push.told), 0)
            yield* TestClock.adjust("1 minute")
            const morning: ReadonlyArray<readonly [ThreadId, string]> = [
              [one, "turn.completed"],
              [other, "turn.failed"]
            ]
            assert.sameDeepMembers(
              kinds([yield* push.next, yield* push.next]),
              morning.map((pair) => [...pair])
            )
            yield* say(one, "by day")
            assert.deepEqual(kinds([yield* push.next]), [[one, "turn.completed"]])
            assert.strictEqual(yield* Queue.size(push.told), 0)
          }).pipe(Effect.scoped)
        )
      }).pipe(Effect.provide(NodeServices.layer))
  )
})
