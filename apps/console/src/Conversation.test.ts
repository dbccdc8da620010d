import { assert, describe, it } from "@effect/vitest"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { TurnId } from "@rejoin/contracts/Ids"
import { alarmOf, apply, type Conversation, inOrder, type Note, turningPoints } from "./Conversation.ts"

const empty = (): Conversation => ({
  threadId: "thr_1",
  inherited: [],
  inheritedLast: undefined,
  seq: 0,
  items: [],
  requests: [],
  receipts: [],
  turns: [],
  files: {},
  notices: []
})
const event = (seq: number, type: RuntimeEvent["type"], data: unknown, itemId?: string) =>
  ({
    seq,
    position: seq,
    type,
    threadId: "thr_1",
    turnId: "trn_1",
    generation: 1,
    at: "",
    data,
    ...(itemId && { itemId })
  }) as RuntimeEvent
const item = (status: string, text: string) => ({
  item: { id: "itm_1", turnId: "trn_1", kind: "assistant-message", status, text }
})

const story = [
  event(1, "turn.accepted", { input: "hello" }),
  event(2, "turn.started", { input: "hello" }),
  event(3, "item.started", item("started", "")),
  event(4, "item.updated", { field: "text", delta: "Hel" }, "itm_1"),
  event(5, "item.updated", { field: "text", delta: "lo" }, "itm_1"),
  event(6, "item.completed", item("completed", "Hello")),
  event(7, "turn.completed", { output: "Hello" })
]

