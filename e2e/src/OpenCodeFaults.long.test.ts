import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { type Fault, faultyProxy } from "./FaultyProxy.ts"
import { foreignServer } from "./OpenCodeApi.ts"
import { event, live, makeWorld, open, say, send, settled, until } from "./World.ts"

describe("OpenCode: a server of somebody else, by its URL", () => {
  it.live(
    "C7–C10, C33: 401, 500 that says not found, a page, a bare or foreign 404, a broken connection: no create",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const foreign = yield* foreignServer(world)
          const proxy = yield* faultyProxy(foreign.url)
          yield* world.configure({ providers: [{ id: "opencode", driver: "opencode", url: proxy.url }] })
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"))
          assert.strictEqual((yield* say(server, id, "one")).output, "one")
          const expected: ReadonlyArray<readonly [Fault, string]> = [
            ["unauthorized", "ProbeInconclusive"],
            ["server-error", "ProbeInconclusive"],
            ["page", "ProbeInconclusive"],
            ["bare-404", "ProbeInconclusive"],
            ["foreign-404", "ProbeInconclusive"],
            ["refused", "ProviderUnavailable"]
          ]
          for (const [fault, tag] of expected) {
            for (const restart of [false, true]) {
              if (restart) yield* Effect.ignore(server.client.sessions.stop({ params: { id } }))
              proxy.state.fault = fault
              const turn = yield* say(server, id, `with ${fault}`)
              assert.strictEqual(turn.error?._tag, tag, `${fault} ${restart ? "after a stop" : "live"}`)
              proxy.state.fault = "none"
            }
          }
          assert.strictEqual((yield* say(server, id, "two")).output, "one | two")
          const sessions = yield* Effect.promise(() =>
            foreign.sdk.session.list({ directory: world.at("repo") })
          )
          assert.lengthOf(sessions.data ?? [], 1)
        })
      )
  )

  it.live(
    "law 6: a prompt whose answer was lost on the way back is not sent again, and what it started is ended",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const foreign = yield* foreignServer(world)
          const proxy = yield* faultyProxy(foreign.url)
          yield* world.configure({ providers: [{ id: "opencode", driver: "opencode", url: proxy.url }] })
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"))
          yield* say(server, id, "one")
          proxy.state.fault = "lost-answer"
          const turn = yield* say(server, id, "hold on")
          assert.strictEqual(turn.status, "interrupted")
          assert.strictEqual(turn.error?._tag, "ProviderFailed")
          proxy.state.fault = "none"
          assert.strictEqual((yield* say(server, id, "two")).output, "one | hold on | two")
          const status = yield* Effect.promise(() =>
            foreign.sdk.session.status({ directory: world.at("repo") })
          )
          assert.deepEqual(status.data, {})
        })
      )
  )

  it.live(
    "C17, C28: stopping us stops nothing of theirs; the turn that we ran there is aborted, and only that",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const foreign = yield* foreignServer(world)
          yield* world.configure({ providers: [{ id: "opencode", driver: "opencode", url: foreign.url }] })
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"))
          yield* send(server, id, "hold on")
          yield* event(server, id, "item.updated")
          const busy = () => foreign.sdk.session.status({ directory: world.at("repo") })
          assert.lengthOf(Object.keys((yield* Effect.promise(busy)).data ?? {}), 1)
          assert.strictEqual(yield* server.stop, 0)
          assert.deepEqual((yield* Effect.promise(busy)).data, {})

          // What somebody else runs there is not ours to end, though the session is the thread's.
          const sessions = yield* Effect.promise(() =>
            foreign.sdk.session.list({ directory: world.at("repo") })
          )
          const sessionID = sessions.data?.[0]?.id ?? ""
          const again = yield* world.start()
          yield* say(again, id, "two")
          const parts = [{ type: "text" as const, text: "hold on" }]
          yield* Effect.promise(() => foreign.sdk.session.promptAsync({ sessionID, parts }))
          yield* until(Effect.promise(async () => Object.keys((await busy()).data ?? {}).length === 1))
          assert.strictEqual(yield* again.stop, 0)
          assert.lengthOf(Object.keys((yield* Effect.promise(busy)).data ?? {}), 1)
          assert.isTrue((yield* Effect.promise(() => foreign.sdk.global.health())).data?.healthy)
        })
      )
  )
})

describe("OpenCode: threads side by side", () => {
  it.live("a steer joins the running turn and reaches the model", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const server = yield* world.start()
        const id = yield* open(server, world.at("repo"))
        const running = yield* send(server, id, "run sleep 2")
        yield* event(server, id, "item.started", ({ data }) => JSON.stringify(data).includes("sleep 2"))
        const steered = yield* server.client.turns.send({
          params: { id },
          payload: { input: "and this", delivery: "steer" }
        })
        assert.strictEqual(steered.id, running.id)
        const turn = yield* settled(server, id, running.id)
        assert.strictEqual(turn.status, "completed")
        assert.strictEqual(turn.output, "run sleep 2 | and this")
        assert.strictEqual((yield* say(server, id, "next")).output, "run sleep 2 | and this | next")
      })
    )
  )
})

describe("OpenCode: sub-agents", () => {
  it.live("law 4: a sub-agent asks where its session asks, and does not where it may do all", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const server = yield* world.start()
        const written = (name: string) => world.fs.exists(`${world.at("repo")}/${name}`)
        const asking = yield* open(server, world.at("repo"), "approval-required")
        const turn = yield* send(server, asking, "delegate run touch sub.txt")
        // Two asks: to delegate, and the sub-agent's own command. The second is declined.
        const decide = (count: number, decision: "accept" | "decline") =>
          Effect.gen(function* () {
            const opened = yield* server.client.follow(asking, 0).pipe(
              Stream.filter(({ type }) => type === "request.opened"),
              Stream.take(count),
              Stream.runCollect
            )
            yield* until(
              Effect.map(
                server.client.threads.requests({ params: { id: asking } }),
                ({ items }) => items.length > 0
              )
            )
            const [request] = (yield* server.client.threads.requests({ params: { id: asking } })).items
            yield* server.client.threads.answer({
              params: { id: asking, requestId: request?.id ?? "" },
              payload: { decision }
            })
            return JSON.stringify(opened.at(-1)?.data)
          })
        assert.include(yield* decide(1, "accept"), "task")
        assert.include(yield* decide(2, "decline"), "touch sub.txt")
        assert.strictEqual((yield* settled(server, asking, turn.id)).status, "completed")
        assert.isFalse(yield* written("sub.txt"))

        const free = yield* open(server, world.at("repo"), "full-access")
        assert.strictEqual((yield* say(server, free, "delegate run touch free.txt")).status, "completed")
        assert.isTrue(yield* written("free.txt"))
      })
    )
  )
})
