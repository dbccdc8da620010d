import { NodeServices } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import { MessageId, type ThreadId } from "@rejoin/contracts/Ids"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { Context, Effect, Layer } from "effect"
import { DatabaseSync } from "node:sqlite"
import { storeOf } from "./AgentHarness.ts"
import { foreignServer } from "./OpenCodeApi.ts"
import { makeWorld, open, receipts, say, type Server, settled, type World } from "./World.ts"

const withDatabase = (world: World, change: (db: DatabaseSync) => void) =>
  Effect.acquireUseRelease(
    Effect.sync(() => new DatabaseSync(`${world.home}/rejoin.db`)),
    (db) => Effect.sync(() => change(db)),
    (db) => Effect.sync(() => db.close())
  )

/** A thread with one turn, and its session. */
const told = Effect.fn("told")(function* (world: World, server: Server, mode: RuntimeMode = "full-access") {
  const id = yield* open(server, world.at("repo"), mode)
  yield* say(server, id, "one")
  const [receipt] = yield* receipts(server, id)
  return { id, sessionID: receipt?.providerSessionIdAfter ?? "" }
})

/** A turn that a crash left when it was being sent as this message. */
const plantTurn = (world: World, id: ThreadId, turnId: string, messageId: string) =>
  withDatabase(world, (db) => {
    const turn = {
      id: turnId,
      threadId: id,
      status: "dispatching",
      input: turnId,
      attachments: [],
      output: "",
      steers: [],
      delivery: null,
      error: null,
      idempotencyKey: null,
      messageId,
      generation: 1,
      acceptedAt: "2026-01-01T00:00:00.000Z",
      startedAt: null,
      settledAt: null
    }
    db.prepare("INSERT INTO turn (id, thread_id, open, record_json) VALUES (?, ?, 1, ?)").run(
      turnId,
      id,
      JSON.stringify(turn)
    )
  })

/** An intent that a crash left of a start which had just begun when this session was made. */
const plantIntent = (world: World, id: ThreadId, created: number) =>
  withDatabase(world, (db) => {
    const intent = {
      threadId: id,
      generation: 2,
      instanceId: "opencode",
      step: "begun",
      titleMark: `[${id}]`,
      cwd: world.at("tree"),
      created: [],
      at: new Date(created - 1).toISOString()
    }
    db.prepare("UPDATE provider_session_runtime SET generation = 2 WHERE thread_id = ?").run(id)
    db.prepare("INSERT INTO start_intent VALUES (?, 2, ?)").run(id, JSON.stringify(intent))
  })

const arrived = MessageId.make("msg_arrived00000000000000")

/**
 * A server of ours made these threads, and stopped; somebody else's OpenCode, and a hand in our database, did
 * something to each; a server of ours is there again. OpenCode is started three times for all of them.
 */
const build = Effect.gen(function* () {
  const world = yield* makeWorld()
  const first = yield* world.start()
  const resumed = yield* told(world, first, "read-only")
  for (let i = 0; i < 5; i++) {
    yield* first.client.sessions.stop({ params: { id: resumed.id } })
    assert.strictEqual((yield* say(first, resumed.id, `resume ${i}`)).status, "completed")
  }
  const widened = yield* told(world, first, "read-only")
  const ahead = yield* told(world, first)
  const reverted = yield* told(world, first)
  yield* say(first, reverted.id, "two")
  const malformed = yield* told(world, first)
  const forked = yield* told(world, first)
  const delivered = yield* told(world, first)
  const atOnce = yield* open(first, world.at("repo"))
  const turnsAtOnce = yield* Effect.forEach(["one", "two", "three"], (input) => say(first, atOnce, input), {
    concurrency: 3
  })
  yield* first.stop

  const foreign = yield* Effect.scoped(
    Effect.gen(function* () {
      const { sdk } = yield* foreignServer(world)
      return yield* Effect.promise(async () => {
        const rules = async (sessionID: string) =>
          (await sdk.session.get({ sessionID })).data?.permission ?? []
        const before = await rules(resumed.sessionID)
        await sdk.session.update({
          sessionID: resumed.sessionID,
          permission: [{ permission: "bash", pattern: "*", action: "allow" }]
        })
        const after = await rules(resumed.sessionID)
        await sdk.session.update({
          sessionID: widened.sessionID,
          permission: [{ permission: "*", pattern: "*", action: "allow" }]
        })
        await sdk.session.prompt({
          sessionID: ahead.sessionID,
          parts: [{ type: "text", text: "typed elsewhere" }]
        })
        const messages = (await sdk.session.messages({ sessionID: reverted.sessionID })).data ?? []
        const last = messages.findLast(({ info }) => info.role === "user")
        await sdk.session.revert({ sessionID: reverted.sessionID, messageID: last?.info.id ?? "" })
        const users = (await sdk.session.fork({ sessionID: forked.sessionID })).data
        const left = (await sdk.session.fork({ sessionID: forked.sessionID })).data
        await sdk.session.prompt({
          sessionID: delivered.sessionID,
          messageID: arrived,
          noReply: true,
          parts: [{ type: "text", text: "arrived" }]
        })
        const elsewhere = (
          await sdk.session.fork({ sessionID: resumed.sessionID, directory: world.at("tree") })
        ).data
        const sessions = (await sdk.session.list({ directory: world.at("repo") })).data ?? []
        return { before, after, users, left, elsewhere, titles: sessions.map(({ title }) => title) }
      })
    })
  )

  yield* withDatabase(world, (db) => {
    db.prepare(
      "UPDATE provider_session_runtime SET resume_cursor_json = replace(resume_cursor_json, 'ses_', '../') WHERE thread_id = ?"
    ).run(malformed.id)
  })
  assert.isDefined(foreign.left)
  yield* plantIntent(world, forked.id, foreign.left?.time.created ?? 0)
  yield* plantTurn(world, delivered.id, "trn_arrived", arrived)
  yield* plantTurn(world, delivered.id, "trn_lost", "msg_lost0000000000000000")
  return {
    world,
    foreign,
    threads: { widened, ahead, reverted, malformed, forked, delivered, atOnce },
    turnsAtOnce,
    server: yield* world.start()
  }
})

