import { assert, describe, it } from "@effect/vitest"
import { MessageId } from "@rejoin/contracts/Ids"
import { parseLine, ClaudeTranscript } from "./ClaudeTranscripts.ts"

type Fields = Readonly<Record<string, unknown>>
const line = (type: string, uuid: string, parentUuid: string | null, more: Fields = {}) =>
  JSON.stringify({ type, uuid, parentUuid, isSidechain: false, ...more })
const prompt = (uuid: string, parent: string | null, more: Fields = {}) =>
  line("user", uuid, parent, { promptSource: "sdk", ...more })
const answer = (uuid: string, parent: string) => line("assistant", uuid, parent)
const transcript = (...lines: ReadonlyArray<string>) =>
  new ClaudeTranscript(
    "/t.jsonl",
    lines.flatMap((line) => parseLine(line) ?? [])
  )
const against = (found: ClaudeTranscript, mark: string) => found.compare(MessageId.make(mark)).history

describe("Claude's transcripts", () => {
  it("N1: our mark against what the model sees: same, ahead, behind, diverged", () => {
    const found = transcript(prompt("one", null), answer("a", "one"), prompt("two", "a"), answer("b", "two"))
    assert.deepEqual(
      ["two", "one", "three"].map((mark) => against(found, mark)),
      ["same", "ahead", "diverged"]
    )
    assert.strictEqual(against(transcript(), "one"), "behind")
    assert.isTrue(transcript().isEmpty)
  })

  it("law 5: a message on a branch that was left is in the file, and not in what the model sees", () => {
    const found = transcript(
      prompt("one", null),
      answer("a", "one"),
      prompt("ours", "a"),
      answer("b", "ours"),
      prompt("theirs", "a"),
      answer("c", "theirs")
    )
    assert.isTrue(found.contains("ours"))
    assert.strictEqual(against(found, "ours"), "diverged")
    assert.strictEqual(against(found, "theirs"), "same")
  })

  it("a steered message is an attachment with our id; results of tools are no messages of ours", () => {
    const steered = line("attachment", "x", "a", {
      attachment: { type: "queued_command", source_uuid: "steer" }
    })
    const found = transcript(
      prompt("one", null),
      answer("a", "one"),
      steered,
      line("user", "tool-result", "x"),
      answer("b", "tool-result")
    )
    assert.isTrue(found.contains("steer"))
    assert.isFalse(found.contains("tool-result"))
    assert.strictEqual(against(found, "steer"), "same")
  })

  it("a slash command begins its turn like any other message", () => {
    const found = transcript(
      prompt("one", null),
      answer("a", "one"),
      line("user", "slash", "a", { turnAttributionKey: "slash" }),
      answer("b", "slash")
    )
    assert.strictEqual(against(found, "slash"), "same")
    assert.strictEqual(found.end, "b")
  })

  it("sub-agents and what is no JSON are passed over; a compaction is stepped across", () => {
    const found = transcript(
      prompt("one", null),
      answer("a", "one"),
      line("system", "compact", null, { logicalParentUuid: "a" }),
      prompt("two", "compact"),
      "{torn",
      line("assistant", "sub", "two", { isSidechain: true }),
      '{"type":"user","uu'
    )
    assert.deepEqual([against(found, "one"), against(found, "two")], ["ahead", "same"])
  })

  it("N5: a fork up to a turn keeps everything before the next message, and ends with an answer", () => {
    const found = transcript(prompt("one", null), answer("a", "one"), prompt("two", "a"), answer("b", "two"))
    assert.strictEqual(found.before(MessageId.make("two")), "a")
    assert.isUndefined(found.before(MessageId.make("one")))
    assert.isUndefined(found.before(MessageId.make("nobody's")))
  })

  it("law 3: the last word on a worktree counts, also where it says that there is none", () => {
    const bound = JSON.stringify({ type: "worktree-state", worktreeSession: { worktreePath: "/wt" } })
    const free = JSON.stringify({ type: "worktree-state", worktreeSession: null })
    assert.strictEqual(transcript(prompt("one", null), bound).worktree, "/wt")
    assert.isUndefined(transcript(prompt("one", null), bound, free).worktree)
  })
})
