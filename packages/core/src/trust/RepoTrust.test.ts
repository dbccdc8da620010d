import { assert, describe, it } from "@effect/vitest"
import type { Brought } from "@rejoin/contracts/Trust"
import { Effect } from "effect"
import { event, failureOf, makeWorld, memory, openThread, say } from "../testing/World.ts"
import { Threads } from "../threads/Threads.ts"
import { Loading, loadingOf } from "./Loading.ts"
import { RepoTrust } from "./RepoTrust.ts"

const hooks = (hash: string): Brought => ({ agent: "memory", file: "/work/.agent", what: "hooks", hash })
const trustedAt = "2026-01-01T00:00:00.000Z" as never

describe("law 4: what a directory brings is loaded only where just that was trusted", () => {
  const place = (found: ReadonlyArray<Brought>, trusted?: ReadonlyArray<Brought>) => ({
    path: "/work",
    found,
    trusted: trusted && { path: "/work", found: trusted, trustedAt }
  })

  it("by a table", () => {
    const cases = [
      ["nothing is there", [place([])], "Nothing"],
      ["never asked", [place([hooks("1")])], "KeptOut"],
      ["trusted", [place([hooks("1")], [hooks("1")])], "Trusted"],
      ["trusted, and more is there now", [place([hooks("1"), hooks("2")], [hooks("1")])], "KeptOut"],
      ["trusted, and less is there now", [place([hooks("1")], [hooks("1"), hooks("2")])], "Trusted"],
      ["trusted, and changed", [place([hooks("2")], [hooks("1")])], "KeptOut"],
      ["what cannot be read", [place([hooks("")], [hooks("")])], "KeptOut"],
      ["one of two directories", [place([hooks("1")], [hooks("1")]), place([hooks("2")])], "KeptOut"]
    ] as const
    for (const [name, places, tag] of cases) {
      assert.strictEqual(loadingOf(places, () => true)._tag, tag, name)
      // An agent that cannot be kept out is refused instead.
      assert.strictEqual(loadingOf(places, () => false)._tag, tag === "KeptOut" ? "Refused" : tag, name)
    }
    const keys = ["1", "2"].map((hash) => loadingOf([place([hooks(hash)], [hooks(hash)])], () => true))
    assert.notDeepEqual(keys[0], keys[1])
    assert.isTrue(keys.every(Loading.$is("Trusted")))
  })

  it.effect("an agent that can be kept out works, and what was kept out is told", () =>
    Effect.gen(function* () {
      const { life, upstream } = yield* makeWorld()
      upstream.brings.set("/work", [hooks("1")])
      yield* life(
        Effect.gen(function* () {
          const id = yield* openThread()
          assert.strictEqual((yield* say(id, "one")).status, "completed")
          const told = yield* event(id, "warning")
          assert.include(JSON.stringify(told.data), "/work/.agent (hooks)")
          assert.deepEqual(
            [...upstream.sessions.values()].map(({ loaded }) => loaded),
            [null]
          )
        })
      )
    })
  )

  it.effect("trusted from the next turn on, in the same session; a change of it and a revocation too", () =>
    Effect.gen(function* () {
      const { life, upstream } = yield* makeWorld()
      upstream.brings.set("/work", [hooks("1")])
      const id = yield* life(
        Effect.gen(function* () {
          const trust = yield* RepoTrust
          const id = yield* openThread()
          const loaded = () => [...upstream.sessions.values()].map(({ loaded }) => loaded)
          yield* say(id, "one")
          yield* trust.grant("/work", ["1"])
          yield* say(id, "two")
          const [first] = loaded()
          assert.isString(first)
          // Somebody pulled: it is asked about again.
          upstream.brings.set("/work", [hooks("2")])
          yield* say(id, "three")
          assert.deepEqual(loaded(), [null])
          assert.isFalse((yield* trust.look("/work")).trusted)
          yield* trust.grant("/work")
          yield* say(id, "four")
          assert.notStrictEqual(loaded()[0], first)
          yield* trust.revoke("/work")
          const last = yield* say(id, "five")
          assert.deepEqual(loaded(), [null])
          // One conversation, all the while (law 1).
          assert.include(last.output, "one")
          yield* trust.grant("/work")
          return id
        })
      )
      // It is kept over a restart.
      yield* life(
        Effect.gen(function* () {
          yield* say(id, "six")
          assert.isString([...upstream.sessions.values()][0]?.loaded)
          const trust = yield* RepoTrust
          assert.deepEqual(
            (yield* trust.list).map(({ path }) => path),
            ["/work"]
          )
        })
      )
    })
  )

  it.effect("an agent that cannot be kept out is refused until then, before anything of it starts", () =>
    Effect.gen(function* () {
      const { life, upstream } = yield* makeWorld()
      upstream.keepsOut = false
      upstream.brings.set("/work", [hooks("1")])
      yield* life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const turn = yield* say(id, "one")
          assert.strictEqual(turn.error?._tag, "DirectoryNotTrusted")
          assert.strictEqual(upstream.sessions.size, 0)
          const trust = yield* RepoTrust
          yield* trust.grant("/work")
          assert.strictEqual((yield* say(id, "two")).status, "completed")
        })
      )
    })
  )

  it.effect("directories beside the thread's own count as it does", () =>
    Effect.gen(function* () {
      const { life, upstream } = yield* makeWorld()
      upstream.keepsOut = false
      upstream.brings.set("/beside", [hooks("1")])
      yield* life(
        Effect.gen(function* () {
          const threads = yield* Threads
          const { thread } = yield* threads.create({
            provider: memory,
            cwd: "/work",
            additionalDirectories: ["/beside"]
          })
          assert.strictEqual((yield* say(thread.id, "one")).error?._tag, "DirectoryNotTrusted")
        })
      )
    })
  )

  it.effect("what changed since it was shown is not trusted", () =>
    Effect.gen(function* () {
      const { life, upstream } = yield* makeWorld()
      upstream.brings.set("/work", [hooks("2")])
      yield* life(
        Effect.gen(function* () {
          const trust = yield* RepoTrust
          const refused = failureOf(yield* Effect.exit(trust.grant("/work", ["1"])))
          assert.strictEqual(refused?._tag, "DirectoryNotTrusted")
          assert.deepEqual(yield* trust.list, [])
        })
      )
    })
  )
})
