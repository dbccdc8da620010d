import { assert, describe, it } from "@effect/vitest"
import type { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"
import { Schema } from "effect"
import { readFileSync } from "node:fs"
import { Frame } from "./ClaudeSchema.ts"
import { ClaudeTasks } from "./ClaudeTasks.ts"
import { ClaudeTranslator } from "./ClaudeTranslator.ts"

const Ours = Schema.Struct({
  sent: Schema.optional(Schema.String),
  text: Schema.optional(Schema.String),
  interrupt: Schema.optional(Schema.Boolean)
})
const decode = Schema.decodeUnknownSync(Schema.Union([Frame, Ours]))

/** What the real Claude told (2.1.329), recorded, with directories renamed; and what it was sent. */
const play = (name: string) => {
  const translator = new ClaudeTranslator("claude", "/home/ada/work")
  const events = readFileSync(new URL(`./fixtures/${name}.jsonl`, import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => decode(JSON.parse(line)))
    .flatMap((line) => {
      if ("type" in line) return translator.feed(line)
      if (line.interrupt === true) translator.interrupting()
      else if (!translator.steer(line.sent ?? "", line.text ?? ""))
        translator.begin(line.sent ?? "", line.text ?? "")
      return []
    })
  assert.isFalse(translator.isRunning, "the turn has ended")
  return events
}

const settlements = (events: ReadonlyArray<AdapterEvent>) =>
  events.filter((event) => event._tag === "TurnSettled")

const completed = (events: ReadonlyArray<AdapterEvent>) =>
  events.flatMap((event) => (event._tag === "ItemCompleted" ? [event.item] : []))

const users = (events: ReadonlyArray<AdapterEvent>) =>
  completed(events).flatMap(({ kind, text }) => (kind === "user-message" ? [text] : []))

describe("Claude's frames as turns, on recordings of the real agent", () => {
  it("a steer that is taken at a tool's end is part of the running turn, and is shown when it is taken", () => {
    const events = play("steer-in-tool")
    assert.lengthOf(settlements(events), 1)
    assert.strictEqual(settlements(events)[0]?.status, "completed")
    assert.lengthOf(users(events), 2)
    const kinds = completed(events).map(({ kind }) => kind)
    assert.isBelow(kinds.indexOf("command"), kinds.lastIndexOf("user-message"))
  })

  it("a steer that came too late has a result of its own: the turn settles with that one", () => {
    const events = play("steer-too-late")
    assert.lengthOf(settlements(events), 1)
    assert.lengthOf(users(events), 2)
    assert.strictEqual(events.at(-1)?._tag, "TurnSettled")
  })

  it("an error of the API that calls itself a success is a failed turn, and its retries are told", () => {
    const events = play("api-error")
    const [settled] = settlements(events)
    assert.deepInclude({ ...settled }, { status: "failed" })
    assert.deepInclude({ ...settled?.error }, { detail: { reason: "api_error", statusCode: 529 } })
    const retries = events.flatMap((event) => (event._tag === "Retrying" ? [event.attempt] : []))
    assert.deepEqual(retries, [1, 2])
  })

  it("an interrupt settles as one, with what was said so far", () => {
    const events = play("interrupt")
    assert.strictEqual(settlements(events)[0]?.status, "interrupted")
    for (const item of completed(events)) assert.notStrictEqual(item.status, "started")
  })

  it("a turn that Claude begins by itself is shown, and settles nothing", () => {
    const events = play("background")
    const late = completed(events).filter(({ id }) => id.startsWith("late-"))
    assert.isAbove(late.length, 0)
    // One settlement for each message of ours, none for that turn.
    assert.lengthOf(settlements(events), users(events).length)
    const used = events.filter(({ _tag }) => _tag === "Used")
    assert.isAbove(used.length, settlements(events).length)
  })

  it("what Claude works on by itself is told as work, and ends where a turn of ours begins", () => {
    const translator = new ClaudeTranslator("claude", "/work")
    const started = translator.feed({
      type: "stream_event",
      event: { type: "content_block_start", index: 0, content_block: { type: "text" } }
    })
    assert.deepEqual(
      started.map(({ _tag }) => _tag),
      ["ItemStarted"]
    )
    assert.isTrue(translator.isWorking)
    assert.isFalse(translator.isRunning)
    assert.isFalse(translator.steer("ours", "text"), "it is no turn of ours to join")
    assert.deepEqual(
      completed(translator.begin("ours", "text")).map(({ status }) => status),
      ["failed"]
    )
  })

  it("law 6: a turn that is being interrupted takes no steer any more", () => {
    const translator = new ClaudeTranslator("claude", "/work")
    translator.begin("ours", "text")
    assert.isTrue(translator.steer("a", "text"))
    translator.interrupting()
    assert.isFalse(translator.steer("b", "text"))
    translator.interrupting(false)
    assert.isTrue(translator.steer("c", "text"))
  })

  it("an odd field in a result hides nothing: the turn has ended", () => {
    const odd = [
      { result: null },
      { errors: [{ message: "x" }] },
      { model_usage_since_last_result: { m: { inputTokens: 1, costUSD: null } } },
      { is_error: undefined },
      { api_error_status: "529", terminal_reason: 7 }
    ]
    for (const fields of odd) {
      const translator = new ClaudeTranslator("claude", "/work")
      translator.begin("ours", "text")
      const frame = decode({
        type: "result",
        subtype: "success",
        is_error: false,
        user_message_uuids: ["ours"],
        ...fields
      })
      if (!("type" in frame)) return assert.fail("it is no frame")
      assert.lengthOf(settlements(translator.feed(frame)), 1, JSON.stringify(fields))
    }
  })

  it("C20: what a sub-agent does within is its own: only its call and its result are the thread's", () => {
    const events = play("sub-agent")
    const tools = completed(events).flatMap(({ kind, toolName }) => (kind === "tool-call" ? [toolName] : []))
    assert.isAbove(tools.length, 0)
    for (const tool of tools) assert.strictEqual(tool, "Agent")
    assert.notInclude(
      completed(events).map(({ kind }) => kind),
      "command"
    )
  })
})

describe("S3: the list of what is to be done, in pieces", () => {
  it("is shown as a whole with each change, as TodoWrite's is", () => {
    const tasks = new ClaudeTasks()
    const use = (name: string, input: Record<string, unknown>) => ({
      type: "tool_use" as const,
      id: "t",
      name,
      input
    })
    const create = (subject: string, id: string) =>
      tasks.done(use("TaskCreate", { subject }), `Task #${id} created successfully: ${subject}`)?.text
    assert.strictEqual(create("look", "1"), "- [ ] look")
    assert.strictEqual(create("mend", "2"), "- [ ] look\n- [ ] mend")
    const update = (input: Record<string, unknown>) => tasks.done(use("TaskUpdate", input), "Updated")?.text
    assert.strictEqual(update({ taskId: "1", status: "completed" }), "- [x] look\n- [ ] mend")
    assert.strictEqual(update({ taskId: "2", status: "in_progress" }), "- [x] look\n- [-] mend")
    assert.strictEqual(update({ taskId: "1", status: "deleted" }), "- [-] mend")
    // One that was made before we were there.
    assert.strictEqual(update({ taskId: "9", status: "completed" }), "- [-] mend\n- [x] Task 9")
    assert.isUndefined(tasks.done(use("TaskList", {}), ""))
    assert.isUndefined(tasks.done(use("TaskCreate", { subject: "x" }), "no"))
  })
})
