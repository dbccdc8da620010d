import { assert, describe, it } from "@effect/vitest"
import { Api } from "@rejoin/contracts/Api"
import { RuleId } from "@rejoin/contracts/Ids"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { memory } from "@rejoin/core/testing/World"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { readFileSync, statSync } from "node:fs"
import { needsOf } from "./DeviceLimits.ts"
import { live, plain, type Served, tagOf, token } from "./testing/Served.ts"

/** A device that is let in, and its client. */
const paired = Effect.fnUntraced(function* ({ as, client }: Served, mode?: RuntimeMode) {
  const { code } = yield* client.devices.pair({ payload: { name: "A phone", ...(mode && { mode }) } })
  const redeemed = yield* client.access.redeem({ payload: { code } })
  const device = yield* as(redeemed.token)
  const me = (yield* device.devices.me()).device
  return { code, device, id: me?.id ?? "", token: redeemed.token }
})

const open = ({ client, cwd }: Served, runtimeMode: RuntimeMode) =>
  Effect.map(client.threads.create({ payload: { provider: memory, cwd, runtimeMode } }), ({ id }) => id)

describe("G3: devices", () => {
  it.live(
    "one is let in by a code that is good once, has a token of its own, is listed, and is out when revoked",
    () =>
      live((served) =>
        Effect.gen(function* () {
          const { client, root, url } = served
          const { code, device, id, token: own } = yield* paired(served)
          assert.notStrictEqual(own, token)
          assert.strictEqual(
            tagOf(yield* Effect.exit(client.access.redeem({ payload: { code } }))),
            "Unauthorized"
          )
          const { items } = yield* client.devices.list()
          assert.deepEqual(
            items.map(({ mode, name }) => [name, mode]),
            [["A phone", "approval-required"]]
          )
          assert.strictEqual((yield* client.devices.me()).device, null)
          const file = `${root}/home/devices.json`
          assert.strictEqual(statSync(file).mode & 0o777, 0o600)
          assert.notInclude(readFileSync(file, "utf8"), own)
          yield* device.threads.list({ query: {} })
          // Of its token nothing may be guessed: neither another's id, nor a part of it.
          for (const wrong of [own.slice(0, -1), own.replace(id, "00".repeat(9)), `rjd_${id}_`, "rjd_"]) {
            const { status } = yield* plain(`${url}/api/threads`, { authorization: `Bearer ${wrong}` })
            assert.strictEqual(status, 401)
          }
          // What it waits for, or reads, ends with it.
          const thread = yield* open(served, "approval-required")
          const held = yield* device.turns.send({ params: { id: thread }, payload: { input: "hold" } })
          const waiting = yield* device.turns
            .get({ params: { id: thread, turnId: held.id }, query: { wait: 60 } })
            .pipe(Effect.exit, Effect.forkChild)
          const heard = yield* Deferred.make<void>()
          const reading = yield* device.follow(undefined, 0).pipe(
            Stream.runForEach(() => Deferred.succeed(heard, undefined)),
            Effect.exit,
            Effect.forkChild
          )
          yield* Deferred.await(heard)
          yield* client.devices.revoke({ params: { id } })
          assert.strictEqual(tagOf(yield* Fiber.join(waiting)), "Unauthorized")
          yield* Fiber.join(reading)
          assert.strictEqual(tagOf(yield* Effect.exit(device.threads.list({ query: {} }))), "Unauthorized")
          assert.isEmpty((yield* client.devices.list()).items)
        })
      )
  )

  it.live(
    "law 4: it uses no higher mode than its own: neither begins, nor switches, nor talks, nor answers in one",
    () =>
      live((served) =>
        Effect.gen(function* () {
          const { client, cwd } = served
          const { device } = yield* paired(served)
          const low = yield* open(served, "approval-required")
          const high = yield* open(served, "full-access")
          const send = (id: string) => device.turns.send({ params: { id }, payload: { input: "hello" } })
          const turn = yield* send(low)
          yield* device.turns.get({ params: { id: low, turnId: turn.id }, query: { wait: 60 } })
          const create = (runtimeMode: RuntimeMode) =>
            device.threads.create({ payload: { provider: memory, cwd, runtimeMode } })
          yield* create("read-only")
          const update = (id: string, runtimeMode: RuntimeMode) =>
            device.threads.update({ params: { id }, payload: { runtimeMode } })
          yield* update(low, "read-only")
          yield* update(low, "approval-required")
          const held = yield* client.turns.send({ params: { id: high }, payload: { input: "hold" } })
          const refused = yield* Effect.forEach(
            [
              create("full-access"),
              create("auto-accept-edits"),
              update(low, "auto-accept-edits"),
              update(high, "read-only"),
              send(high),
              device.turns.update({ params: { id: high, turnId: held.id }, payload: { input: "x" } }),
              device.sessions.fork({ params: { id: high }, payload: {} }),
              device.sessions.reset({ params: { id: high } }),
              device.threads.answer({
                params: { id: high, requestId: "r" },
                payload: { decision: "decline" }
              })
            ],
            (attempt) => Effect.exit(attempt as Effect.Effect<unknown, { readonly _tag: string }>)
          )
          assert.deepEqual(new Set(refused.map(tagOf)), new Set(["DeviceNotAllowed"]))
          // It looks, and stops what runs.
          yield* device.threads.get({ params: { id: high } })
          yield* device.turns.interrupt({ params: { id: high, turnId: held.id } })
          const turns = (yield* client.turns.list({ params: { id: high }, query: {} })).items
          assert.deepEqual(
            turns.map(({ status }) => status),
            ["interrupted"]
          )
          assert.strictEqual((yield* client.threads.get({ params: { id: high } })).runtimeMode, "full-access")
        })
      )
  )

  it.live(
    "law 4: what it has sent to run later runs in no higher mode than its own, whatever the thread's is by then",
    () =>
      live((served) =>
        Effect.gen(function* () {
          const { client } = served
          const { device } = yield* paired(served)
          const id = yield* open(served, "approval-required")
          const later = yield* device.turns.send({
            params: { id },
            payload: { input: "run touch a", notBefore: "2999-01-01T00:00:00Z" }
          })
          const own = yield* client.turns.send({
            params: { id },
            payload: { input: "the owner's", notBefore: "2999-01-01T00:00:00Z" }
          })
          yield* device.turns.update({ params: { id, turnId: own.id }, payload: { input: "run touch b" } })
          yield* client.threads.update({ params: { id }, payload: { runtimeMode: "full-access" } })
          for (const { id: turnId } of [later, own]) {
            yield* client.turns.update({ params: { id, turnId }, payload: { notBefore: null } })
            const turn = yield* client.turns.get({ params: { id, turnId }, query: { wait: 60 } })
            assert.strictEqual(turn.error?._tag, "DeviceNotAllowed")
          }
          assert.isEmpty(served.upstream.asked)
        })
      )
  )

  it.live(
    "what is the owner's stays the owner's, also for one with full access: codes, rules, trust, chats, files of threads",
    () =>
      live((served) =>
        Effect.gen(function* () {
          const { cwd } = served
          const { device, id } = yield* paired(served, "full-access")
          const thread = yield* open(served, "full-access")
          yield* device.turns.send({ params: { id: thread }, payload: { input: "hello" } })
          const refused = yield* Effect.forEach(
            [
              device.access.issue(),
              device.access.browsers(),
              device.devices.pair({ payload: {} }),
              device.devices.list(),
              device.devices.revoke({ params: { id } }),
              device.directories.trust({ payload: { path: cwd, hashes: [] } }),
              device.rules.remove({ params: { id: RuleId.make("rul_1") } }),
              device.channels.pair({ params: { id: "telegram" } }),
              device.threads.remove({ params: { id: thread } }),
              device.sessions.release({ params: { id: thread }, payload: {} }),
              device.metrics.metrics()
            ],
            (attempt) => Effect.exit(attempt as Effect.Effect<unknown, { readonly _tag: string }>)
          )
          assert.deepEqual(new Set(refused.map(tagOf)), new Set(["DeviceNotAllowed"]))
        })
      )
  )

  it("what is new in the API is the owner's until it is said here that it is not", () => {
    assert.strictEqual(needsOf("threads", "somethingNew"), "owner")
    // What stands there is there.
    const known = Object.entries(Api.groups).flatMap(([group, { endpoints }]) =>
      Object.keys(endpoints).map((endpoint) => [group, endpoint] as const)
    )
    assert.isAbove(known.filter(([group, endpoint]) => needsOf(group, endpoint) !== "owner").length, 35)
    for (const [group, endpoint] of [
      ["access", "issue"],
      ["threads", "export"],
      ["threads", "import"],
      ["rules", "create"],
      ["directories", "addWorktree"]
    ] as const)
      assert.strictEqual(needsOf(group, endpoint), "owner", endpoint)
  })
})
