import { assert } from "@effect/vitest"
import { StoreFailed } from "@rejoin/contracts/Errors"
import { ProviderSessionId, ThreadId } from "@rejoin/contracts/Ids"
import { ProviderService } from "@rejoin/core/ProviderService"
import { ThreadEvents } from "@rejoin/core/events/ThreadEvents"
import { Effect, Exit, Option, Stream } from "effect"
import { event, say, send, settled } from "./Lives.ts"
import type { Suite } from "./Suite.ts"

/** How sessions end, and what is left of them. */
export const endings: Suite = (test) => {
  test("C19, C30: an agent that is killed in mid-turn is one exit; the turn is settled, the conversation goes on", (lives) =>
    Effect.gen(function* () {
      const id = yield* lives.life(() =>
        Effect.gen(function* () {
          const events = yield* ThreadEvents
          const id = yield* lives.open()
          yield* say(id, "my name is Ada")
          const turn = yield* send(id, "hold on")
          yield* event(id, ["item.updated"], ({ turnId }) => turnId === turn.id)
          yield* lives.harness.faults.crash
          assert.strictEqual((yield* settled(id, turn.id)).status, "interrupted")
          assert.match((yield* say(id, "who am I")).output, /^my name is Ada.*who am I$/)
          const service = yield* ProviderService
          yield* service.stop(id)
          const told = yield* events.follow(id, 0).pipe(
            Stream.takeUntil(
              ({ data, type }) => type === "session.exited" && JSON.stringify(data).includes("stopped")
            ),
            Stream.filter(({ type }) => type === "session.exited"),
            Stream.runCollect
          )
          assert.lengthOf([...told], 2)
          return id
        })
      )
      assert.match((yield* lives.life(() => say(id, "once more"))).output, /^my name is Ada.*once more$/)
      lives.note("kill -9 in mid-turn", "the same session")
    }))

  test("C37: a turn and an approval that were open when we stopped are settled in the next life", (lives) =>
    Effect.gen(function* () {
      const { id, turnId } = yield* lives.life(() =>
        Effect.gen(function* () {
          const id = yield* lives.open({ runtimeMode: "approval-required" })
          yield* say(id, "one")
          const { id: turnId } = yield* send(id, "write open.txt text")
          yield* event(id, ["request.opened"])
          return { id, turnId }
        })
      )
      yield* lives.life(() =>
        Effect.gen(function* () {
          assert.strictEqual((yield* settled(id, turnId)).status, "interrupted")
          assert.lengthOf(yield* lives.store.listRequests(id), 0)
          assert.match((yield* say(id, "two")).output, /^one.*two$/)
          assert.isFalse(yield* lives.harness.isWritten(`${lives.harness.places.repo}/open.txt`))
        })
      )
    }))

  test("C16, C18, C25, law 7: a start that fails after it created undoes that, and nothing else", (lives) =>
    lives.life((adapter) =>
      Effect.gen(function* () {
        const { places, sessions } = lives.harness
        const id = yield* lives.open()
        yield* say(id, "one")
        const before = yield* sessions
        const { cursor, providerSessionId } = yield* lives.binding(id)
        const own = Option.getOrThrow(adapter.decodeCursor(cursor))
        const created: Array<ProviderSessionId> = []
        const request = {
          threadId: ThreadId.make("thr_of_the_suite"),
          generation: 1,
          title: "a start that fails [thr_of_the_suite]",
          cwd: places.tree,
          mode: "read-only" as const,
          model: null,
          systemPrompt: null,
          mark: null,
          repairs: [],
          extraEnv: {},
          additionalDirectories: [],
          loads: null,
          created: (id: ProviderSessionId) => {
            created.push(id)
            return Effect.fail(new StoreFailed({ message: "The store refuses." }))
          }
        }
        const { fork } = adapter.relocate
        const starts = [adapter.create(request), ...(fork ? [fork(own, request)] : [])]
        for (const start of starts) {
          const exit = yield* Effect.exit(Effect.scoped(start))
          assert.isTrue(Exit.isFailure(exit))
        }
        // Each told its id before anything else was done with the session.
        assert.lengthOf(created, starts.length)
        yield* adapter.undo({
          created,
          titleMark: null,
          window: { from: 0, to: 0 },
          keep: providerSessionId === null ? [] : [providerSessionId],
          cwd: places.tree,
          extraEnv: {},
          additionalDirectories: [],
          loads: null
        })
        assert.deepEqual(yield* sessions, before)
        assert.strictEqual((yield* say(id, "two")).output, "one | two")
      })
    ))

  test("C17, C18, C38, law 9: when the server has ended, nothing of an agent runs any more", (lives) =>
    Effect.gen(function* () {
      const { brief } = lives.harness
      yield* lives.life(
        () =>
          Effect.gen(function* () {
            const id = yield* lives.open()
            yield* say(id, "one")
            yield* send(id, "run python3 -c 'import time; time.sleep(600)'")
            yield* event(id, ["item.started"], ({ data }) => JSON.stringify(data).includes('"command"'))
          }),
        { ...(brief && { adapter: brief }) }
      )
      assert.strictEqual(yield* lives.harness.processes, 0)
    }))

  test("S15: a stop is told; without a session it is an error; the session's agent has ended when it returns", (lives) =>
    lives.life(() =>
      Effect.gen(function* () {
        const service = yield* ProviderService
        const id = yield* lives.open()
        assert.isTrue(Exit.isFailure(yield* Effect.exit(service.stop(id))))
        yield* say(id, "one")
        yield* service.stop(id)
        yield* event(id, ["session.exited"])
        assert.strictEqual((yield* say(id, "two")).output, "one | two")
      })
    ))
}
