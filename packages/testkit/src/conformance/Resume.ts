import { assert } from "@effect/vitest"
import { MessageId } from "@rejoin/contracts/Ids"
import { ProviderService } from "@rejoin/core/ProviderService"
import { Effect, Option } from "effect"
import { type Lives, makeLives, say } from "./Lives.ts"
import type { Suite } from "./Suite.ts"

type Options = Parameters<Lives["life"]>[1]

const told = (lives: Lives, options?: Options) =>
  lives.life(() => Effect.tap(lives.open(), (id) => say(id, "my name is Ada")), options)

/** Nothing is held by us. */
const without = { settings: { transcripts: { keep: false, maxBytes: 0 } } }

const sessionOf = (lives: Lives, id: Parameters<typeof say>[0]) =>
  Effect.map(lives.binding(id), ({ providerSessionId }) => {
    if (providerSessionId === null) throw new Error("the thread has no session")
    return providerSessionId
  })

/** Whether a conversation is found again, and what becomes of it where it is not. */
export const resume: Suite = (test) => {
  test("C1, C2, C3, C4, C22, C28: the next life adopts the stored session with its history", (lives) =>
    Effect.gen(function* () {
      const id = yield* told(lives)
      const before = yield* sessionOf(lives, id)
      const turn = yield* lives.life((adapter) =>
        Effect.gen(function* () {
          lives.note("version", (yield* adapter.info).version ?? "unknown")
          return yield* say(id, "who am I")
        })
      )
      assert.strictEqual(turn.output, "my name is Ada | who am I")
      const receipt = yield* lives.receipt(id)
      assert.strictEqual(receipt.outcome, "adopted")
      assert.strictEqual(receipt.providerSessionIdAfter, before)
      const { places, placeless } = lives.harness
      assert.strictEqual(receipt.cwdVerified, placeless === true ? null : places.repo)
      assert.strictEqual(receipt.runtimeModeVerified, "full-access")
      assert.strictEqual((yield* lives.binding(id)).prior, "some")
    }))

  test("C3, C6, C23: what is no cursor of this driver and version is none; blanks around an id are trimmed", (lives) =>
    Effect.gen(function* () {
      const id = yield* told(lives)
      const { cursor } = yield* lives.binding(id)
      yield* lives.life((adapter) =>
        Effect.sync(() => {
          const own = cursor as Readonly<Record<string, unknown>>
          const foreign: ReadonlyArray<unknown> = [
            null,
            undefined,
            [],
            {},
            "",
            1,
            { ...own, v: 2 },
            { ...own, driver: "another" },
            { ...own, providerSessionId: "" },
            { ...own, providerSessionId: "  " },
            { ...own, providerSessionId: "--last" },
            { ...own, providerSessionId: "../../etc/passwd" },
            { ...own, providerSessionId: 7 },
            { ...own, storeId: undefined }
          ]
          for (const stored of foreign) {
            assert.isTrue(Option.isNone(adapter.decodeCursor(stored)), JSON.stringify(stored))
          }
          const decoded = Option.getOrThrow(adapter.decodeCursor(cursor))
          assert.deepEqual(adapter.encodeCursor(decoded), cursor)
          const blanks = { ...own, providerSessionId: ` ${decoded.providerSessionId} ` }
          const trimmed = Option.getOrThrow(adapter.decodeCursor(blanks))
          assert.strictEqual(trimmed.providerSessionId, decoded.providerSessionId)
        })
      )
    }))

  test("C5, C32, N3: a session that is gone is replaced visibly, and the old cursor is kept", (lives) =>
    Effect.gen(function* () {
      const id = yield* told(lives, without)
      const lost = yield* sessionOf(lives, id)
      yield* lives.harness.faults.lose(lost)
      const turn = yield* lives.life(() => say(id, "who am I"), without)
      assert.strictEqual(turn.output, "who am I")
      const receipt = yield* lives.receipt(id)
      assert.strictEqual(receipt.outcome, "replaced")
      lives.note("lost session", "told")
      assert.strictEqual(receipt.providerSessionIdBefore, lost)
      const [entry] = yield* lives.store.listLineage(id)
      assert.strictEqual(entry?.providerSessionId, lost)
    }))

  test("N2, W2 to W6, W14, S9: a session that is gone comes back from our copy, with all that was said and its powers", (lives) =>
    Effect.gen(function* () {
      const { harness } = lives
      const id = yield* lives.life((adapter) =>
        Effect.gen(function* () {
          const { restore } = yield* adapter.capabilities
          // Those that cannot are replaced, visibly: above.
          if (!restore) return undefined
          const id = yield* lives.open({ runtimeMode: "auto-accept-edits" })
          yield* say(id, "my name is Ada")
          yield* say(id, "and my number is 7")
          return id
        })
      )
      if (id === undefined) return
      const lost = yield* sessionOf(lives, id)
      yield* harness.faults.lose(lost)
      const turn = yield* lives.life(() => say(id, "who am I"))
      assert.strictEqual(turn.output, "my name is Ada | and my number is 7 | who am I")
      const receipt = yield* lives.receipt(id)
      assert.deepInclude(
        { ...receipt },
        {
          outcome: "rehydrated",
          providerSessionIdBefore: lost,
          providerSessionIdAfter: lost,
          runtimeModeRequested: "auto-accept-edits"
        }
      )
      assert.isTrue(receipt.restored?.whole)
      // It is one like any other from then on, and lost again it comes back with what was said since.
      assert.include((yield* lives.life(() => say(id, "two"))).output, "who am I | two")
      yield* harness.faults.lose(lost)
      assert.include((yield* lives.life(() => say(id, "three"))).output, "who am I | two | three")
      assert.strictEqual((yield* lives.receipt(id)).outcome, "rehydrated")
      // Into another store only where its user says so; both stand in the receipt.
      const { elsewhere } = harness
      if (elsewhere === undefined) return
      const { storeId: expected } = yield* lives.binding(id)
      yield* lives.life(
        () =>
          Effect.gen(function* () {
            assert.strictEqual((yield* say(id, "four")).error?._tag, "WrongStore")
            const service = yield* ProviderService
            const { evidence, outcome } = yield* service
              .restore(id)
              .pipe(Effect.retry({ while: ({ _tag }) => _tag === "StartInProgress" }))
            assert.strictEqual(outcome, "rehydrated")
            const { storeId: actual } = yield* lives.binding(id)
            assert.notStrictEqual(actual, expected)
            assert.include(JSON.stringify(evidence), expected ?? "none")
            assert.include(JSON.stringify(evidence), '"actual"')
            assert.include((yield* say(id, "five")).output, "two | three | five")
          }),
        { adapter: elsewhere }
      )
    }))

  test("law 2: where the operator wants it, a session that is gone is refused, and nothing is created", (lives) =>
    Effect.gen(function* () {
      const id = yield* told(lives, without)
      yield* lives.harness.faults.lose(yield* sessionOf(lives, id))
      const before = yield* lives.harness.sessions
      const turn = yield* lives.life(() => say(id, "who am I"), {
        settings: { ...without.settings, onLost: "refuse" }
      })
      assert.strictEqual(turn.error?._tag, "UpstreamLost")
      assert.strictEqual((yield* lives.receipt(id)).outcome, "refused")
      assert.deepEqual(yield* lives.harness.sessions, before)
    }))

  test("C7, C8, C9, C33: another store, an agent that is away, a record that cannot be read: nothing is created", (lives) =>
    Effect.gen(function* () {
      const { elsewhere, faults, sessions, unreachable } = lives.harness
      const id = yield* told(lives)
      const before = yield* sessions
      if (elsewhere !== undefined) {
        const turn = yield* lives.life(() => say(id, "who am I"), { adapter: elsewhere })
        assert.strictEqual(turn.error?._tag, "WrongStore")
      }
      if (unreachable !== undefined) {
        const turn = yield* lives.life(() => say(id, "who am I"), { adapter: unreachable })
        assert.include(["ProviderUnavailable", "ProviderFailed"], turn.error?._tag)
      }
      // What was refused has lost nothing.
      assert.strictEqual((yield* lives.life(() => say(id, "two"))).output, "my name is Ada | two")
      if (faults.corrupt !== undefined) {
        yield* faults.corrupt(yield* sessionOf(lives, id))
        const turn = yield* lives.life(() => say(id, "three"))
        assert.strictEqual(turn.error?._tag, "UpstreamCorrupt")
      }
      assert.deepEqual(yield* sessions, before)
    }))

  test("N1: an upstream that does not hold our last message is refused; reset starts anew, visibly (T5, T6)", (lives) =>
    Effect.gen(function* () {
      const id = yield* told(lives)
      const old = yield* sessionOf(lives, id)
      const binding = yield* lives.binding(id)
      const mark = binding.mark
      yield* lives.life((adapter) =>
        Effect.gen(function* () {
          const foreign = yield* adapter.newMessageId
          yield* lives.store.saveBinding({ ...binding, mark: foreign })
          const turn = yield* say(id, "who am I")
          assert.strictEqual(turn.error?._tag, "HistoryMismatch")
          const service = yield* ProviderService
          yield* service.reset(id)
          assert.strictEqual((yield* say(id, "anew")).output, "anew")
        })
      )
      assert.isNotNull(mark)
      const receipt = yield* lives.receipt(id)
      assert.strictEqual(receipt.outcome, "replaced")
      assert.notStrictEqual(yield* sessionOf(lives, id), old)
      assert.strictEqual((yield* lives.life(() => say(id, "again"))).output, "anew | again")
    }))

  test("law 5, N1: what another one of our servers says in the same session is taken in, or it is kept out; never passed over", (lives) =>
    Effect.gen(function* () {
      const { rival } = lives.harness
      if (rival === undefined) return
      const others = yield* makeLives(lives.harness)
      yield* lives.life(() =>
        Effect.gen(function* () {
          const id = yield* lives.open()
          yield* say(id, "one")
          const binding = yield* lives.binding(id)
          const theirs = yield* others.life(
            () =>
              Effect.gen(function* () {
                const id = yield* others.open()
                const { generation, status } = yield* others.binding(id)
                yield* others.store.saveBinding({ ...binding, threadId: id, generation, status })
                return yield* say(id, "meanwhile")
              }),
            { adapter: rival }
          )
          const ours = yield* say(id, "two")
          if (theirs.status === "completed") assert.strictEqual(theirs.output, "one | meanwhile")
          else assert.strictEqual(theirs.error?._tag, "SessionHeldElsewhere")
          if (ours.status === "completed")
            assert.strictEqual(
              ours.output,
              theirs.status === "completed" ? "one | meanwhile | two" : "one | two"
            )
          else assert.include(["HistoryMismatch", "SessionHeldElsewhere"], ours.error?._tag)
          lives.note(
            "two writers",
            theirs.status !== "completed"
              ? "one at a time"
              : ours.status === "completed"
                ? "taken in"
                : "refused"
          )
        })
      )
    }))

  test("law 6: whether a message of ours reached the upstream is told from its own record", (lives) =>
    Effect.gen(function* () {
      const id = yield* told(lives)
      const { cursor, mark } = yield* lives.binding(id)
      yield* lives.life((adapter) =>
        Effect.gen(function* () {
          const own = Option.getOrThrow(adapter.decodeCursor(cursor))
          const of = { extraEnv: {}, additionalDirectories: [], loads: null }
          assert.strictEqual(yield* adapter.delivered(own, mark ?? MessageId.make(""), of), "arrived")
          const never = yield* adapter.newMessageId
          const unproved = lives.harness.writesLate === true ? "unknown" : "absent"
          assert.strictEqual(yield* adapter.delivered(own, never, of), unproved)
          lives.note("absence of a message", unproved === "absent" ? "provable" : "not provable")
        })
      )
    }))
}
