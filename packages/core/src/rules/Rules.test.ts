import { assert, describe, it } from "@effect/vitest"
import { DirectoryMismatch } from "@rejoin/contracts/Errors"
import { RequestId, RuleId } from "@rejoin/contracts/Ids"
import { Effect } from "effect"
import { ProviderService } from "../ProviderService.ts"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { event, failureOf, makeWorld, openThread, settled } from "../testing/World.ts"
import { Rules } from "./Rules.ts"

describe("U4: standing rules", () => {
  it.effect("what is remembered is not asked again in its thread, and is once it is taken back", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const [id, other] = [yield* openThread(), yield* openThread()]
          const service = yield* ProviderService
          const rules = yield* Rules
          const store = yield* ThreadStore
          /** Answers the turn's approval where one comes. */
          const asked = Effect.fnUntraced(function* (thread: typeof id, input: string, remember?: "thread") {
            const turn = yield* service.send(thread, { input })
            yield* event(thread, "request.opened", ({ turnId }) => turnId === turn.id)
            const [request] = yield* store.listRequests(thread)
            const answer = { decision: "accept" as const, ...(remember && { remember }) }
            yield* service.answer(thread, request?.id ?? RequestId.make("none"), answer)
            return yield* settled(thread, turn.id)
          })
          assert.strictEqual((yield* asked(id, "write a", "thread")).output, "wrote a")
          const [rule] = yield* rules.list(id)
          assert.deepInclude({ ...rule }, { scope: { thread: id }, decision: "accept" })

          const again = yield* service.send(id, { input: "write a" })
          assert.strictEqual((yield* settled(id, again.id)).output, "wrote a")
          const told = yield* event(id, "request.resolved", ({ turnId }) => turnId === again.id)
          assert.deepInclude(told.data as object, { by: "rule", answer: { decision: "accept" } })
          assert.isEmpty(yield* rules.list(other))
          assert.strictEqual((yield* asked(other, "write a")).output, "wrote a", "it is asked elsewhere")

          yield* rules.remove(rule?.id ?? RuleId.make("none"))
          assert.strictEqual((yield* asked(id, "write a")).output, "wrote a")
          assert.strictEqual(
            failureOf(yield* Effect.exit(rules.remove(RuleId.make("none"))))?._tag,
            "RuleNotFound"
          )
        })
      )
    })
  )

  it.effect(
    "a rule that declines ends nothing, and a mode that was narrowed since is not widened by one",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const id = yield* openThread()
            const service = yield* ProviderService
            const rules = yield* Rules
            const store = yield* ThreadStore
            const first = yield* service.send(id, { input: "write a" })
            yield* event(id, "request.opened")
            const [request] = yield* store.listRequests(id)
            if (request?.ask.kind !== "approval") return assert.fail("an approval is asked for")
            const { ask } = request
            const nowhere = { decision: "accept", remember: "project" } as const
            assert.strictEqual(
              failureOf(yield* Effect.exit(service.answer(id, request.id, nowhere)))?._tag,
              "InvalidInput",
              "it belongs to no project"
            )
            yield* service.answer(id, request.id, { decision: "decline", remember: "thread" })
            yield* settled(id, first.id)
            const second = yield* service.send(id, { input: "write a" })
            yield* settled(id, second.id)
            const told = yield* event(id, "request.resolved", ({ turnId }) => turnId === second.id)
            assert.deepInclude(told.data as object, { by: "rule" })
            assert.isEmpty(yield* store.listRequests(id))

            for (const rule of yield* rules.list(id)) yield* rules.remove(rule.id)
            const pattern = ask.covers?.[0] ?? ""
            yield* rules.create({ scope: { thread: id }, tool: ask.permission, pattern, decision: "accept" })
            assert.isTrue((yield* rules.decide(id, ask))._tag === "Some")
            yield* service.update(id, { runtimeMode: "read-only" })
            assert.isTrue((yield* rules.decide(id, ask))._tag === "None")
          })
        )
      })
  )

  it.effect("laws 3 and 4: a session that is not as it should be is answered by no rule", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const service = yield* ProviderService
          const rules = yield* Rules
          const first = yield* service.send(id, { input: "write a" })
          yield* event(id, "request.opened")
          const [request] = yield* world.store.listRequests(id)
          const answer = { decision: "accept", remember: "thread" } as const
          const live = (yield* LiveSessions).get(id)
          if (live === undefined || request === undefined) return assert.fail("it asks")
          // The agent's own word that it is answered comes first: the rule is kept all the same.
          const { session } = live
          const given = session.answer.bind(session)
          Object.assign(session, {
            answer: (...args: Parameters<typeof given>) =>
              Effect.andThen(given(...args), world.store.deleteRequest(id, request.id))
          })
          yield* service.answer(id, request.id, answer)
          yield* settled(id, first.id)
          assert.lengthOf(yield* rules.list(id), 1)

          const sent = session.send.bind(session)
          Object.assign(session, {
            send: (turn: Parameters<typeof sent>[0]) =>
              Effect.suspend(() => {
                live.quarantine = new DirectoryMismatch({ asked: "/a", found: "/b", message: "elsewhere" })
                return sent(turn)
              })
          })
          const second = yield* service.send(id, { input: "write a" })
          yield* event(id, "request.opened", ({ turnId }) => turnId === second.id)
        })
      )
    })
  )
})
