import { assert, describe, it } from "@effect/vitest"
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { allowed, isOwnEdit } from "./AcpGate.ts"
import type { Permission } from "./AcpSchema.ts"
import { qwen } from "./profiles/Qwen.ts"
import { unknownAgent } from "./profiles/Unknown.ts"

describe("edits that a thread may do by itself", () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "rejoin-gate-")))
  const repo = join(root, "repo")
  mkdirSync(join(repo, ".git/hooks"), { recursive: true })
  mkdirSync(join(root, "outside"))
  symlinkSync(join(root, "outside"), join(repo, "link"))
  symlinkSync("../outside/not-there-yet", join(repo, "dangling"))
  symlinkSync("dangling", join(repo, "twice"))
  symlinkSync("around", join(repo, "around"))
  const edits = (...paths: ReadonlyArray<string>) =>
    isOwnEdit({ toolCallId: "1", kind: "edit", locations: paths.map((path) => ({ path })) }, [repo])

  it("lie in its directory, wherever a path leads, all of them", () => {
    assert.isTrue(edits(join(repo, "a.txt")))
    assert.isTrue(edits("a.txt"))
    for (const path of [
      "../outside/a.txt",
      join(root, "outside/a.txt"),
      "link/a.txt",
      "dangling",
      "twice",
      ".mcp.json",
      ".husky/pre-push",
      "new/../../outside/a.txt",
      ".git/hooks/pre-commit",
      ".github/hooks/x.json"
    ])
      assert.isFalse(edits(path), path)
    assert.isFalse(edits(join(repo, "a.txt"), join(root, "outside/a.txt")))
    assert.isFalse(edits())
    assert.isFalse(isOwnEdit({ toolCallId: "1", kind: "execute", locations: [{ path: "a.txt" }] }, [repo]))
    rmSync(root, { recursive: true })
  })
})

describe("what an agent is allowed once", () => {
  const asked = (
    kind: string,
    ...options: ReadonlyArray<readonly [id: string, kind: string]>
  ): Permission => ({
    sessionId: "s",
    toolCall: { toolCallId: "1", kind },
    options: options.map(([optionId, kind]) => ({ optionId, name: optionId, kind }))
  })
  const once = ["proceed_once", "allow_once"] as const
  const selected = (optionId: string) => ({ outcome: { outcome: "selected", optionId } })

  it("is chosen by its id: Qwen's way back to its widest mode is of the same kind", () => {
    const leaving = asked("switch_mode", ["restore_previous", "allow_once"], once, ["cancel", "reject_once"])
    assert.deepEqual(allowed(qwen, leaving), selected("cancel"))
    assert.deepEqual(
      allowed(qwen, asked("edit", ["restore_previous", "allow_once"], once)),
      selected("proceed_once")
    )
  })

  it("of an agent that was not measured, where just one option means that", () => {
    const some = unknownAgent("some")
    assert.deepEqual(
      allowed(some, asked("edit", ["yes", "allow_once"], ["always", "allow_always"])),
      selected("yes")
    )
    assert.deepEqual(
      allowed(some, asked("edit", ["yes", "allow_once"], ["wide", "allow_once"], ["no", "reject_once"])),
      selected("no")
    )
    assert.deepEqual(allowed(some, asked("edit")), { outcome: { outcome: "cancelled" } })
  })
})
