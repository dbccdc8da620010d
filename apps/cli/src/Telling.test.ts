import { assert, describe, it } from "@effect/vitest"
import { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Schema } from "effect"
import { nothing, tell } from "./Telling.ts"

const decode = Schema.decodeUnknownSync(RuntimeEvent)

const event = (type: RuntimeEvent["type"], data: unknown, itemId?: string) =>
  decode({
    seq: 1,
    position: 1,
    type,
    threadId: "thr_1",
    turnId: "trn_1",
    ...(itemId && { itemId }),
    generation: 1,
    at: "2026-01-01T00:00:00.000Z",
    data
  })

const item = (id: string, kind: string, rest: object) => ({
  item: { id, turnId: "trn_1", kind, status: "completed", ...rest }
})

/** All that a person reads of these events. */
const read = (...events: ReadonlyArray<RuntimeEvent>) => {
  let told = nothing
  let text = ""
  for (const next of events) {
    const [after, more] = tell(told, next)
    told = after
    text += more
  }
  return text
}

const message = (id: string, text: string) => ({
  started: event("item.started", item(id, "assistant-message", { status: "started", text: "" }), id),
  delta: (delta: string) => event("item.updated", { field: "text", delta }, id),
  completed: event("item.completed", item(id, "assistant-message", { text }), id)
})

describe("what a person reads of a turn", () => {
  it("an answer once, whether it came in pieces, at once, or was cut off in the middle and completed later", () => {
    const { completed, delta, started } = message("a", "one two")
    assert.strictEqual(read(started, delta("one "), delta("two"), completed), "one two\n")
    assert.strictEqual(read(completed), "one two\n")
    assert.strictEqual(read(started, delta("one "), completed), "one two\n")
  })

  it("what stands between two answers stands in lines of its own", () => {
    const { completed, delta, started } = message("a", "one")
    const command = event(
      "item.completed",
      item("b", "command", { command: "make test", exitCode: 2, output: "no rule\n" }),
      "b"
    )
    assert.strictEqual(
      read(started, delta("one"), completed, command),
      "one\n$ make test (exit 2)\n  no rule\n"
    )
    assert.strictEqual(read(started, delta("o"), command), "o\n$ make test (exit 2)\n  no rule\n")
  })

  it("reasoning is not told; a failure is, with what to do", () => {
    const thought = event("item.updated", { field: "text", delta: "hm" }, "r")
    const error = { _tag: "UpstreamLost", message: "It is gone.", hint: "Reset it." }
    assert.strictEqual(read(thought, event("turn.failed", { error })), "failed: It is gone.\nReset it.\n")
  })

  it("a start that replaced the conversation says so, and from what to what", () => {
    const receipt = {
      id: "rcp_1",
      threadId: "thr_1",
      generation: 2,
      outcome: "replaced",
      reason: "the session is gone",
      providerSessionIdBefore: "ses_old",
      providerSessionIdAfter: "ses_new",
      cwdRequested: "/work",
      cwdVerified: "/work",
      runtimeModeRequested: "read-only",
      runtimeModeVerified: null,
      checks: [],
      verification: "pending",
      agentVersion: "1.0.0",
      evidence: null,
      at: "2026-01-01T00:00:00.000Z"
    }
    assert.strictEqual(
      read(event("session.started", { receipt })),
      [
        "2026-01-01 00:00:00  replaced: the session is gone",
        "  session    ses_old → ses_new",
        "  directory  /work (read back)",
        "  mode       read-only (not read back)",
        ""
      ].join("\n")
    )
  })
})
