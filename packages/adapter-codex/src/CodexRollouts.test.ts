import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { MessageId } from "@rejoin/contracts/Ids"
import { Clock, DateTime, Effect, FileSystem, Option } from "effect"
import { makeRollouts, markIn } from "./CodexRollouts.ts"

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
        const against = (mark: string) => markIn(Option.some(found), MessageId.make(mark)).history
        assert.deepEqual([against("two"), against("one"), against("three")], ["same", "ahead", "diverged"])
        assert.strictEqual(markIn(Option.some(found), null).history, "unknown")
        const empty = yield* conversation(yield* write(forkId, [meta(forkId)]))
        assert.strictEqual(markIn(Option.some(empty), MessageId.make("one")).history, "behind")
      })
    )
  )

  it.live("a thread that its user rewound goes on in another file each time, and is found whole", () =>
    test(
      Effect.gen(function* () {
        const { conversation, rollouts, write } = yield* world
        const kept = `${meta(parentId)}\n${message("one")}\n`
        const first = yield* write(parentId, [kept.trim(), message("rewound")])
        const history_base = { thread_id: parentId, end_ordinal_exclusive: 2, end_byte_offset: kept.length }
        const second = yield* write(`${parentId}_${forkId}`, [
          meta(parentId, { history_base }),
          message("two")
        ])
        assert.sameMembers(yield* rollouts.find(parentId), [first, second])
        assert.deepEqual(yield* rollouts.find(forkId), [])
        const found = yield* conversation(second)
        assert.deepEqual(
          found.messages.map(({ clientId }) => clientId),
          ["one", "two"]
        )
        assert.deepEqual([found.lineage, found.missing], [[], undefined])
        // Once more: what it goes on from is named by the part.
        const partId = "0195c7a4-9999-7000-8000-000000000009"
        const part = `${meta(parentId, { history_base })}\n${message("two")}\n`
        const third = yield* write(`${parentId}_${partId}`, [
          meta(parentId, { history_base: { thread_id: forkId, end_byte_offset: part.length } }),
          message("three")
        ])
        assert.deepEqual(
          (yield* conversation(third)).messages.map(({ clientId }) => clientId),
          ["one", "two", "three"]
        )
        assert.deepEqual(yield* rollouts.filesOf(third), [third, second, first])
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

  it.live("law 7: only what has our mark and was made in the window is what a start left", () =>
    test(
      Effect.gen(function* () {
        const { rollouts, write } = yield* world
        const now = yield* Clock.currentTimeMillis
        const today = DateTime.formatIsoDateUtc(DateTime.makeUnsafe(now)).replaceAll("-", "/")
        const ours = { thread_source: "a title [thr_1]" }
        yield* write(parentId, [meta(parentId), message("one")], today)
        yield* write(forkId, [meta(forkId, ours)], today)
        const users = "01a1fe2e-0000-7000-8000-000000000003"
        yield* write(users, [meta(users, { forked_from_id: parentId })], today)
        const anothers = "01a1fe2e-0000-7000-8000-000000000004"
        yield* write(anothers, [meta(anothers, { thread_source: "a title [thr_2]" })], today)
        const window = { from: now - 60_000, to: now + 60_000 }
        assert.deepEqual(yield* rollouts.marked("[thr_1]", window), [forkId])
        assert.deepEqual(yield* rollouts.marked("[thr_1]", { from: 0, to: 1 }), [])
      })
    )
  )
})
