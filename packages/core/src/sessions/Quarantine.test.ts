import { assert, describe, it } from "@effect/vitest"
import { known } from "@rejoin/contracts/Fact"
import { Deferred, Effect } from "effect"
import { AdapterEvent } from "../providers/AdapterEvent.ts"
import { ProviderService } from "../ProviderService.ts"
import { event, makeWorld, openThread, say, sendHeld, settled } from "../testing/World.ts"

describe("laws 3 and 4: a session that is found in another place or with other powers", () => {
  for (const [what, value, tag] of [
    ["mode", "full-access", "PermissionMismatch"],
    ["cwd", "/elsewhere", "DirectoryMismatch"]
  ] as const) {
    it.effect(`${tag}: takes no further turn, though the one that ran ends before the interrupt does`, () =>
      Effect.gen(function* () {
        const { life, upstream } = yield* makeWorld()
        upstream.faults.holdsInterrupt = Deferred.makeUnsafe<void>()
        yield* life(
          Effect.gen(function* () {
            const service = yield* ProviderService
            const id = yield* openThread()
            const held = yield* sendHeld(id)
            const next = yield* service.send(id, { input: "not on that session" })
            upstream.tell(AdapterEvent.Checked({ what, stage: "tool", found: known(value, "hook") }))
            assert.strictEqual((yield* settled(id, held)).error?._tag, tag)
            // What waited is refused with the same reason: its user says whether it is to run now.
            assert.strictEqual((yield* settled(id, next.id)).error?._tag, tag)
            const later = yield* service.send(id, { input: "later" })
            assert.notInclude(
              upstream.asked.map(({ input }) => input),
              "later"
            )
            yield* Deferred.succeed(upstream.faults.holdsInterrupt ?? Deferred.makeUnsafe<void>(), undefined)
            yield* event(id, "session.exited")
            // It runs after another start, which put the powers in force and read them back.
            assert.strictEqual((yield* settled(id, later.id)).status, "completed")
            assert.notInclude(
              upstream.asked.map(({ input }) => input),
              "not on that session"
            )
          })
        )
      })
    )
  }

  it.effect("found between two turns, the next one gets another session", () =>
    Effect.gen(function* () {
      const { life, upstream } = yield* makeWorld()
      yield* life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          upstream.tell(
            AdapterEvent.Checked({ what: "mode", stage: "tool", found: known("full-access", "hook") })
          )
          yield* event(id, "session.exited")
          assert.strictEqual((yield* say(id, "two")).status, "completed")
        })
      )
    })
  )
})
