import { assert, describe, it } from "@effect/vitest"
import { MessageId } from "@rejoin/contracts/Ids"
import { Effect } from "effect"
import { DatabaseSync } from "node:sqlite"
import { storeOf } from "./AgentHarness.ts"
import { foreignServer } from "./OpenCodeApi.ts"
import { live, makeWorld, open, receipts, say, settled, type World } from "./World.ts"

const idOf = (receipt: { readonly providerSessionIdAfter: string | null } | undefined) =>
  receipt?.providerSessionIdAfter ?? ""

/** A thread with one turn, and the server stopped. */
const told = Effect.fn("told")(function* (world: World, mode: "read-only" | "full-access" = "full-access") {
  const server = yield* world.start()
  const id = yield* open(server, world.at("repo"), mode)
  yield* say(server, id, "one")
  const [receipt] = yield* receipts(server, id)
  yield* server.stop
  return { id, sessionID: idOf(receipt) }
})

const withDatabase = (world: World, change: (db: DatabaseSync) => void) =>
  Effect.acquireUseRelease(
    Effect.sync(() => new DatabaseSync(`${world.home}/rejoin.db`)),
    (db) => Effect.sync(() => change(db)),
    (db) => Effect.sync(() => db.close())
  )

describe("OpenCode: what the agent lets succeed while it is wrong", () => {
  it.live("measured: a fork keeps the old directory, whatever it is asked, and loses its permissions", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const { sdk } = yield* foreignServer(world)
        const forked = yield* Effect.promise(async () => {
          const permission = [{ permission: "*", pattern: "*", action: "deny" as const }]
          const source = await sdk.session.create({ directory: world.at("repo"), permission })
          return (await sdk.session.fork({ sessionID: source.data?.id ?? "", directory: world.at("tree") }))
            .data
        })
        assert.strictEqual(forked?.directory, world.at("repo"))
        assert.isUndefined(forked?.permission)
      })
    )
  )

  it.live(
    "measured: PATCH appends rules; C11: a resume adds none where its own are in force, over five resumes",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "read-only")
          yield* say(server, id, "one")
          const [receipt] = yield* receipts(server, id)
          for (let i = 0; i < 5; i++) {
            yield* server.client.sessions.stop({ params: { id } })
            assert.strictEqual((yield* say(server, id, `resume ${i}`)).status, "completed")
          }
          yield* server.stop
          const { sdk } = yield* foreignServer(world)
          const sessionID = idOf(receipt)
          const before = (yield* Effect.promise(() => sdk.session.get({ sessionID }))).data?.permission ?? []
          assert.lengthOf(before, 12)
          const permission = [{ permission: "bash", pattern: "*", action: "allow" as const }]
          const after =
            (yield* Effect.promise(() => sdk.session.update({ sessionID, permission }))).data?.permission ??
            []
          assert.lengthOf(after, 13)
        })
      )
  )

  it.live(
    "C11, law 4: powers that somebody widened behind our back are narrowed again before the next turn",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const { id, sessionID } = yield* told(world, "read-only")
          yield* Effect.scoped(
            Effect.gen(function* () {
              const { sdk } = yield* foreignServer(world)
              const permission = [{ permission: "*", pattern: "*", action: "allow" as const }]
              yield* Effect.promise(() => sdk.session.update({ sessionID, permission }))
            })
          )
          const server = yield* world.start()
          yield* say(server, id, "write x.txt x")
          assert.isFalse(yield* world.fs.exists(`${world.at("repo")}/x.txt`))
          assert.strictEqual((yield* receipts(server, id))[0]?.runtimeModeVerified, "read-only")
        })
      )
  )

  it.live("N1: upstream ahead of our mark goes on; upstream that lost our mark is refused", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const { id, sessionID } = yield* told(world)
        yield* Effect.scoped(
          Effect.flatMap(foreignServer(world), ({ sdk }) =>
            Effect.promise(() =>
              sdk.session.prompt({ sessionID, parts: [{ type: "text", text: "typed elsewhere" }] })
            )
          )
        )
        const server = yield* world.start()
        assert.strictEqual((yield* say(server, id, "two")).output, "one | typed elsewhere | two")
        const ahead = (yield* receipts(server, id))[0]?.checks.find(({ what }) => what === "history")
        assert.deepInclude({ ...ahead?.found }, { value: "ahead" })
        yield* server.stop

        yield* Effect.scoped(
          Effect.gen(function* () {
            const { sdk } = yield* foreignServer(world)
            yield* Effect.promise(async () => {
              const messages = (await sdk.session.messages({ sessionID })).data ?? []
              const last = messages.findLast(({ info }) => info.role === "user")
              await sdk.session.revert({ sessionID, messageID: last?.info.id ?? "" })
            })
          })
        )
        const again = yield* world.start()
        const refused = yield* say(again, id, "three")
        assert.strictEqual(refused.error?._tag, "HistoryMismatch")
        assert.strictEqual((yield* receipts(again, id))[0]?.outcome, "refused")
        yield* again.client.sessions.reset({ params: { id } })
        assert.strictEqual((yield* say(again, id, "four")).output, "four")
      })
    )
  )

  it.live(
    "C6, malformed id: OpenCode would answer 500 or the list; it is no cursor, is never sent, and the loss is told",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const { id, sessionID } = yield* told(world)
          yield* withDatabase(world, (db) => {
            db.exec(
              "UPDATE provider_session_runtime SET resume_cursor_json = replace(resume_cursor_json, 'ses_', '../')"
            )
          })
          const server = yield* world.start()
          assert.strictEqual((yield* say(server, id, "two")).output, "two")
          const [receipt] = yield* receipts(server, id)
          assert.strictEqual(receipt?.outcome, "replaced")
          assert.strictEqual(receipt?.providerSessionIdBefore, sessionID)
        })
      )
  )

  it.live(
    "C16, C27: turns that come at once on a new thread make one session, and run one after the other",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"))
          const turns = yield* Effect.forEach(["one", "two", "three"], (input) => say(server, id, input), {
            concurrency: 3
          })
          assert.deepEqual(
            turns.map(({ status }) => status),
            ["completed", "completed", "completed"]
          )
          const words = turns.map(({ output }) => output.split(" | ").length).toSorted((a, b) => a - b)
          assert.deepEqual(words, [1, 2, 3])
          yield* server.stop
          assert.lengthOf(yield* storeOf("opencode", world).sessions, 1)
        })
      )
  )

  it.live(
    "law 7: a fork that a crash left in the old tree is found by its intent and deleted; what the user forked stays",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const { id, sessionID } = yield* told(world)
          const { left, users } = yield* Effect.scoped(
            Effect.flatMap(foreignServer(world), ({ sdk }) =>
              Effect.promise(async () => ({
                users: (await sdk.session.fork({ sessionID })).data,
                left: (await sdk.session.fork({ sessionID })).data
              }))
            )
          )
          assert.isDefined(left)
          yield* withDatabase(world, (db) => {
            const intent = {
              threadId: id,
              generation: 2,
              instanceId: "opencode",
              step: "begun",
              titleMark: `[${id}]`,
              cwd: world.at("tree"),
              created: [],
              // The start began after the user's fork, and just before the one that it left.
              at: new Date((left?.time.created ?? 0) - 1).toISOString()
            }
            db.prepare("UPDATE provider_session_runtime SET generation = 2").run()
            db.prepare("INSERT INTO start_intent VALUES (?, 2, ?)").run(id, JSON.stringify(intent))
          })
          const server = yield* world.start()
          assert.strictEqual((yield* say(server, id, "two")).output, "one | two")
          yield* server.stop
          assert.sameMembers([...(yield* storeOf("opencode", world).sessions)], [sessionID, users?.id ?? ""])
        })
      )
  )

  it.live(
    "law 6: a message that was delivered before a crash is not delivered again; one that was not is",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const { id, sessionID } = yield* told(world)
          const arrived = MessageId.make("msg_arrived00000000000000")
          yield* Effect.scoped(
            Effect.flatMap(foreignServer(world), ({ sdk }) =>
              Effect.promise(() =>
                sdk.session.prompt({
                  sessionID,
                  messageID: arrived,
                  noReply: true,
                  parts: [{ type: "text", text: "arrived" }]
                })
              )
            )
          )
          const plant = (turnId: string, messageId: string) => (db: DatabaseSync) => {
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
          }
          yield* withDatabase(world, plant("trn_arrived", arrived))
          yield* withDatabase(world, plant("trn_lost", "msg_lost0000000000000000"))
          const server = yield* world.start()
          assert.strictEqual((yield* settled(server, id, "trn_arrived")).status, "interrupted")
          assert.strictEqual((yield* settled(server, id, "trn_lost")).output, "one | arrived | trn_lost")
        })
      )
  )
})
