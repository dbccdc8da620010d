import { assert, describe, it } from "@effect/vitest"
import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { Effect, Option } from "effect"
import { ProviderService } from "../ProviderService.ts"
import { event, failureOf, makeWorld, openThread, say, sendHeld } from "../testing/World.ts"
import { Threads } from "../threads/Threads.ts"
import { exported, imported, known, lived, picture } from "../testing/Bundles.ts"

const kindsOf = (bundle: string) =>
  bundle
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { readonly kind: string }).kind)

describe("a thread in one stream", () => {
  it.effect("W1, W4: it comes in elsewhere as it went, under its id, and its next turn knows all", () =>
    Effect.gen(function* () {
      const [here, there] = [yield* makeWorld(), yield* makeWorld()]
      const said = Array.from({ length: 230 }, (_, i) => `fact ${i}`)
      const { bundle, id } = yield* lived(here, said)
      assert.deepEqual(
        [...new Set(kindsOf(bundle))],
        ["header", "turn", "blob", "item", "receipt", "lineage", "transcript", "piece", "end"]
      )
      const before = yield* known(here, id)
      yield* there.life(
        Effect.gen(function* () {
          // Something else is there already, with ids of its own.
          yield* say(yield* openThread(), "another")
          const thread = yield* imported(bundle, { cwd: "/elsewhere" })
          assert.deepInclude({ ...thread }, { id, cwd: "/elsewhere", runtimeMode: "approval-required" })
          const after = yield* known(there, id)
          for (const what of ["turns", "items", "receipts", "lineage", "files"] as const)
            assert.deepEqual(after[what], before[what], what)
          assert.strictEqual(thread.transcript?.bytes, Option.getOrThrow(before.transcript).bytes)
          const turn = yield* say(id, "what do you know")
          assert.strictEqual(turn.status, "completed", JSON.stringify(turn.error))
          const session = Option.getOrThrow(yield* there.store.getBinding(id)).providerSessionId
          assert.deepEqual(there.upstream.history(session ?? ""), [...said, "look", "what do you know"])
          const [receipt] = yield* there.store.listReceipts(id, { limit: 1 })
          assert.strictEqual(receipt?.outcome, "rehydrated")
          assert.isAbove(receipt?.generation ?? 0, before.receipts[0]?.generation ?? 0)
          const blob = before.turns.at(-1)?.attachments[0]
          assert.deepEqual(yield* there.store.getBlob(blob?.hash ?? ""), Option.some(picture.data))
        })
      )
    })
  )

  it.effect("W13: what has moved is refused here, says where it went, and comes back by a claim", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const id = yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          yield* exported(id, { move: true, to: "the laptop" })
          return id
        })
      )
      // Over a restart too.
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const threads = yield* Threads
          assert.strictEqual((yield* threads.get(id)).session.moved?.to, "the laptop")
          const refused = failureOf(yield* Effect.exit(say(id, "two")))
          assert.strictEqual(refused?._tag, "SessionHeldElsewhere")
          assert.include(refused?.message, "the laptop")
          const started = failureOf(yield* Effect.exit(service.start(id)))
          assert.strictEqual(started?._tag, "SessionHeldElsewhere")
          const receipt = yield* service.claim(id)
          assert.strictEqual(receipt.outcome, "adopted")
          assert.strictEqual((yield* say(id, "three")).status, "completed")
          assert.isUndefined((yield* threads.get(id)).session.moved)
        })
      )
    })
  )

  it.effect(
    "it goes there and comes back: newer wins, older is refused, and what went on otherwise stays",
    () =>
      Effect.gen(function* () {
        const [here, there] = [yield* makeWorld(), yield* makeWorld()]
        const { bundle, id } = yield* lived(here, ["one"])
        const grown = yield* there.life(
          Effect.gen(function* () {
            yield* imported(bundle)
            // A second time is no harm: an answer may have been lost.
            yield* imported(bundle)
            yield* say(id, "said there")
            assert.strictEqual(failureOf(yield* Effect.exit(imported(bundle)))?._tag, "ThreadExists")
            return yield* exported(id, { move: true })
          })
        )
        yield* here.life(
          Effect.gen(function* () {
            yield* imported(grown)
            const before = yield* known(here, id)
            assert.strictEqual(before.turns.at(-1)?.input, "said there")
            assert.strictEqual(failureOf(yield* Effect.exit(imported(bundle)))?._tag, "ThreadExists")
            assert.deepEqual(yield* known(here, id), before)
            const turn = yield* say(id, "back")
            assert.strictEqual(turn.status, "completed", JSON.stringify(turn.error))
            const session = Option.getOrThrow(yield* here.store.getBinding(id)).providerSessionId ?? ""
            assert.deepEqual(here.upstream.history(session).slice(-2), ["said there", "back"])
          })
        )
        const other = yield* there.life(
          Effect.gen(function* () {
            const service = yield* ProviderService
            yield* service.claim(id)
            yield* say(id, "otherwise")
            yield* say(id, "and more")
            return yield* exported(id)
          })
        )
        yield* here.life(
          Effect.gen(function* () {
            const before = yield* known(here, id)
            assert.strictEqual(failureOf(yield* Effect.exit(imported(other)))?._tag, "ThreadExists")
            assert.deepEqual(yield* known(here, id), before)
          })
        )
      })
  )

  it.effect(
    "while a turn runs it neither goes nor is replaced; a key that is taken here is left out, and told",
    () =>
      Effect.gen(function* () {
        const [here, there] = [yield* makeWorld(), yield* makeWorld()]
        const key = { agent: "memory", external: "telegram:7" }
        const bundle = yield* here.life(
          Effect.gen(function* () {
            const threads = yield* Threads
            const { thread } = yield* threads.create({
              provider: ProviderInstanceId.make("memory"),
              cwd: "/work",
              key,
              extraEnv: { MY_SECRET_COLOUR: "blue" }
            })
            yield* say(thread.id, "one")
            const text = yield* exported(thread.id)
            yield* sendHeld(thread.id)
            assert.strictEqual(failureOf(yield* Effect.exit(exported(thread.id)))?._tag, "ThreadBusy")
            assert.strictEqual(failureOf(yield* Effect.exit(imported(text)))?._tag, "ThreadBusy")
            return { id: thread.id, text }
          })
        )
        assert.notInclude(bundle.text, "blue")
        yield* there.life(
          Effect.gen(function* () {
            const threads = yield* Threads
            const { thread: own } = yield* threads.create({
              provider: ProviderInstanceId.make("memory"),
              cwd: "/work",
              key
            })
            const thread = yield* imported(bundle.text)
            assert.isUndefined(thread.key)
            const warning = yield* event(thread.id, "warning")
            assert.include(JSON.stringify(warning.data), "telegram:7")
            assert.strictEqual(Option.getOrThrow(yield* threads.find(key)).id, own.id)
            const nowhere = imported(bundle.text, { provider: "nobody" })
            assert.strictEqual(failureOf(yield* Effect.exit(nowhere))?._tag, "ProviderNotFound")
          })
        )
      })
  )
})
