import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { Probe } from "../plan/Probe.ts"
import { ProviderService } from "../ProviderService.ts"
import { failureOf, makeWorld, openThread, say, sendHeld, settled } from "../testing/World.ts"

type World = Effect.Success<ReturnType<typeof makeWorld>>
type Id = Parameters<typeof say>[0]

// As a test reads it, without brands.
const has = (actual: object | undefined, expected: Readonly<Record<string, unknown>>) =>
  assert.deepInclude(actual, expected)

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), ({ _tag }) => _tag)

const binding = ({ store }: World, id: Id) => Effect.map(store.getBinding(id), Option.getOrThrow)

/** A thread with a turn, whose session was handed to a terminal in which the agent runs. */
const released = Effect.fnUntraced(function* (world: World) {
  const service = yield* ProviderService
  const id = yield* openThread({ runtimeMode: "full-access" })
  yield* say(id, "one")
  const command = yield* service.release(id, ["--verbose"])
  world.terminal.runs = "agent"
  world.terminal.reports = [{ pid: 1, told: null }]
  return { id, command, service }
})

/** A session that the terminal began by itself, with what was said in it. */
const another = ({ upstream }: World, ...said: ReadonlyArray<string>) =>
  upstream.create({
    title: "the user's own",
    createdAt: 0,
    directory: "/work",
    mode: undefined,
    model: null,
    messages: said.map((input, i) => ({ id: `own_${i}`, input }))
  }).id

