import { assert, describe, it } from "@effect/vitest"
import type { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"
import { Schema } from "effect"
import { readFileSync } from "node:fs"
import { Notification } from "./CodexSchema.ts"
import { CodexTranslator } from "./CodexTranslator.ts"

const Ours = Schema.Struct({
  sent: Schema.optional(Schema.NullOr(Schema.String)),
  steered: Schema.optional(Schema.NullOr(Schema.String)),
  text: Schema.String
})
const decode = Schema.decodeUnknownSync(Schema.Union([Notification, Ours]))

/** What the real app-server told of one turn (0.169.0), recorded, with directories renamed; and what it was sent. */
const play = (name: string): ReadonlyArray<AdapterEvent> => {
  const translator = new CodexTranslator("codex", "/home/ada/w1")
  const events = readFileSync(new URL(`./fixtures/${name}.jsonl`, import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => decode(JSON.parse(line)))
    .flatMap((line) => {
      if ("method" in line) return translator.feed(line)
      if (line.steered !== undefined) translator.steer(line.steered ?? "ours", line.text)
      else translator.begin(line.sent ?? "ours", line.text)
      return []
    })
  assert.isFalse(translator.isRunning, "the turn has ended")
  return events
}

const settlement = (events: ReadonlyArray<AdapterEvent>) => {
  const settled = events.filter((event) => event._tag === "TurnSettled")
  assert.lengthOf(settled, 1, "exactly one settlement")
  assert.strictEqual(events.at(-1)?._tag, "TurnSettled", "nothing comes after it")
  return settled[0]
}

const completed = (events: ReadonlyArray<AdapterEvent>) =>
  events.flatMap((event) => (event._tag === "ItemCompleted" ? [event.item] : []))

const kinds = (events: ReadonlyArray<AdapterEvent>) => completed(events).map(({ kind }) => kind)

describe("Codex's notifications as turns, on recordings of the real server", () => {
  it("text: streamed, whole, with its usage", () => {
    const events = play("text")
    assert.deepInclude({ ...settlement(events) }, { status: "completed", output: "echo: hello" })
    const deltas = events.flatMap((event) => (event._tag === "ItemDelta" ? [event.delta] : []))
    assert.strictEqual(deltas.join(""), "echo: hello")
    assert.include(kinds(events), "assistant-message")
    const used = events.filter(({ _tag }) => _tag === "Used")
    assert.isAbove(used.length, 0)
  })

  it("reasoning, a command with its output, a new file", () => {
    assert.include(kinds(play("reasoning")), "reasoning")
    const command = completed(play("command")).find(({ kind }) => kind === "command")
    assert.deepInclude(
      { ...command },
      { command: "echo hi; touch f1; id -u", cwd: "/home/ada/w1", exitCode: 0, output: "hi\n0\n" }
    )
    const change = completed(play("file-change")).find(({ kind }) => kind === "file-change")
    assert.deepEqual(change?.changes, [{ path: "/home/ada/w1/p1.txt", diff: "+hello patch" }])
  })

  it("an interrupt settles what was open: Codex never completes it", () => {
    for (const name of ["interrupt", "interrupt-command"]) {
      const events = play(name)
      assert.strictEqual(settlement(events)?.status, "interrupted")
      const open = new Set<string>()
      for (const event of events) {
        if (event._tag === "ItemStarted") open.add(event.item.id)
        if (event._tag === "ItemCompleted") open.delete(event.item.id)
      }
      assert.strictEqual(open.size, 0, name)
    }
  })

  it("a steer is shown when it is taken, in the running turn", () => {
    const events = play("steer")
    assert.strictEqual(settlement(events)?.status, "completed")
    assert.lengthOf(
      completed(events).filter(({ kind }) => kind === "user-message"),
      2
    )
  })

  it("a model's error is the turn's; one that is tried again is told", () => {
    const bad = settlement(play("bad-request"))
    assert.deepInclude({ ...bad?.error }, { _tag: "ProviderFailed", detail: { info: "other" } })
    const events = play("retries")
    assert.strictEqual(settlement(events)?.status, "failed")
    assert.deepInclude({ ...settlement(events)?.error }, { detail: { info: "internalServerError" } })
    assert.isAbove(events.filter(({ _tag }) => _tag === "Retrying").length, 0)
  })

  it("a command that goes on after its turn is not ended by it", () => {
    const events = play("yielded")
    assert.strictEqual(settlement(events)?.status, "completed")
    assert.notInclude(
      completed(events)
        .filter(({ kind }) => kind === "command")
        .map(({ status }) => status),
      "failed"
    )
  })

  it("usage of a turn that is not ours is not counted: a resume tells the last figures again", () => {
    const translator = new CodexTranslator("codex", "/work")
    const usage = decode({
      method: "thread/tokenUsage/updated",
      params: {
        threadId: "t",
        turnId: "earlier",
        tokenUsage: { last: { inputTokens: 1, outputTokens: 1 } }
      }
    })
    assert.deepEqual("method" in usage ? translator.feed(usage) : [], [])
  })
})
