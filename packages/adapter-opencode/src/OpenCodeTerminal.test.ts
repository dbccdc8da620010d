import { assert, describe, it } from "@effect/vitest"
import { followedFrom } from "@rejoin/core/terminal/TerminalReports"
import { stepsOf } from "./OpenCodeTerminal.ts"

// Ids of OpenCode's shape.
const ses = (name: string) => `ses_${name.padEnd(26, "0")}`

const mark = "[thr_1]"
const created = (id: string, title: string, parentID?: string) => ({
  type: "session.created",
  info: { id, title, directory: "/work", ...(parentID && { parentID }) }
})
const spoken = (sessionID: string) => ({ type: "chat.message", sessionID })
const follow = (...reports: ReadonlyArray<unknown>) => followedFrom(ses("a"), stepsOf(reports, mark))

describe("E4: where OpenCode's own interface went, as its plugin tells it", () => {
  it("a new session, and a fork of the thread's, are followed", () => {
    assert.strictEqual(follow({ type: "loaded" }, spoken(ses("a"))), ses("a"))
    assert.strictEqual(follow(created(ses("b"), "New session - today"), spoken(ses("b"))), ses("b"))
    assert.strictEqual(follow(created(ses("b"), `Ada ${mark} (fork #1)`)), ses("b"))
  })

  it("E7: a sub-agent's, another conversation's, and what is no report are not", () => {
    assert.strictEqual(follow(created(ses("c"), "a test", ses("a")), spoken(ses("c"))), ses("a"))
    assert.strictEqual(follow(created(ses("f"), "Somebody's [thr_2] (fork #1)")), ses("a"))
    assert.strictEqual(follow(spoken(ses("other")), created(ses("n"), "New session")), ses("a"))
    assert.strictEqual(follow(null, "x", created("no id of OpenCode's", "t"), { type: "x" }), ses("a"))
  })
})