describe("a conversation as the page shows it", () => {
  it("streams: text grows, the turn waits, runs and is over", () => {
    const shown = empty()
    const seen = story.map((event) => {
      apply(shown, event)
      return [shown.items[0]?.text, shown.turns[0]?.state]
    })
    assert.deepEqual(seen, [
      [undefined, "waiting"],
      [undefined, "running"],
      ["", "running"],
      ["Hel", "running"],
      ["Hello", "running"],
      ["Hello", "running"],
      ["Hello", undefined]
    ])
  })

  it("whatever is told twice, or told that is in it already, changes nothing", () => {
    const shown = empty()
    for (const event of story) for (const told of [event, ...story.slice(0, event.seq)]) apply(shown, told)
    const once = empty()
    for (const event of story) apply(once, event)
    assert.deepEqual(shown, once)
  })

  it("how a turn ended stands after its items and before those of later turns", () => {
    const [a, b] = [{ turnId: TurnId.make("trn_1") }, { turnId: TurnId.make("trn_3") }] as const
    const ended = (id: string): Note => ({ id, state: "failed", input: "", error: undefined })
    const [one, two, four] = [ended("trn_1"), ended("trn_2"), ended("trn_4")] as const
    assert.deepEqual(inOrder([a, a, b], [four, two, one]), [a, a, one, two, b, four])
    // What waits is last, in the order in which it is sent.
    const [sixth, fifth]: ReadonlyArray<Note> = ["trn_6", "trn_5"].map((id) => ({
      id,
      state: "waiting",
      input: ""
    }))
    if (sixth === undefined || fifth === undefined) return assert.fail()
    assert.deepEqual(inOrder([a, b], [sixth, fifth, four]), [a, b, four, sixth, fifth])
  })

  it("U1: what waits for a time comes last, is queued when that is there, and stands where it was said", () => {
    const shown = empty()
    const notBefore = "2026-06-01T12:00:00.000Z"
    const of = (turnId: string, told: RuntimeEvent) => ({ ...told, turnId: TurnId.make(turnId) })
    apply(shown, of("trn_1", event(1, "turn.accepted", { input: "later", notBefore })))
    apply(shown, of("trn_2", event(2, "turn.accepted", { input: "queued" })))
    const waiting = () =>
      inOrder([], shown.turns).map((note) =>
        "input" in note ? [note.input, "until" in note && note.until] : []
      )
    assert.deepEqual(waiting(), [
      ["queued", undefined],
      ["later", notBefore]
    ])
    apply(
      shown,
      of("trn_1", event(3, "turn.updated", { input: "later", attachments: [], status: "accepted" }))
    )
    assert.deepEqual(waiting(), [
      ["later", undefined],
      ["queued", undefined]
    ])
    // It was begun before the other one, and said after it.
    const items = [{ turnId: TurnId.make("trn_2") }, { turnId: TurnId.make("trn_1") }]
    const failed: Note = { id: "trn_1", state: "failed", input: "later", error: undefined }
    assert.deepEqual(inOrder(items, [failed]), [...items, failed])
  })

  it("law 1: where a start changed the conversation stands before what was said after it, for good", () => {
    const [a, b] = [{ turnId: TurnId.make("trn_1") }, { turnId: TurnId.make("trn_3") }] as const
    const receipt = (id: string, outcome: string, turnId?: string) =>
      ({ id, outcome, ...(turnId && { turnId }) }) as never
    const receipts = [
      receipt("rcp_4", "adopted"),
      receipt("rcp_3", "replaced", "trn_3"),
      receipt("rcp_2", "moved")
    ]
    const turning = turningPoints(receipts)
    const [replaced, moved] = [turning[0] as Note, turning[1] as Note]
    assert.deepEqual(inOrder([a, a, b], turning), [a, a, moved, replaced, b])
  })

  it("what went wrong with a start is told until a turn has gone well, with what helps", () => {
    const refused = (tag: string) => ({ outcome: "refused", error: { _tag: tag, message: "" } }) as never
    const failed = (tag: string) =>
      ({ status: "error", session: { state: "error" }, lastError: { _tag: tag, message: "" } }) as const
    const well = { status: "done", session: { state: "ready" } } as const
    const remedyOf = (tag: string) => {
      const alarm = alarmOf(failed(tag), [refused(tag)])
      return alarm?.kind === "refused" ? alarm.remedy : alarm
    }
    assert.strictEqual(remedyOf("UpstreamLost"), "reset")
    assert.strictEqual(remedyOf("CwdUnavailable"), "move")
    assert.strictEqual(remedyOf("HistoryMismatch"), "accept")
    assert.strictEqual(remedyOf("WrongStore"), "reset")
    const held = { ...failed("WrongStore"), transcript: { bytes: 1, upToTurnId: null, at: "" } } as never
    assert.deepInclude(alarmOf(held, [refused("WrongStore")]), { remedy: "restore" })
    const moved = { ...well, session: { state: "stopped", moved: { at: "", to: "there" } } } as never
    assert.strictEqual(alarmOf(moved, [])?.kind, "moved")
    assert.isUndefined(remedyOf("ProbeInconclusive"))
    // A live session goes on without a receipt: the refusal is the last one still.
    assert.isUndefined(alarmOf(well, [refused("CwdUnavailable")]))
    assert.isUndefined(alarmOf(failed("ProviderFailed"), [refused("CwdUnavailable")]))
    // That it began anew is told until the next start; a mode that is switched meanwhile is none.
    const start = (outcome: string, generation: number) => ({ outcome, generation }) as never
    assert.strictEqual(alarmOf(well, [start("adopted", 2), start("replaced", 2)])?.kind, "replaced")
    assert.isUndefined(alarmOf(well, [start("adopted", 3), start("replaced", 2)]))
    const toReset = { ...well, session: { state: "ready", startsAnew: true } } as const
    assert.strictEqual(alarmOf(toReset, [])?.kind, "reset")
  })

  it("what was undone elsewhere is marked, where it stands and where the conversation went on", () => {
    const shown = empty()
    const item = { id: "itm_1", turnId: "trn_1", kind: "user-message", status: "completed", text: "hello" }
    apply(shown, event(1, "item.completed", { item }))
    apply(shown, event(2, "thread.updated", { undone: ["trn_1"] }))
    assert.isTrue(shown.items[0]?.undone)
    const start = { id: "rcp_2", outcome: "adopted", undone: 1 } as never
    assert.lengthOf(turningPoints([start]), 1)
  })

  it("a turn that failed stays with its words; what is no event of ours is passed over", () => {
    const shown = empty()
    apply(shown, event(1, "turn.accepted", { input: "hello" }))
    const error = { _tag: "UpstreamLost", message: "It is gone.", hint: "Reset." }
    apply(shown, event(2, "turn.failed", { output: "", error }))
    assert.deepEqual(shown.turns, [{ id: "trn_1", state: "failed", input: "hello", error }])
    apply(shown, event(3, "item.started", { item: 1 }))
    apply(shown, event(4, "request.opened", null))
    assert.deepEqual([shown.items, shown.requests, shown.seq], [[], [], 4])
  })
})
