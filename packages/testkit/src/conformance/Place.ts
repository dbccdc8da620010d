import { assert } from "@effect/vitest"
import { ProviderService } from "@rejoin/core/ProviderService"
import { Effect } from "effect"
import { event, failureOf, say, send, settled } from "./Lives.ts"
import type { Suite } from "./Suite.ts"

/** Whether tools run in the right directory, with the conversation that belongs there. */
export const place: Suite = (test) => {
  test("C12, C13, C15, C29: a move carries history and powers into a worktree, another project, and back", (lives) =>
    Effect.gen(function* () {
      const { isWritten, places } = lives.harness
      const id = yield* lives.life((adapter) =>
        Effect.gen(function* () {
          const service = yield* ProviderService
          const { relocate } = yield* adapter.capabilities
          const id = yield* lives.open({ runtimeMode: "read-only" })
          yield* say(id, "one")
          if (relocate.length === 0) {
            // Refused where it would not be the same conversation; and where it was, it goes on.
            const refused = failureOf(yield* Effect.exit(service.move(id, places.tree)))
            assert.strictEqual(refused?._tag, "RelocationUnsupported")
            assert.strictEqual((yield* say(id, "two")).output, "one | two")
            lives.note("another directory", "refused")
            return undefined
          }
          const moved = yield* service.move(id, places.tree)
          assert.strictEqual(moved.cwdVerified ?? places.tree, places.tree)
          assert.strictEqual(moved.runtimeModeVerified, "read-only")
          // The powers went along.
          yield* say(id, "write x.txt no")
          assert.isFalse(yield* isWritten(`${places.tree}/x.txt`))
          yield* service.update(id, { runtimeMode: "full-access" })
          assert.include((yield* say(id, "run pwd")).output, places.tree)
          yield* service.move(id, places.other)
          assert.include((yield* say(id, "run pwd")).output, places.other)
          return id
        })
      )
      if (id === undefined) return
      // And over a restart.
      yield* lives.life(() =>
        Effect.gen(function* () {
          const service = yield* ProviderService
          assert.strictEqual((yield* say(id, "two")).output, "one | write x.txt no | run pwd | run pwd | two")
          yield* service.move(id, places.alias)
          assert.include((yield* say(id, "run pwd")).output, places.repo)
          const receipt = yield* lives.receipt(id)
          assert.strictEqual(receipt.cwdVerified, places.repo)
          assert.strictEqual(receipt.verification, "complete")
          lives.note("another directory", "carried over")
        })
      )
    }))

  test("law 1: a move that no message followed is not lost with its session", (lives) =>
    Effect.gen(function* () {
      const { places } = lives.harness
      const id = yield* lives.life((adapter) =>
        Effect.gen(function* () {
          const service = yield* ProviderService
          const { relocate } = yield* adapter.capabilities
          const id = yield* lives.open()
          yield* say(id, "one")
          // It cannot, and says so: above.
          if (relocate.length === 0) return undefined
          yield* service.move(id, places.tree)
          yield* service.stop(id)
          yield* service.move(id, places.repo)
          return id
        })
      )
      if (id === undefined) return
      const turn = yield* lives.life(() => say(id, "two"))
      assert.strictEqual(turn.output, "one | two")
      assert.notStrictEqual((yield* lives.receipt(id)).outcome, "replaced")
    }))

  test("C20: threads side by side, in one directory and in others, do not mix", (lives) =>
    lives.life(() =>
      Effect.gen(function* () {
        const { other, repo, tree } = lives.harness.places
        const ids = yield* Effect.forEach([repo, repo, tree, other], (cwd) => lives.open({ cwd }))
        const names = ids.map((_, i) => `I am number ${i}`)
        yield* Effect.forEach(ids, (id, i) => say(id, names[i] ?? ""), { concurrency: "unbounded" })
        const turns = yield* Effect.forEach(ids, (id) => say(id, "run pwd"), { concurrency: "unbounded" })
        const cwds = [repo, repo, tree, other]
        for (const [i, turn] of turns.entries()) assert.include(turn.output, cwds[i] ?? "?")
        const asked = yield* Effect.forEach(ids, (id) => say(id, "who"), { concurrency: "unbounded" })
        for (const [i, turn] of asked.entries()) {
          assert.strictEqual(turn.output, `${names[i]} | run pwd | who`)
        }
      })
    ))

  test("N5: a fork goes on from the whole conversation, or from a turn of it; the origin does not notice", (lives) =>
    Effect.gen(function* () {
      const { places } = lives.harness
      const { fork, id, part } = yield* lives.life((adapter) =>
        Effect.gen(function* () {
          const service = yield* ProviderService
          const { fork: can } = yield* adapter.capabilities
          const id = yield* lives.open()
          const first = yield* say(id, "one")
          yield* say(id, "two")
          const whole = yield* Effect.result(service.fork(id, { cwd: places.tree }))
          const turn = yield* Effect.result(service.fork(id, { turnId: first.id }))
          assert.strictEqual(whole._tag, can.includes("whole") ? "Success" : "Failure")
          assert.strictEqual(turn._tag, can.includes("turn") ? "Success" : "Failure")
          const fork = whole._tag === "Success" ? whole.success.id : undefined
          const part = turn._tag === "Success" ? turn.success.id : undefined
          // What the origin hears before anything is said in its forks is not theirs.
          yield* say(id, "meanwhile")
          return { id, fork, part }
        })
      )
      // Forks that nobody has said anything in yet are there in the next life.
      yield* lives.life(() =>
        Effect.gen(function* () {
          if (fork !== undefined) {
            assert.strictEqual((yield* say(fork, "else")).output, "one | two | else")
            assert.include((yield* say(fork, "run pwd")).output, places.tree)
          }
          if (part !== undefined) {
            assert.strictEqual((yield* say(part, "else")).output, "one | else")
            assert.include((yield* say(part, "run pwd")).output, places.repo)
          }
          assert.strictEqual((yield* say(id, "three")).output, "one | two | meanwhile | three")
        })
      )
    }))

  test("N5: a thread that was moved can be forked from what was said before that", (lives) =>
    lives.life((adapter) =>
      Effect.gen(function* () {
        const service = yield* ProviderService
        const { fork, relocate } = yield* adapter.capabilities
        if (!fork.includes("turn") || relocate.length === 0) return
        const id = yield* lives.open()
        const first = yield* say(id, "one")
        yield* say(id, "two")
        yield* service.move(id, lives.harness.places.tree)
        yield* say(id, "three")
        const part = yield* service.fork(id, { turnId: first.id })
        assert.strictEqual((yield* say(part.id, "else")).output, "one | else")
        assert.strictEqual((yield* say(id, "four")).output, "one | two | three | four")
      })
    ))

  test("C27, S13: move, reset, mode and fork are refused while a turn runs", (lives) =>
    lives.life(() =>
      Effect.gen(function* () {
        const service = yield* ProviderService
        const id = yield* lives.open()
        const turn = yield* send(id, "hold on")
        yield* event(id, ["turn.started"])
        const exits = [
          yield* Effect.exit(service.move(id, lives.harness.places.tree)),
          yield* Effect.exit(service.reset(id)),
          yield* Effect.exit(service.update(id, { runtimeMode: "read-only" })),
          yield* Effect.exit(service.fork(id, {}))
        ]
        for (const exit of exits)
          assert.strictEqual(failureOf<unknown, { readonly _tag: string }>(exit)?._tag, "ThreadBusy")
        yield* service.interrupt(id)
        assert.strictEqual((yield* settled(id, turn.id)).status, "interrupted")
      })
    ))
}
