import { assert } from "@effect/vitest"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { ProviderService } from "@rejoin/core/ProviderService"
import { SessionReaper } from "@rejoin/core/sessions/SessionReaper"
import { Duration, Effect } from "effect"
import { failureOf, type Lives, say, sayAnswering } from "./Lives.ts"
import type { Suite } from "./Suite.ts"

type Id = Parameters<typeof say>[0]

/** What a mode must do, proved by attempts to write. `name` makes the files of one proof. */
const prove = Effect.fnUntraced(function* (lives: Lives, id: Id, mode: RuntimeMode, name: string) {
  const { isWritten, places } = lives.harness
  const edited = `${places.repo}/${name}-edit.txt`
  const outside = `${places.other}/${name}-command.txt`
  const edit = () => sayAnswering(id, `write ${name}-edit.txt text`, "decline")
  const command = () => sayAnswering(id, `run touch ${outside}`, "decline")
  switch (mode) {
    case "read-only": {
      const { asked } = yield* edit()
      const { asked: alsoAsked } = yield* command()
      assert.strictEqual(asked + alsoAsked, 0, "a read-only thread asks for nothing")
      assert.isFalse(yield* isWritten(edited))
      assert.isFalse(yield* isWritten(outside))
      break
    }
    case "approval-required": {
      const declined = yield* edit()
      assert.strictEqual(declined.turn.status, "completed", "declining is not stopping")
      assert.isAbove(declined.asked, 0, "an edit is asked for")
      assert.isFalse(yield* isWritten(edited))
      yield* command()
      assert.isFalse(yield* isWritten(outside), "no command writes unasked")
      const accepted = yield* sayAnswering(id, `write ${name}-edit.txt text`, "accept")
      assert.isAbove(accepted.asked, 0)
      assert.isTrue(yield* isWritten(edited), "what was accepted is done")
      break
    }
    case "auto-accept-edits": {
      const { asked } = yield* edit()
      assert.strictEqual(asked, 0, "an edit is not asked for")
      assert.isTrue(yield* isWritten(edited))
      yield* command()
      assert.isFalse(yield* isWritten(outside), "no command writes elsewhere unasked")
      yield* sayAnswering(id, `write ${places.other}/${name}-edit.txt text`, "decline")
      assert.isFalse(yield* isWritten(`${places.other}/${name}-edit.txt`), "no edit elsewhere unasked")
      break
    }
    case "full-access": {
      const { asked } = yield* edit()
      const { asked: alsoAsked } = yield* command()
      assert.strictEqual(asked + alsoAsked, 0, "nothing is asked for")
      assert.isTrue(yield* isWritten(edited))
      assert.isTrue(yield* isWritten(outside))
    }
  }
  const receipt = yield* lives.receipt(id)
  assert.strictEqual(receipt.runtimeModeRequested, mode)
  assert.strictEqual(receipt.runtimeModeVerified, mode)
})

/** Whether the agent may do what it should, and nothing else. */
export const powers: Suite = (test) => {
  test("S14: what a thread's agent is told beside the conversation holds over a restart, a move and a fork", (lives) =>
    Effect.gen(function* () {
      const { places } = lives.harness
      const id = yield* lives.life((adapter) =>
        Effect.gen(function* () {
          const { systemPrompt } = yield* adapter.capabilities
          if (!systemPrompt) {
            const refused = failureOf(
              yield* Effect.exit(lives.open({ systemPrompt: "The password is swordfish." }))
            )
            assert.strictEqual(refused?._tag, "CapabilityMissing")
            return undefined
          }
          const id = yield* lives.open({ systemPrompt: "The password is swordfish." })
          assert.strictEqual((yield* say(id, "password")).output, "swordfish")
          const other = yield* lives.open()
          assert.strictEqual((yield* say(other, "password")).output, "none")
          return id
        })
      )
      if (id === undefined) return
      yield* lives.life((adapter) =>
        Effect.gen(function* () {
          const service = yield* ProviderService
          const { fork: forks, relocate } = yield* adapter.capabilities
          assert.strictEqual((yield* say(id, "password")).output, "swordfish")
          if (relocate.length > 0) yield* service.move(id, places.tree)
          assert.strictEqual((yield* say(id, "password")).output, "swordfish")
          if (!forks.includes("whole")) return
          const fork = yield* service.fork(id, {})
          assert.strictEqual((yield* say(fork.id, "password")).output, "swordfish")
        })
      )
    }))

  for (const mode of ["read-only", "approval-required", "auto-accept-edits", "full-access"] as const) {
    test(`law 4: ${mode}: a write is blocked, asked for or done, and so it is after a resume (C11)`, (lives) =>
      Effect.gen(function* () {
        const id = yield* lives.life(() =>
          Effect.tap(lives.open({ runtimeMode: mode }), (id) => prove(lives, id, mode, "first"))
        )
        yield* lives.life(() => prove(lives, id, mode, "second"))
        lives.note(mode, "held after a resume, and read back")
      }))
  }

  test("C11, C13, C26: a mode switched both ways is in force at once, over a reap and over a restart", (lives) =>
    Effect.gen(function* () {
      const switchTo = (id: Id, runtimeMode: RuntimeMode) =>
        Effect.flatMap(ProviderService, (service) => service.update(id, { runtimeMode }))
      const id = yield* lives.life(
        () =>
          Effect.gen(function* () {
            const reaper = yield* SessionReaper
            const id = yield* lives.open({ runtimeMode: "read-only" })
            yield* say(id, "one")
            yield* switchTo(id, "full-access")
            yield* prove(lives, id, "full-access", "wide")
            yield* switchTo(id, "read-only")
            yield* prove(lives, id, "read-only", "narrow")
            yield* switchTo(id, "auto-accept-edits")
            assert.strictEqual(yield* reaper.sweep, 1)
            yield* prove(lives, id, "auto-accept-edits", "reaped")
            yield* switchTo(id, "approval-required")
            assert.strictEqual(yield* reaper.sweep, 1)
            yield* prove(lives, id, "approval-required", "reaped-again")
            yield* switchTo(id, "full-access")
            return id
          }),
        { settings: { idle: Duration.zero } }
      )
      yield* lives.life(() =>
        Effect.gen(function* () {
          yield* prove(lives, id, "full-access", "restarted")
          yield* switchTo(id, "read-only")
        })
      )
      yield* lives.life(() => prove(lives, id, "read-only", "restarted-again"))
    }))

  test("S18: a directory beside the thread's own can be written, and no other", (lives) =>
    lives.life((adapter) =>
      Effect.gen(function* () {
        const { isWritten, places } = lives.harness
        const { additionalDirectories } = yield* adapter.capabilities
        if (!additionalDirectories) return
        const id = yield* lives.open({
          runtimeMode: "auto-accept-edits",
          additionalDirectories: [places.tree]
        })
        const { asked } = yield* sayAnswering(id, `write ${places.tree}/beside.txt text`, "decline")
        assert.strictEqual(asked, 0)
        assert.isTrue(yield* isWritten(`${places.tree}/beside.txt`))
        yield* sayAnswering(id, `write ${places.other}/outside.txt text`, "decline")
        assert.isFalse(yield* isWritten(`${places.other}/outside.txt`))
      })
    ))
}
