import { assert, describe, it } from "@effect/vitest"
import type { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"
import { Result, Schema } from "effect"
import { readFileSync } from "node:fs"
import { BusEvent } from "./OpenCodeSchema.ts"
import { OpenCodeTranslator } from "./OpenCodeTranslator.ts"

const decode = Schema.decodeUnknownResult(BusEvent)

/** What the real server told of one turn (1.18.33), recorded, with directories renamed. */
const recorded = (name: string): ReadonlyArray<BusEvent> =>
  readFileSync(new URL(`./fixtures/${name}.jsonl`, import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => Result.getOrThrow(decode(JSON.parse(line))))

const ofUser = (event: BusEvent) =>
  event.type === "message.updated" && event.properties.info.role === "user"
    ? event.properties.info.id
    : undefined

/** Feeds a recording as a turn of ours; `interruptAt` is the moment at which we ask for its end. */
const play = (name: string, interrupt = false): ReadonlyArray<AdapterEvent> => {
  const events = recorded(name)
  const translator = new OpenCodeTranslator("opencode")
  translator.begin(events.map(ofUser).find((id) => id !== undefined) ?? "")
  const told = events.flatMap((event) => {
    if (interrupt && event.type === "session.error") translator.interrupting()
    return translator.feed(event)
  })
  assert.isFalse(translator.isRunning, "the turn has ended")
  return told
}

const settlement = (events: ReadonlyArray<AdapterEvent>) => {
  const settled = events.filter((event) => event._tag === "TurnSettled")
  assert.lengthOf(settled, 1, "exactly one settlement")
  assert.strictEqual(events.at(-1)?._tag, "TurnSettled", "nothing comes after it")
  return settled[0]
}

const completed = (events: ReadonlyArray<AdapterEvent>) =>
  events.flatMap((event) => (event._tag === "ItemCompleted" ? [event.item] : []))

describe("OpenCode's events as turns, on recordings of the real server", () => {
  it("text: streamed, whole, with its usage", () => {
    const events = play("text")
    assert.strictEqual(settlement(events)?.output, "hello there world")
    const deltas = events.flatMap((event) => (event._tag === "ItemDelta" ? [event.delta] : []))
    assert.strictEqual(deltas.join(""), "hello there world")
    assert.deepEqual(
      completed(events).map(({ kind }) => kind),
      ["user-message", "assistant-message"]
    )
    assert.deepInclude(
      events.find(({ _tag }) => _tag === "Used"),
      { inputTokens: 1000, outputTokens: 50, costUsd: 0.00092 }
    )
    assert.deepInclude(
      events.find(({ _tag }) => _tag === "Checked"),
      { what: "cwd", found: { value: "/repo", by: "answer" } }
    )
  })

  it("reasoning comes as its own item, although its deltas say text", () => {
    const events = play("reason")
    assert.deepEqual(
      completed(events).map(({ kind }) => kind),
      ["user-message", "reasoning", "assistant-message"]
    )
    const reasoning = completed(events)[1]
    assert.notInclude(settlement(events)?.output ?? "", reasoning?.text ?? "nothing")
  })

  it("a command: its output as it comes, its exit code; a failing one is a completed one", () => {
    const ok = completed(play("bashok")).find(({ kind }) => kind === "command")
    assert.deepInclude({ ...ok }, { status: "completed", exitCode: 0, cwd: "/repo" })
    const failed = completed(play("bashfail")).find(({ kind }) => kind === "command")
    assert.deepInclude({ ...failed }, { status: "completed", exitCode: 3 })
  })

  it("file changes bear their path and their diff, a plan its steps", () => {
    const changes = completed(play("write")).filter(({ kind }) => kind === "file-change")
    assert.isAbove(changes.length, 0)
    assert.isTrue(changes.every(({ changes }) => changes?.every(({ path }) => path.startsWith("/repo/"))))
    const plan = completed(play("todo")).find(({ kind }) => kind === "plan")
    assert.match(plan?.text ?? "", /^- \[[x -]\] /)
  })

  it("a rejection stops the turn without an error; one with a word lets it go on; answers too", () => {
    for (const name of ["ask_once", "ask_reject", "ask_reject_msg", "q_reply", "q_reject"]) {
      assert.strictEqual(settlement(play(name))?.status, "completed", name)
    }
  })

  it("an abort ends with the final message after the first idle, and is no error", () => {
    for (const name of ["abort_stream", "abort_tool", "abort_ask"]) {
      const settled = settlement(play(name, true))
      assert.strictEqual(settled?.status, "interrupted", name)
      assert.isUndefined(settled?.error, name)
    }
  })

  it("an abort by somebody else is an interruption too", () => {
    assert.strictEqual(settlement(play("abort_stream"))?.status, "interrupted")
  })

  it("a model's error is the turn's, with its status; an unknown model has no answer at all", () => {
    assert.deepInclude(
      { ...settlement(play("err401"))?.error },
      { _tag: "ProviderFailed", detail: { name: "APIError", statusCode: 401 } }
    )
    assert.strictEqual(settlement(play("err400"))?.status, "failed")
    const unknown = settlement(play("badmodel"))
    assert.strictEqual(unknown?.status, "failed")
    assert.include(unknown?.error?.message ?? "", "Model not found")
  })

  it("retries are told while they last; an abort in between ends the turn", () => {
    const retried = play("err500x1")
    assert.strictEqual(settlement(retried)?.status, "completed")
    assert.isTrue(retried.some(({ _tag }) => _tag === "Retrying"))
    const events = recorded("err500_abort")
    const translator = new OpenCodeTranslator("opencode")
    translator.begin(events.map(ofUser).find((id) => id !== undefined) ?? "")
    const told = events.flatMap((event) => {
      if (event.type === "session.status" && event.properties.status.type === "retry")
        translator.interrupting()
      return translator.feed(event)
    })
    assert.strictEqual(settlement(told)?.status, "interrupted")
  })

  it("a dropped stream is tried again within the turn, which does not end meanwhile", () => {
    const events = recorded("dropmid")
    const translator = new OpenCodeTranslator("opencode")
    translator.begin(events.map(ofUser).find((id) => id !== undefined) ?? "")
    const told = events.flatMap((event) => translator.feed(event))
    assert.deepEqual(
      told.flatMap((event) => (event._tag === "Retrying" ? [event.attempt] : [])),
      [1, 2, 3, 4]
    )
    assert.isTrue(translator.isRunning)
  })

  it("C20: what belongs to no turn of ours is nobody's", () => {
    const translator = new OpenCodeTranslator("opencode")
    assert.deepEqual(
      recorded("text").flatMap((event) => translator.feed(event)),
      []
    )
    translator.begin("msg_another")
    assert.isTrue(recorded("text").every((event) => translator.feed(event).length === 0))
    assert.isTrue(translator.isRunning)
  })
})
