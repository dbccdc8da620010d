import { assert, describe, it } from "@effect/vitest"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { disturbed, json, mutated, recordingsIn } from "@rejoin/testkit/Mutated"
import { Option, Predicate, Result, Schema } from "effect"
import fc from "fast-check"
import { decodeCursor } from "./AcpCursor.ts"
import { verdictOf } from "./AcpGate.ts"
import { Notified, Permission } from "./AcpSchema.ts"
import { AcpTranslator } from "./AcpTranslator.ts"
import { measured } from "./profiles/Profiles.ts"
import { unknownAgent } from "./profiles/Unknown.ts"

const decodeNotified = Schema.decodeUnknownResult(Notified)
const decodePermission = Schema.decodeUnknownResult(Permission)
const recordings = recordingsIn(new URL("./fixtures/", import.meta.url))
const profiles = [...measured, unknownAgent("another")]

const paramsOf = (line: unknown): unknown => (Predicate.hasProperty(line, "params") ? line.params : undefined)

describe("whatever an agent of the protocol or a database says", () => {
  it("C6: what is no cursor is none, and nothing throws", () => {
    const cursor = {
      v: 1,
      driver: "acp",
      agent: "qwen-code",
      providerSessionId: "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000",
      storeId: "store",
      cwd: "/home/ada",
      last: { messageId: "msg_1", recordId: null, hash: "h", before: 0 }
    }
    assert.isTrue(Option.isSome(decodeCursor(cursor)))
    fc.assert(
      fc.property(fc.oneof(json, mutated(cursor)), (stored) => {
        const decoded = decodeCursor(stored)
        if (Option.isSome(decoded)) assert.match(decoded.value.providerSessionId, /^[A-Za-z0-9][\w.:-]*$/)
      })
    )
  })

  it("A5: what is not as it should be is passed over; each item that begins ends, once, in the order in which it came", () => {
    fc.assert(
      fc.property(disturbed(recordings), fc.constantFrom(...profiles), (lines, profile) => {
        const translator = new AcpTranslator(profile, "/home/ada/repo")
        translator.begin("ours")
        const events = lines.flatMap((line) => {
          const told = decodeNotified(paramsOf(line))
          return Result.isSuccess(told) ? translator.feed(told.success.update) : []
        })
        events.push(...translator.end())
        const begun: Array<string> = []
        const ended: Array<string> = []
        for (const event of events) {
          if (event._tag === "ItemStarted") begun.push(event.item.id)
          if (event._tag === "ItemCompleted") ended.push(event.item.id)
        }
        assert.deepEqual([...begun].sort(), [...ended].sort())
        assert.strictEqual(new Set(begun).size, begun.length)
      }),
      { numRuns: 100, seed: 1 }
    )
  })

  it("A6, law 4: whatever is asked, nothing is allowed for good, and nothing below full access that is not its user's or an edit inside", () => {
    fc.assert(
      fc.property(
        disturbed(recordings),
        fc.constantFrom(...profiles),
        fc.constantFrom(...RuntimeMode.literals),
        (lines, profile, mode) => {
          const powers = profile.modes[mode]
          if (powers === undefined) return
          for (const line of lines) {
            const asked = decodePermission(paramsOf(line))
            if (Result.isFailure(asked)) continue
            const verdict = verdictOf(profile, powers, asked.success, ["/home/ada/repo"])
            if (verdict._tag === "Ask") {
              // A question is one whatever is allowed.
              if (verdict.ask.kind === "approval") assert.notStrictEqual(mode, "full-access")
              continue
            }
            const { outcome } = verdict.result as { readonly outcome: { readonly optionId?: string } }
            const chosen = asked.success.options.find(({ optionId }) => optionId === outcome.optionId)
            assert.notInclude(["allow_always", "reject_always"], chosen?.kind)
            const isAllowed = chosen !== undefined && chosen.kind !== "reject_once"
            if (mode === "read-only") assert.isFalse(isAllowed)
            if (mode === "auto-accept-edits" && isAllowed)
              assert.strictEqual(asked.success.toolCall.kind, "edit")
            if (isAllowed) assert.notStrictEqual(asked.success.toolCall.kind, "switch_mode")
          }
        }
      ),
      { numRuns: 100, seed: 1 }
    )
  })
})
