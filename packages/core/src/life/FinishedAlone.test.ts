import { assert, describe, it } from "@effect/vitest"
import { ItemId, MessageId, TurnId } from "@rejoin/contracts/Ids"
import type { Item } from "@rejoin/contracts/Item"
import { Timestamp } from "@rejoin/contracts/Time"
import type { AdapterItem } from "../providers/AdapterEvent.ts"
import type { Past } from "../providers/OwnSessions.ts"
import { finishedIn, missedItems } from "./FinishedAlone.ts"

const at = Timestamp.make("2026-01-01T00:00:00.000Z")
const turnId = TurnId.make("trn_1")

const item = (id: string, change: Partial<AdapterItem>): AdapterItem => ({
  id: ItemId.make(id),
  kind: "assistant-message",
  status: "completed",
  ...change
})
const ours = (id: string, change: Partial<Item>): Item => ({ ...item(id, change), turnId })

const past = (id: string, text: string, ended?: boolean): Past => ({
  messageId: MessageId.make(id),
  input: id,
  at,
  items: [item(`${id}-1`, { text })],
  ...(ended !== undefined && { ended })
})

const steer = (id: string) => ({ input: id, at, messageId: MessageId.make(id), idempotencyKey: null })
const turn = (...steers: ReadonlyArray<string>) => ({
  messageId: MessageId.make("two"),
  steers: steers.map(steer)
})

const texts = (items: ReadonlyArray<AdapterItem> | undefined) => items?.map(({ text }) => text)

describe("U2: what an agent finished alone", () => {
  it("is what came of the turn's message, and of what was steered into it; nothing of others", () => {
    const history = [
      past("one", "1", true),
      past("two", "2"),
      past("steered", "3", true),
      past("four", "4", true)
    ]
    assert.deepEqual(texts(finishedIn(history, turn("steered"))), ["2", "3"])
    assert.isUndefined(finishedIn(history, turn()), "its own answer has not ended")
    assert.deepEqual(texts(finishedIn(history.slice(0, 3), turn("steered"))), ["2", "3"])
  })

  it("is nothing where its record does not have the message, or does not tell that it ended", () => {
    assert.isUndefined(finishedIn([past("one", "1", true)], turn()))
    assert.isUndefined(finishedIn([past("one", "1", true), past("two", "2", false)], turn()))
    assert.isUndefined(finishedIn([past("two", "2")], turn()))
    assert.isUndefined(finishedIn([past("one", "1", true)], { messageId: null, steers: [] }))
  })

  it("is nothing where the last thing that it did failed: we may have been missing", () => {
    const work = (status: "completed" | "failed"): Past => ({
      ...past("two", "The user does not want this.", true),
      items: [
        item("a", { kind: "command", status: "failed", command: "false" }),
        item("b", { kind: "file-change", status }),
        item("c", { text: "an end" })
      ]
    })
    assert.isUndefined(finishedIn([work("failed")], turn()))
    assert.lengthOf(finishedIn([work("completed")], turn()) ?? [], 3)
  })

  it("is written over what had begun here, by its id or by how it begins, and twice nowhere", () => {
    const known = [
      ours("said", { kind: "user-message", text: "two" }),
      ours("a", { text: "whole" }),
      ours("b", { kind: "command", status: "failed", command: "ls", output: "" }),
      ours("c", { status: "failed", text: "half of" })
    ]
    const theirs = [
      item("x", { text: "whole" }),
      item("b", { kind: "command", command: "ls", output: "README.md" }),
      item("y", { text: "half of it" }),
      item("z", { text: "the end" })
    ]
    assert.deepEqual(
      missedItems(known, theirs, turnId).map(({ id, output, status, text }) => [
        String(id),
        status,
        text ?? output
      ]),
      [
        ["b", "completed", "README.md"],
        ["c", "completed", "half of it"],
        ["z", "completed", "the end"]
      ]
    )
  })
})
