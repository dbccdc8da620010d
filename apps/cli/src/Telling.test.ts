import { assert, describe, it } from "@effect/vitest"
import { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Schema } from "effect"
import { nothing, tell } from "./Telling.ts"

const decode = Schema.decodeUnknownSync(RuntimeEvent)

const at = "2026-01-01T00:00:00.000Z"

const event = (type: RuntimeEvent["type"], data: unknown, itemId?: string) =>
  decode({
    seq: 1,
    position: 1,
    type,
    threadId: "thr_1",
    turnId: "trn_1",
    ...(itemId && { itemId }),
    generation: 1,
    at,
    data
  })

const item = (id: string, kind: string, rest: object) => ({
  item: { id, turnId: "trn_1", kind, status: "completed", ...rest }
})

/** What these events tell: all of it, as a person reads it, and the answer alone, as a program does. */
const readBoth = (events: ReadonlyArray<RuntimeEvent>, watching = false) => {
  let told = nothing
  let [all, answers] = ["", ""]
  for (const next of events) {
    const [after, { answer, around }] = tell(told, next, watching)
    told = after
    all += `${answer}${around}`
    answers += answer
  }
  return { all, answers }
}

const read = (...events: ReadonlyArray<RuntimeEvent>) => readBoth(events).all

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
    // It goes on where it was, and nothing of it is told twice.
    const warning = event("warning", { message: "slow" })
    assert.strictEqual(read(started, delta("o"), warning, delta("n"), completed), "o\nslow\nne\n")
    assert.strictEqual(readBoth([started, delta("o"), warning, completed]).answers, "o\nne\n")
    const other = message("c", "two")
    assert.strictEqual(
      read(started, delta("on"), other.started, other.delta("tw"), completed, other.completed),
      "on\ntw\ne\no\n"
    )
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
    const begun = event("session.started", { receipt })
    assert.strictEqual(
      read(begun),
      [
        "Began anew: the session is gone. The agent knows nothing of what was said before.",
        "  session    ses_old → ses_new",
        "  directory  /work (read back)",
        "  mode       read-only (not read back)",
        ""
      ].join("\n")
    )
    const { completed } = message("a", "hello")
    // A program reads the answer, and nothing else.
    assert.strictEqual(readBoth([begun, completed]).answers, "hello\n")
    const quiet = { ...receipt, outcome: "adopted", runtimeModeVerified: "read-only" }
    assert.strictEqual(
      read(event("session.started", { receipt: quiet })),
      "Went on in /work (read-only): the session is gone\n"
    )
  })

  it("a command is told when it begins; what it printed, when it is over", () => {
    const command = (status: string, rest: object) =>
      item("b", "command", { status, command: "make", ...rest })
    const started = event("item.started", command("started", {}), "b")
    const done = event("item.completed", command("completed", { exitCode: 2, output: "no rule\n" }), "b")
    assert.strictEqual(read(started), "$ make\n")
    assert.strictEqual(read(started, done), "$ make\n  (exit 2)\n  no rule\n")
  })

  it("who watches is told what others say, and what waits for an answer", () => {
    const said = event("item.completed", item("u", "user-message", { text: "do it" }), "u")
    const ask = { kind: "approval", permission: "bash", title: "touch x", command: "touch x" }
    const request = { id: "req_1", threadId: "thr_1", turnId: "trn_1", openedAt: at, ask }
    const asked = event("request.opened", { request })
    assert.strictEqual(read(said, asked), "")
    assert.strictEqual(
      readBoth([said, asked], true).all,
      "> do it\nThe agent asks: touch x\n  rejoin answer thr_1 accept\n"
    )
  })
})
