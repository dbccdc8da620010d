import { assert, describe, it } from "@effect/vitest"
import { known } from "@rejoin/contracts/Fact"
import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { timestampOf } from "@rejoin/contracts/Time"
import { Clock, Deferred, Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { AdapterEvent } from "../providers/AdapterEvent.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { ProviderService } from "../ProviderService.ts"
import type { TurnRecord } from "../store/Records.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { makeWorld, memory, openThread, say, sendHeld, settled } from "../testing/World.ts"
import { DeferredTurns } from "./DeferredTurns.ts"
import { afterInterruption, afterLimit } from "./GoingOnPlan.ts"

type World = Effect.Success<ReturnType<typeof makeWorld>>

const wake = Effect.flatMap(DeferredTurns, (deferred) => deferred.wake)
const turnsOf = (id: ThreadId) => Effect.flatMap(ThreadStore, (store) => store.listTurns(id, { limit: 50 }))
const waiting = (id: ThreadId) =>
  Effect.flatMap(ThreadStore, (store) => store.deferredTurns({ threadId: id }))

const limit = (world: World, seconds: number, does: "fail" | "put-off" = "fail") =>
  Effect.map(Clock.currentTimeMillis, (at) => {
    world.upstream.faults.limit = { until: at + seconds * 1000, does }
  })

/** The agent is asked whether it has the message, and answers when it is told to. */
const held = Effect.gen(function* () {
  const adapter = yield* Effect.flatMap(ProviderRegistry, (registry) => registry.get(memory))
  const [asked, answer] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
  const { delivered } = adapter
  Object.assign(adapter, {
    delivered: (...about: Parameters<typeof delivered>) =>
      Deferred.succeed(asked, undefined).pipe(
        Effect.andThen(Deferred.await(answer)),
        Effect.andThen(delivered(...about))
      )
  })
  return { asked: Deferred.await(asked), answer: Deferred.succeed(answer, undefined) }
})

describe("what goes on by itself, when other things happen", () => {
  it("U1, U2: by whichever reasons in turn, it ends", () => {
    let turn = { id: "trn_0" as TurnId, input: "x", attachments: [], steers: [] } as unknown as TurnRecord
    const failure = { _tag: "UsageLimited", message: "", scope: "hourly", resetsAt: null }
    let length = 0
    for (; length < 100; length++) {
      const known = {
        failure,
        policy: "wait",
        done: length % 3 === 0,
        kept: true,
        at: 1e12,
        atMost: 1e12
      } as const
      const next =
        length % 2 === 0
          ? afterLimit(turn, known)
          : afterInterruption(turn, { policy: "continue", by: "agent", done: known.done, sure: true })
      if (next === undefined) break
      turn = { ...turn, continues: next.continues }
    }
    assert.strictEqual(length, 20)
  })

  it.effect(
    "U2: an interrupt of a person's that comes while its limit is being looked at lets nothing wait",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ onLimit: "wait" })
        yield* world.life(
          Effect.gen(function* () {
            const service = yield* ProviderService
            const id = yield* openThread()
            const { answer, asked } = yield* held
            yield* limit(world, 3600)
            const turn = yield* service.send(id, { input: "work" })
            yield* asked
            const interrupting = yield* Effect.forkChild(service.interruptTurn(id, turn.id))
            const store = yield* ThreadStore
            yield* Effect.repeat(store.getTurn(turn.id), {
              until: (found) => Option.getOrThrow(found).interruptAsked === true
            })
            yield* answer
            yield* settled(id, turn.id)
            assert.isEmpty(yield* waiting(id))
            void interrupting
          })
        )
      })
  )

  it.effect("U1: an end of the server at that moment loses no waiting", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onLimit: "wait" })
      const id = yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const id = yield* openThread()
          const { answer, asked } = yield* held
          yield* limit(world, 3600)
          yield* service.send(id, { input: "work" })
          yield* asked
          yield* answer
          return id
        })
      )
      const [turn, next] = yield* turnsOf(id).pipe(Effect.provideService(ThreadStore, world.store))
      assert.strictEqual(turn?.error?._tag, "UsageLimited")
      assert.strictEqual(next?.status, "deferred")
    })
  )

  it.effect("U1: an agent that ends by the interrupt of a put-off turn is waited for all the same", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onLimit: "wait" })
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* limit(world, 86_400, "put-off")
          world.upstream.faults.onInterrupt = "exit"
          const turn = yield* say(id, "work")
          assert.strictEqual(turn.error?._tag, "UsageLimited")
          assert.lengthOf(yield* waiting(id), 1)
        })
      )
    })
  )

  it.effect("U1: a put-off turn that is completed after all is completed, and nothing waits", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onLimit: "wait" })
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* limit(world, 86_400, "put-off")
          world.upstream.faults.onInterrupt = "complete"
          const turn = yield* say(id, "work")
          assert.deepEqual([turn.status, turn.output], ["completed", "all is done"])
          assert.isEmpty(yield* waiting(id))
        })
      )
    })
  )

  it.effect("U1: a time that is none is no end of the session: it is a limit without one", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onLimit: "wait" })
      yield* world.life(
        Effect.gen(function* () {
          for (const until of [1e17, Date.UTC(12_026, 0)]) {
            const id = yield* openThread()
            world.upstream.faults.limit = { until, does: "put-off" }
            const turn = yield* say(id, "work")
            assert.deepInclude(turn.error, { _tag: "UsageLimited", resetsAt: null })
            assert.lengthOf(yield* waiting(id), 1)
          }
        })
      )
    })
  )

  it.effect("U1: its user goes on without it, or does not want it any more: then it is withdrawn", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onLimit: "wait" })
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const after = Effect.fnUntraced(function* <E, R>(
            act: (id: ThreadId) => Effect.Effect<unknown, E, R>
          ) {
            const id = yield* openThread()
            yield* limit(world, 3600)
            yield* say(id, "work")
            assert.lengthOf(yield* waiting(id), 1)
            delete world.upstream.faults.limit
            yield* act(id)
            return (yield* waiting(id)).length
          })
          assert.strictEqual(yield* after((id) => say(id, "never mind")), 0)
          assert.strictEqual(yield* after((id) => service.interrupt(id)), 0)
          assert.strictEqual(yield* after((id) => service.update(id, { onLimit: "fail" })), 0)
          assert.strictEqual(yield* after((id) => service.reset(id)), 0)
          assert.strictEqual(yield* after((id) => service.update(id, { title: "x" })), 1)
        })
      )
    })
  )

  it.effect(
    "laws 3 and 4: where a session is not as it should be, nothing that waits for a time runs by itself",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ onLimit: "wait" })
        yield* world.life(
          Effect.gen(function* () {
            const service = yield* ProviderService
            const id = yield* openThread()
            yield* say(id, "one")
            const at = yield* Clock.currentTimeMillis
            const later = yield* service.send(id, { input: "later", notBefore: timestampOf(at + 60_000) })
            const turnId = yield* sendHeld(id)
            const found = known("/elsewhere", "tool")
            world.upstream.tell(AdapterEvent.Checked({ what: "cwd", stage: "tool", found }))
            assert.strictEqual((yield* settled(id, turnId)).error?._tag, "DirectoryMismatch")
            assert.strictEqual((yield* settled(id, later.id)).error?._tag, "DirectoryMismatch")
          })
        )
      })
  )

  it.effect("U1: what is due while the conversation is open in a terminal waits until that is left", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onLimit: "wait" })
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const id = yield* openThread()
          yield* say(id, "one")
          const at = yield* Clock.currentTimeMillis
          const later = yield* service.send(id, { input: "later", notBefore: timestampOf(at + 60_000) })
          yield* service.release(id, [])
          world.terminal.runs = "agent"
          yield* TestClock.adjust("2 minutes")
          yield* wake
          assert.strictEqual((yield* waiting(id))[0]?.id, later.id)
          world.terminal.runs = "none"
          yield* service.claim(id)
          yield* wake
          assert.strictEqual((yield* settled(id, later.id)).status, "completed")
        })
      )
    })
  )

  it.effect("U1: threads wait for their own limit, and not for another one of the account", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onLimit: "wait" })
      yield* world.life(
        Effect.gen(function* () {
          const [one, other] = [yield* openThread(), yield* openThread()]
          yield* limit(world, 60)
          yield* say(one, "work")
          yield* limit(world, 6 * 86_400)
          const { limit: weekly } = world.upstream.faults
          if (weekly !== undefined) world.upstream.faults.limit = { ...weekly, scope: "weekly" }
          yield* say(other, "work")
          delete world.upstream.faults.limit
          const [next] = yield* waiting(one)
          yield* TestClock.adjust("61 seconds")
          yield* wake
          assert.strictEqual((yield* settled(one, next?.id as TurnId)).status, "completed")
        })
      )
    })
  )
})
