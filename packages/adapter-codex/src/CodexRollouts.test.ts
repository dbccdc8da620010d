import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { MessageId } from "@rejoin/contracts/Ids"
import { Effect, FileSystem, Option } from "effect"
import { historyOf, makeRollouts } from "./CodexRollouts.ts"

const parentId = "01a1fe2e-0000-7000-8000-000000000001"
const forkId = "01a1fe2e-0000-7000-8000-000000000002"

const meta = (id: string, base: object = {}) =>
  JSON.stringify({ type: "session_meta", payload: { id, ...base } })
const begun = JSON.stringify({ type: "event_msg", payload: { type: "task_started" } })
const message = (client_id: string, turn_id = `turn-${client_id}`) =>
  JSON.stringify({
    type: "event_msg",
    payload: { type: "item_completed", turn_id, item: { type: "UserMessage", client_id } }
  })

const world = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const home = yield* fs.makeTempDirectoryScoped()
  const write = Effect.fnUntraced(function* (id: string, lines: ReadonlyArray<string>, day = "2026/01/01") {
    const path = `${home}/sessions/${day}/rollout-2026-01-01T00-00-00-${id}.jsonl`
    yield* fs.makeDirectory(path.slice(0, path.lastIndexOf("/")), { recursive: true })
    yield* fs.writeFileString(path, `${lines.join("\n")}\n`)
    return path
  })
  const rollouts = makeRollouts(fs, home)
  const conversation = (path: string) => Effect.map(rollouts.conversation(path), Option.getOrThrow)
  return { fs, home, write, rollouts, conversation }
})

const test = <E>(body: Effect.Effect<void, E, import("effect").Scope.Scope | FileSystem.FileSystem>) =>
  Effect.scoped(body).pipe(Effect.provide(NodeServices.layer))

describe("Codex's rollouts", () => {
  it.live("N1: our mark against the history: same, ahead, behind, diverged", () =>
    test(
      Effect.gen(function* () {
        const { conversation, write } = yield* world
        const path = yield* write(parentId, [meta(parentId), message("one"), message("two")])
        const found = yield* conversation(path)
        const against = (mark: string) => historyOf(found, MessageId.make(mark))
        assert.deepEqual([against("two"), against("one"), against("three")], ["same", "ahead", "diverged"])
        assert.strictEqual(historyOf(found, null), "unknown")
        const empty = yield* conversation(yield* write(forkId, [meta(forkId)]))
        assert.strictEqual(historyOf(empty, MessageId.make("one")), "behind")
      })
    )
  )

  it.live(
    "a fork's history begins in its parent's file, up to where it was forked, and is lost with it",
    () =>
      test(
        Effect.gen(function* () {
          const { conversation, fs, write } = yield* world
          const kept = `${meta(parentId)}\n${message("one")}\n`
          const parent = yield* write(parentId, [kept.trim(), message("after the fork")])
          const history_base = { thread_id: parentId, end_ordinal_exclusive: 2, end_byte_offset: kept.length }
          const path = yield* write(forkId, [
            meta(forkId, { forked_from_id: parentId, history_base }),
            message("two")
          ])
          const found = yield* conversation(path)
          assert.deepEqual(
            found.messages.map(({ clientId }) => clientId),
            ["one", "two"]
          )
          assert.deepEqual(found.lineage, [parentId])
          yield* fs.remove(parent)
          assert.strictEqual((yield* conversation(path)).missing, parentId)
        })
      )
  )

  it.live("what cannot be read is counted; a turn without its message is told", () =>
    test(
      Effect.gen(function* () {
        const { conversation, write } = yield* world
        const path = yield* write(parentId, [meta(parentId), "{torn", message("one"), begun, '{"torn": "rec'])
        const { rollout } = yield* conversation(path)
        assert.strictEqual(rollout.unreadable, 2)
        assert.isTrue(rollout.openEnded)
        const closed = yield* conversation(yield* write(forkId, [meta(forkId), begun, message("one")]))
        assert.isFalse(closed.rollout.openEnded)
      })
    )
  )

  it.live("law 7: only a fork of ours that nobody ever spoke in is one that a start left", () =>
    test(
      Effect.gen(function* () {
        const { rollouts, write } = yield* world
        const base = { forked_from_id: parentId }
        yield* write(parentId, [meta(parentId), message("one")])
        yield* write(forkId, [meta(forkId, base)])
        const used = "01a1fe2e-0000-7000-8000-000000000003"
        yield* write(used, [meta(used, base), message("the user's own")])
        const foreign = "01a1fe2e-0000-7000-8000-000000000004"
        yield* write(foreign, [meta(foreign, { forked_from_id: used })])
        const ever = { from: 0, to: Number.MAX_SAFE_INTEGER }
        assert.deepEqual(yield* rollouts.forksWithin([parentId], ever), [forkId])
        assert.deepEqual(yield* rollouts.forksWithin([parentId], { from: 0, to: 1 }), [])
      })
    )
  )
})