class Tampered extends Context.Service<Tampered, Effect.Success<typeof build>>()("e2e/Tampered") {
  static readonly layer = Layer.effect(Tampered, Effect.orDie(build)).pipe(
    Layer.provideMerge(NodeServices.layer)
  )
}

describe("OpenCode: what the agent lets succeed while it is wrong", () => {
  layer(Tampered.layer, { excludeTestServices: true, timeout: "600 seconds" })((it) => {
    it.effect(
      "measured: a fork keeps the old directory, whatever it is asked, and loses its permissions",
      () =>
        Effect.gen(function* () {
          const { foreign, world } = yield* Tampered
          assert.strictEqual(foreign.elsewhere?.directory, world.at("repo"))
          assert.isUndefined(foreign.elsewhere?.permission)
        })
    )

    it.effect(
      "measured: PATCH appends rules; C11: a resume adds none where its own are in force, over five resumes",
      () =>
        Effect.gen(function* () {
          const { foreign } = yield* Tampered
          assert.lengthOf(foreign.before, 12)
          assert.lengthOf(foreign.after, 13)
        })
    )

    it.effect(
      "C11, law 4: powers that somebody widened behind our back are narrowed again before the next turn",
      () =>
        Effect.gen(function* () {
          const { server, threads, world } = yield* Tampered
          const { id } = threads.widened
          yield* say(server, id, "write x.txt x")
          assert.isFalse(yield* world.fs.exists(`${world.at("repo")}/x.txt`))
          assert.strictEqual((yield* receipts(server, id))[0]?.runtimeModeVerified, "read-only")
        })
    )

    it.effect("N1, I4: upstream ahead of our mark goes on, with what was said there", () =>
      Effect.gen(function* () {
        const { server, threads } = yield* Tampered
        const { id } = threads.ahead
        assert.strictEqual((yield* say(server, id, "two")).output, "one | typed elsewhere | two")
        // What was typed there is a turn of the thread by then: its history is the same.
        const [receipt] = yield* receipts(server, id)
        assert.deepInclude({ ...receipt }, { ahead: 1, imported: 1 })
        const found = receipt?.checks.find(({ what }) => what === "history")?.found
        assert.deepInclude({ ...found }, { value: "same" })
      })
    )

    it.effect(
      "N1: upstream that lost our mark is refused; its user goes on from what is there, or a reset starts anew",
      () =>
        Effect.gen(function* () {
          const { server, threads } = yield* Tampered
          const { id } = threads.reverted
          const refused = yield* say(server, id, "three")
          assert.strictEqual(refused.error?._tag, "HistoryMismatch")
          assert.strictEqual((yield* receipts(server, id))[0]?.outcome, "refused")
          const receipt = yield* server.client.sessions.acceptHistory({ params: { id } })
          assert.deepInclude({ ...receipt }, { outcome: "adopted", undone: 1 })
          assert.strictEqual((yield* say(server, id, "goes on")).output, "one | goes on")
          yield* server.client.sessions.reset({ params: { id } })
          assert.strictEqual((yield* say(server, id, "four")).output, "four")
        })
    )

    it.effect(
      "C6, N2, malformed id: OpenCode would answer 500 or the list; it is no cursor, is never sent, and our copy leads back",
      () =>
        Effect.gen(function* () {
          const { server, threads } = yield* Tampered
          const { id, sessionID } = threads.malformed
          assert.strictEqual((yield* say(server, id, "two")).output, "one | two")
          const [receipt] = yield* receipts(server, id)
          assert.strictEqual(receipt?.outcome, "rehydrated")
          assert.strictEqual(receipt?.providerSessionIdBefore, sessionID)
        })
    )

    it.effect(
      "C16, C27: turns that come at once on a new thread make one session, and run one after the other",
      () =>
        Effect.gen(function* () {
          const { foreign, threads, turnsAtOnce } = yield* Tampered
          assert.deepEqual(
            turnsAtOnce.map(({ status }) => status),
            ["completed", "completed", "completed"]
          )
          const words = turnsAtOnce.map(({ output }) => output.split(" | ").length)
          assert.deepEqual(
            words.toSorted((a, b) => a - b),
            [1, 2, 3]
          )
          assert.lengthOf(
            foreign.titles.filter((title) => title.includes(threads.atOnce)),
            1
          )
        })
    )

    it.effect(
      "law 7: a fork that a crash left in the old tree is found by its intent and deleted; what the user forked stays",
      () =>
        Effect.gen(function* () {
          const { foreign, server, threads, world } = yield* Tampered
          const { id, sessionID } = threads.forked
          assert.strictEqual((yield* say(server, id, "two")).output, "one | two")
          const sessions = yield* storeOf("opencode", world).sessions
          assert.includeMembers([...sessions], [sessionID, foreign.users?.id ?? ""])
          assert.notInclude(sessions, foreign.left?.id)
        })
    )

    it.effect(
      "law 6: a message that was delivered before a crash is not delivered again; one that was not is",
      () =>
        Effect.gen(function* () {
          const { server, threads } = yield* Tampered
          const { id } = threads.delivered
          assert.strictEqual((yield* settled(server, id, "trn_arrived")).status, "interrupted")
          assert.strictEqual((yield* settled(server, id, "trn_lost")).output, "one | arrived | trn_lost")
        })
    )
  })
})
