import { assert, describe, it } from "@effect/vitest"
import { forkTitle } from "./ThreadTitle.ts"

describe("what a fork is called", () => {
  it("is the name of its origin and how often that was forked in a row", () => {
    assert.strictEqual(forkTitle(""), "")
    assert.strictEqual(forkTitle("Fix it"), "Fix it (fork)")
    assert.strictEqual(forkTitle("Fix it (fork)"), "Fix it (fork 2)")
    assert.strictEqual(forkTitle("Fix it (fork 9)"), "Fix it (fork 10)")
    assert.strictEqual(forkTitle("A (fork) of it"), "A (fork) of it (fork)")
  })
})