describe("a session that is handed to the user's own terminal", () => {
  it.effect(
    "E1: it is checked, ended here, and told with its own id, directory, powers and the user's flags",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const { command, id } = yield* released(world)
            has(command, {
              providerSessionId: "mem_1",
              cwd: "/work",
              args: ["resume", "mem_1", "full-access", "--verbose"]
            })
            assert.isUndefined((yield* LiveSessions).get(id))
            assert.strictEqual(world.upstream.open, 0)
            const { terminal } = yield* binding(world, id)
            assert.strictEqual(command.env["REJOIN_TERMINAL"], terminal?.id)
          })
        )
      })
  )

  it.effect("law 5: while the agent runs there nothing is started here, over a restart too", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { id } = yield* world.life(released(world))
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const turn = yield* say(id, "two")
          assert.strictEqual(turn.error?._tag, "SessionHeldElsewhere")
          const refusals = [
            yield* tagOf(service.claim(id)),
            yield* tagOf(service.move(id, "/other")),
            yield* tagOf(service.release(id, []))
          ]
          for (const tag of refusals) assert.strictEqual(tag, "SessionHeldElsewhere")
          assert.strictEqual(world.upstream.open, 0)
          assert.deepEqual(world.upstream.history("mem_1"), ["one"])
        })
      )
    })
  )

  it.effect("a follow-up after it has ended goes on in the same conversation, without being asked for", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { id } = yield* world.life(released(world))
      world.upstream.sessions.get("mem_1")?.messages.push({ id: "own", input: "said in the terminal" })
      world.terminal.runs = "none"
      const turn = yield* world.life(say(id, "two"))
      assert.strictEqual(turn.output, "one | said in the terminal | two")
      assert.isNull((yield* binding(world, id)).terminal)
    })
  )

  it.effect(
    "E4, E11: a new session that came out of it is followed: lineage, receipt, and no other thread's",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const { id, service } = yield* released(world)
            const cleared = another(world, "after clear")
            world.terminal.runs = "none"
            world.terminal.reports = [{ pid: 1, told: { session: cleared } }]
            const receipt = yield* service.claim(id)
            has(receipt, {
              outcome: "adopted",
              providerSessionIdBefore: "mem_1",
              providerSessionIdAfter: cleared
            })
            assert.strictEqual((yield* say(id, "two")).output, "after clear | two")
            const [old] = yield* world.store.listLineage(id)
            has(old, { providerSessionId: "mem_1" })

            // Another thread's terminal that says the same does not get it.
            const other = yield* released(world)
            world.terminal.runs = "none"
            world.terminal.reports = [{ pid: 1, told: { session: cleared } }]
            const refused = yield* Effect.exit(other.service.claim(other.id))
            assert.strictEqual(failureOf(refused)?._tag, "SessionHeldElsewhere")
          })
        )
      })
  )

  it.effect("I4: what was said there is in the thread, each once, whether it went on in a copy or anew", () =>
    Effect.gen(function* () {
      const inputs = (world: World, id: Id) =>
        Effect.map(world.store.listTurns(id, { limit: 20 }), (turns) => turns.map(({ input }) => input))
      const gone = Effect.fnUntraced(function* (copies: boolean) {
        const world = yield* makeWorld()
        return yield* world.life(
          Effect.gen(function* () {
            const first = yield* released(world)
            const { id, service } = first
            world.terminal.runs = "none"
            world.terminal.reports = []
            yield* TestClock.adjust("61 seconds")
            yield* say(id, "more")
            yield* service.release(id, [])
            world.upstream.sessions.get("mem_1")?.messages.push({ id: "in_old", input: "in the old one" })
            const said = copies ? ["one", "more", "in the old one", "in the new one"] : ["in the new one"]
            const next = another(world, ...said)
            world.terminal.runs = "none"
            world.terminal.reports = [{ pid: 1, told: { session: next } }]
            yield* service.claim(id)
            yield* say(id, "two")
            return yield* inputs(world, id)
          })
        )
      })
      const expected = ["one", "more", "in the old one", "in the new one", "two"]
      assert.deepEqual(yield* gone(false), expected)
      assert.deepEqual(yield* gone(true), expected)
    })
  )

  it.effect("a new session in which nothing was said is none: the conversation is where it was", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const { id, service } = yield* released(world)
          world.terminal.runs = "none"
          world.terminal.reports = [{ pid: 1, told: { session: "mem_99" } }]
          assert.strictEqual((yield* service.claim(id)).providerSessionIdAfter, "mem_1")
          assert.strictEqual((yield* say(id, "two")).output, "one | two")
        })
      )
    })
  )

  it.effect("law 2: where it cannot be told whether the new one is there, nothing is decided", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const { id, service } = yield* released(world)
          const cleared = another(world, "after clear")
          world.terminal.runs = "none"
          world.terminal.reports = [{ pid: 1, told: { session: cleared } }]
          world.upstream.faults.probe = Probe.Unavailable({ cause: "ECONNREFUSED" })
          assert.strictEqual(failureOf(yield* Effect.exit(service.claim(id)))?._tag, "ProbeInconclusive")
          delete world.upstream.faults.probe
          assert.strictEqual((yield* say(id, "two")).output, "after clear | two")
        })
      )
    })
  )

  it.effect("where it is not certain that nothing of it runs any more, only a claim takes it back", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const { id, service } = yield* released(world)
          for (const runs of ["unknown", "something"] as const) {
            world.terminal.runs = runs
            assert.strictEqual((yield* say(id, "two")).error?._tag, "SessionHeldElsewhere")
          }
          yield* service.claim(id)
          assert.strictEqual((yield* say(id, "three")).output, "one | three")
        })
      )
    })
  )

  it.effect("law 5: until the agent is seen there, it is awaited for a minute", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const { id } = yield* released(world)
          world.terminal.runs = "none"
          world.terminal.reports = []
          assert.strictEqual((yield* say(id, "too early")).error?._tag, "SessionHeldElsewhere")
          yield* TestClock.adjust("61 seconds")
          assert.strictEqual((yield* say(id, "two")).output, "one | two")
        })
      )
    })
  )

  it.effect("law 1: a conversation that began anew in the act is not handed over as the old one", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const id = yield* openThread()
          yield* say(id, "one")
          yield* service.stop(id)
          world.upstream.delete("mem_1")
          assert.strictEqual(yield* tagOf(service.release(id, [])), "UpstreamLost")
          assert.isNull((yield* binding(world, id)).terminal)
        })
      )
    })
  )

  it.effect("a reset starts anew although the terminal has the old session", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const { id, service } = yield* released(world)
          yield* service.reset(id)
          assert.strictEqual((yield* say(id, "two")).output, "two")
        })
      )
    })
  )

  it.effect("a thread with a turn is busy; an agent without an interface of its own opens none", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const id = yield* openThread()
          const turn = yield* sendHeld(id)
          assert.strictEqual(failureOf(yield* Effect.exit(service.release(id, [])))?._tag, "ThreadBusy")
          yield* service.interrupt(id)
          yield* settled(id, turn)
          world.upstream.capabilities = { ...world.upstream.capabilities, terminal: false }
          assert.strictEqual(
            failureOf(yield* Effect.exit(service.release(id, [])))?._tag,
            "CapabilityMissing"
          )
        })
      )
    })
  )
})
