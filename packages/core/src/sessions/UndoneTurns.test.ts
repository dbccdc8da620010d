import { assert, describe, it } from "@effect/vitest"
import { MessageId } from "@rejoin/contracts/Ids"
import { Effect } from "effect"
import type { TurnRecord } from "../store/Records.ts"
import { findLeft } from "./UndoneTurns.ts"

const turn = (name: string, status: TurnRecord["status"] = "completed", undone?: boolean) =>
  ({ id: name, messageId: MessageId.make(name), status, ...(undone && { undone }) }) as unknown as TurnRecord

const left = (turns: ReadonlyArray<TurnRecord>, there: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    let asked = 0
    const found = yield* findLeft(turns, (mark) =>
      Effect.sync(() => {
        asked++
        return there.includes(mark)
      })
    )
    return {
      mark: found.mark === null ? null : String(found.mark),
      undone: found.undone.map(({ id }) => String(id)),
      asked
    }
  })

describe("N1: what is left of our turns, after somebody undid the end of them", () => {
  it.effect("the last one that is there, and those that are not", () =>
    Effect.gen(function* () {
      const turns = ["a", "b", "c", "d"].map((name) => turn(name))
      for (let kept = 0; kept <= 4; kept++) {
        const names = ["a", "b", "c", "d"].slice(0, kept)
        const { mark, undone } = yield* left(turns, names)
        assert.strictEqual(mark, names.at(-1) ?? null)
        assert.deepEqual([...names, ...undone], ["a", "b", "c", "d"])
      }
    })
  )

  it.effect("a turn that failed may have arrived or not; what was undone before is asked about no more", () =>
    Effect.gen(function* () {
      const turns = [
        turn("a"),
        turn("gone", "completed", true),
        turn("b"),
        turn("lost", "failed"),
        turn("cut", "interrupted"),
        turn("never", "failed"),
        turn("c")
      ]
      assert.deepInclude(yield* left(turns, ["a", "b", "cut"]), { mark: "cut", undone: ["never", "c"] })
      assert.deepInclude(yield* left(turns, ["a", "b"]), { mark: "b", undone: ["lost", "cut", "never", "c"] })
      assert.deepInclude(yield* left([turn("lost", "failed")], []), { mark: null, undone: ["lost"] })
      assert.deepInclude(yield* left([], []), { mark: null, undone: [] })
    })
  )

  it.effect("of thousands only a few are asked about", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 4000 }, (_, at) => `m${at}`)
      const { asked, mark } = yield* left(
        names.map((name) => turn(name)),
        names.slice(0, 3990)
      )
      assert.strictEqual(mark, "m3989")
      assert.isBelow(asked, 20)
    })
  )
})
