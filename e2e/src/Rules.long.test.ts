import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { instances } from "./Agents.ts"
import { rejoin } from "./CommandLine.ts"
import { event, live, makeWorld, open, send, settled, type Server } from "./World.ts"

/** The first thing that a turn asks; undefined where it settles without. */
const askedBy = Effect.fnUntraced(function* (server: Server, id: string, turnId: string) {
  const told = yield* server.client.follow(id, 0).pipe(
    Stream.filter((event) => event.turnId === turnId),
    Stream.filter(
      ({ type }) => type === "request.opened" || /^turn\.(completed|failed|interrupted)$/.test(type)
    ),
    Stream.runHead,
    Effect.map(Option.getOrThrow)
  )
  if (told.type !== "request.opened") return undefined
  const { items } = yield* server.client.threads.requests({ params: { id } })
  return items[0]
})

describe("U4: what is allowed for good is not asked again", () => {
  for (const agent of ["opencode", "codex", "claude"] as const) {
    it.live(`${agent}: in its thread, over a stop, and no more than just that`, () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: [agent] })
          const first = yield* world.start()
          const opened = (server: Server) =>
            open(server, world.at("repo"), "approval-required", instances[agent])
          const [id, other] = [yield* opened(first), yield* opened(first)]
          const made = world.fs.exists(world.at("repo/made.txt"))
          const run = Effect.fnUntraced(function* (server: Server, thread: string, command: string) {
            // Codex asks only for what wants out of its sandbox.
            const verb = agent === "codex" ? "escalate" : "run"
            const turn = yield* send(server, thread, `${verb} ${command}`)
            return { turn, request: yield* askedBy(server, thread, turn.id) }
          })

          const { request, turn } = yield* run(first, id, "touch made.txt")
          assert.deepInclude({ ...request?.ask }, { kind: "approval", command: "touch made.txt" })
          const answered = yield* rejoin(world, "answer", id, "accept", "--remember", "thread")
          assert.strictEqual(answered.code, 0, answered.err)
          assert.strictEqual((yield* settled(first, id, turn.id)).status, "completed")
          assert.isTrue(yield* made)
          yield* first.stop

          const server = yield* world.start()
          yield* world.fs.remove(world.at("repo/made.txt"))
          const again = yield* run(server, id, "touch made.txt")
          assert.isUndefined(again.request)
          assert.strictEqual((yield* settled(server, id, again.turn.id)).status, "completed")
          assert.isTrue(yield* made)
          const told = yield* event(server, id, "request.resolved", ({ turnId }) => turnId === again.turn.id)
          assert.deepInclude(told.data as object, { by: "rule" })

          const decline = Effect.fnUntraced(function* ({
            request,
            turn
          }: Effect.Success<ReturnType<typeof run>>) {
            const params = { id: turn.threadId, requestId: request?.id ?? "" }
            yield* server.client.threads.answer({ params, payload: { decision: "decline" } })
            yield* settled(server, turn.threadId, turn.id)
          })
          const chained = yield* run(server, id, "touch made.txt; touch more.txt")
          assert.isDefined(chained.request, "that is another command")
          yield* decline(chained)
          const elsewhere = yield* run(server, other, "touch made.txt")
          assert.isDefined(elsewhere.request, "that is another thread")
          yield* decline(elsewhere)

          const listed = yield* rejoin(world, "rules", id)
          assert.include(listed.out, "touch made.txt")
          const [rule] = (yield* server.client.rules.list({ query: { thread: id } })).items
          assert.strictEqual((yield* rejoin(world, "rules", "--revoke", rule?.id ?? "")).code, 0)
          const asked = yield* run(server, id, "touch made.txt")
          assert.isDefined(asked.request, "it was taken back")
          yield* decline(asked)
        })
      )
    )
  }
})
