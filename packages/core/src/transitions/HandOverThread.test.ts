import { assert, describe, it } from "@effect/vitest"
import { ProviderFailed } from "@rejoin/contracts/Errors"
import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { Effect, Layer, Option } from "effect"
import { ProviderAdapter, type ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { ProviderService } from "../ProviderService.ts"
import { makeInMemoryAdapter } from "../testing/InMemoryAdapter.ts"
import { InMemoryUpstream } from "../testing/InMemoryUpstream.ts"
import { event, failureOf, makeWorld, memory, openThread, say, sendHeld } from "../testing/World.ts"
import { TranscriptKeeper } from "../transcripts/TranscriptKeeper.ts"
import { Threads } from "../threads/Threads.ts"

const another = ProviderInstanceId.make("another")

/** Adds an agent beside the world's; `change` breaks it. */
const add = (
  upstream: InMemoryUpstream,
  driver: string,
  change: (adapter: ProviderAdapterShape) => Partial<ProviderAdapterShape> = () => ({})
) =>
  Effect.flatMap(ProviderRegistry, (registry) => {
    const adapter = makeInMemoryAdapter(upstream, another, driver)
    return registry.add(Layer.succeed(ProviderAdapter, { ...adapter, ...change(adapter) }))
  })

const handOver = (id: Parameters<typeof say>[0], provider = another) =>
  Effect.flatMap(ProviderService, (service) => service.handOver(id, { provider }))

describe("N5: a thread goes on with another agent", () => {
  it.effect(
    "what cannot be carried is counted; the messages are found again by the ids that they have there",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const upstream = new InMemoryUpstream()
        yield* world.life(
          Effect.gen(function* () {
            const service = yield* ProviderService
            yield* add(upstream, "another")
            const id = yield* openThread()
            const first = yield* say(id, "one")
            yield* say(id, "two")
            yield* world.store.saveItems([
              {
                threadId: id,
                item: {
                  id: "r1" as never,
                  turnId: first.id,
                  kind: "reasoning",
                  status: "completed",
                  text: "hm"
                }
              }
            ])
            const receipt = yield* handOver(id)
            assert.deepInclude({ ...receipt }, { outcome: "handed-over", verification: "complete" })
            assert.deepInclude({ ...receipt.carried }, { messages: 2, leftOut: { reasoning: 1 } })
            assert.isAbove(receipt.carried?.approximateTokens ?? 0, 0)
            const fork = yield* service.fork(id, { turnId: first.id })
            const { providerSessionId } = Option.getOrThrow(yield* world.store.getBinding(fork.id))
            assert.deepEqual(upstream.history(providerSessionId ?? ""), ["one"])
          })
        )
      })
  )

  it.effect("one that may be longer than a model takes is carried whole, and told", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const upstream = new InMemoryUpstream()
      yield* world.life(
        Effect.gen(function* () {
          yield* add(upstream, "another")
          const id = yield* openThread()
          const long = "word ".repeat(150_000)
          yield* say(id, long)
          yield* handOver(id)
          yield* say(id, "two")
          const warning = yield* event(id, "warning")
          assert.include(JSON.stringify(warning.data), "more than the model takes")
          const { providerSessionId } = Option.getOrThrow(yield* world.store.getBinding(id))
          assert.deepEqual(upstream.history(providerSessionId ?? ""), [long, "two"])
        })
      )
    })
  )

  it.effect(
    "law 7: where it fails, the thread is with the agent that it had, and nothing is left of the other",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const upstream = new InMemoryUpstream()
        const failed = new ProviderFailed({ provider: another, message: "broken" })
        const faults: ReadonlyArray<readonly [string, Parameters<typeof add>[2]]> = [
          ["it cannot be written", () => ({ compose: () => Effect.fail(failed) })],
          [
            "it breaks after it was written",
            ({ compose }) => ({
              compose: (conversation, request) =>
                compose === undefined
                  ? Effect.fail(failed)
                  : Effect.andThen(compose(conversation, request), Effect.fail(failed))
            })
          ]
        ]
        for (const [name, change] of faults) {
          yield* world.life(
            Effect.gen(function* () {
              const threads = yield* Threads
              yield* add(upstream, "another", change)
              const id = yield* openThread()
              yield* say(id, "one")
              assert.strictEqual(failureOf(yield* Effect.exit(handOver(id)))?._tag, "ProviderFailed", name)
              assert.strictEqual((yield* threads.get(id)).provider, memory)
              assert.strictEqual(upstream.sessions.size, 0, name)
              const turn = yield* say(id, "two")
              assert.strictEqual(turn.output, "one | two", name)
              const receipts = yield* world.store.listReceipts(id, { limit: 10 })
              assert.include(
                receipts.map(({ outcome }) => outcome),
                "refused"
              )
            })
          )
        }
      })
  )

  it.effect("law 1: what comes back without what was said is refused; the mutation is found", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const upstream = new InMemoryUpstream()
      upstream.faults.forgetsOnFork = true
      yield* world.life(
        Effect.gen(function* () {
          yield* add(upstream, "another")
          const id = yield* openThread()
          yield* say(id, "one")
          assert.strictEqual(failureOf(yield* Effect.exit(handOver(id)))?._tag, "HistoryMismatch")
          assert.strictEqual((yield* say(id, "two")).output, "one | two")
        })
      )
    })
  )

  it.effect("to another one of the same agent it goes as our copy has it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const upstream = new InMemoryUpstream()
      yield* world.life(
        Effect.gen(function* () {
          yield* add(upstream, "memory")
          const id = yield* openThread()
          yield* say(id, "one")
          const service = yield* ProviderService
          yield* service.stop(id)
          yield* Effect.flatMap(TranscriptKeeper, (keeper) => keeper.keep(id))
          const receipt = yield* handOver(id)
          assert.strictEqual(receipt.outcome, "handed-over")
          assert.deepInclude({ ...receipt.restored }, { whole: true })
          assert.strictEqual((yield* say(id, "two")).output, "one | two")
        })
      )
    })
  )

  it.effect(
    "not under a turn, not to itself, not where it cannot have the thread's powers or is not there",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const upstream = new InMemoryUpstream()
        upstream.capabilities = { ...upstream.capabilities, runtimeModes: ["read-only"] }
        yield* world.life(
          Effect.gen(function* () {
            yield* add(upstream, "another")
            const id = yield* openThread()
            yield* say(id, "one")
            const tagOf = (provider: ProviderInstanceId) =>
              Effect.map(Effect.exit(handOver(id, provider)), (exit) => failureOf(exit)?._tag)
            assert.strictEqual(yield* tagOf(another), "CapabilityMissing")
            assert.strictEqual(yield* tagOf(memory), "InvalidInput")
            assert.strictEqual(yield* tagOf(ProviderInstanceId.make("nobody")), "ProviderNotFound")
            yield* sendHeld(id)
            upstream.capabilities = { ...upstream.capabilities, runtimeModes: ["approval-required"] }
            assert.strictEqual(yield* tagOf(another), "ThreadBusy")
          })
        )
      })
  )
})
