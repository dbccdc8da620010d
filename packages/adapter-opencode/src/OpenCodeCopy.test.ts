import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { copyOf, type Export } from "./OpenCodeCopy.ts"

const source: Export = {
  info: { id: "ses_old", title: "t", permission: [{}], revert: { messageID: "m1" }, time: { created: 1 } },
  messages: [
    {
      info: { id: "m1", sessionID: "ses_old", role: "user" },
      parts: [{ id: "p1", messageID: "m1", sessionID: "ses_old", text: "x" }]
    },
    {
      info: { id: "m2", sessionID: "ses_old", role: "assistant", parentID: "m1" },
      parts: [
        { id: "p2", messageID: "m2", sessionID: "ses_old" },
        { id: "p3", messageID: "m2", sessionID: "ses_old" }
      ]
    }
  ]
}

describe("a copy of an OpenCode session", () => {
  it.effect("has new ids everywhere, in the same order, and says which message is which", () =>
    Effect.gen(function* () {
      const { document, messageIds, sessionId } = yield* copyOf(source)
      assert.match(sessionId, /^ses_[0-9a-z]{26}$/)
      const text = JSON.stringify(document)
      for (const old of ["ses_old", '"m1"', '"m2"', '"p1"', '"p2"', '"p3"', "permission", "revert"])
        assert.notInclude(text, old)
      const [user, assistant] = document.messages
      assert.strictEqual(user?.info["id"], messageIds.get("m1"))
      assert.strictEqual(assistant?.info["parentID"], messageIds.get("m1"))
      const ids = document.messages.flatMap(({ parts }) => parts.map(({ id }) => String(id)))
      assert.deepEqual(ids, ids.toSorted())
      assert.strictEqual(new Set(ids).size, 3)
      assert.deepInclude(user?.parts[0], { text: "x", messageID: messageIds.get("m1"), sessionID: sessionId })
    })
  )
})
