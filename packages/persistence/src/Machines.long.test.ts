import { assert, describe, it } from "@effect/vitest"
import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { isSettled } from "@rejoin/contracts/Turn"
import { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"
import { InMemoryUpstream } from "@rejoin/core/testing/InMemoryUpstream"
import { Effect, Option, Schedule, Stream } from "effect"
import { freshSchema, hasPostgres } from "./testing/FreshPostgres.ts"
import { beside, type Config, lease, machine, type Machine } from "./testing/TestMachine.ts"

/** The same numbers for the same seed: what fails can be seen again. */
const dice = (seed: number) => {
  let state = seed
  return (sides: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

/** A machine over the lives of its servers. */
interface Host {
  readonly id: string
  readonly upstream: InMemoryUpstream
  server: Machine
  isCut: boolean
}

const settling = new Set(["turn.completed", "turn.failed", "turn.interrupted"])

const everything = ({ store }: Machine) =>
  Stream.runCollect(
    Stream.paginate(0, (after) =>
      Effect.map(
        store.readEvents({ afterPosition: after }, 500),
        (events) =>
          [events, Option.map(Option.fromUndefinedOr(events.at(-1)), ({ position }) => position)] as const
      )
    )
  )

/** What must hold of all that was ever told, whatever befell the machines. */
const lawsOf = (events: ReadonlyArray<RuntimeEvent>): ReadonlyArray<string> => {
  const broken: Array<string> = []
  events.forEach(({ position }, at) => {
    if (position !== at + 1) broken.push(`position ${position} stands where ${at + 1} should`)
  })
  for (const [id, own] of Map.groupBy(events, ({ threadId }) => threadId)) {
    own.forEach(({ seq }, at) => {
      if (seq !== at + 1) broken.push(`${id}: seq ${seq} stands where ${at + 1} should`)
    })
    // Of a session that was lost nothing is written after the next one has begun.
    let generation = 0
    for (const event of own) {
      if (event.type === "session.started") generation = event.generation
      if (/^(item\.|warning)/.test(event.type) && event.generation < generation)
        broken.push(`${id}: ${event.type} of generation ${event.generation} after ${generation}`)
    }
    const ends = own.filter(({ type }) => settling.has(type)).map(({ turnId }) => turnId)
    if (new Set(ends).size < ends.length) broken.push(`${id}: a turn was settled twice`)
    const whole = own.filter(({ type }) => type === "item.completed").map(({ itemId }) => itemId)
    if (new Set(whole).size < whole.length) broken.push(`${id}: an item was completed twice`)
  }
  return broken
}

const run = Effect.fnUntraced(function* (config: Config, seed: number, steps: number) {
  const throwing = dice(seed)
  const hosts: Array<Host> = []
  for (const id of ["a", "b", "c"]) {
    const upstream = new InMemoryUpstream()
    hosts.push({ id, upstream, server: yield* machine(config, id, { upstream }), isCut: false })
  }
  const sql = yield* beside(config)
  const any = () => hosts[throwing(hosts.length)] ?? hosts[0]!
  const reachable = () => {
    const up = hosts.filter(({ isCut }) => !isCut)
    return up[throwing(up.length)]
  }
  const threads: Array<ThreadId> = []
  for (const { server } of hosts) threads.push(yield* server.open)
  const sent: Array<{ readonly thread: ThreadId; readonly input: string; readonly id: TurnId }> = []
  const told: Array<string> = []

  const heal = (host: Host) =>
    Effect.andThen(
      Effect.sync(() => (host.isCut = false)),
      host.server.heal
    )

  for (let at = 0; at < steps; at++) {
    const step = throwing(12)
    const thread = threads[throwing(threads.length)] ?? threads[0]!
    if (step < 6) {
      const host = reachable()
      if (host === undefined) continue
      const input = `${step < 2 ? "hold" : "say"} ${at}`
      told.push(`${host.id} ${input} on ${threads.indexOf(thread)}`)
      // What is refused was not accepted: nothing is promised of it.
      const turn = yield* Effect.option(
        Effect.timeout(host.server.service.send(thread, { input, idempotencyKey: input }), "10 seconds")
      )
      if (Option.isSome(turn)) sent.push({ thread, input, id: turn.value.id })
    } else if (step === 6) {
      const host = any()
      // One is always there.
      if (hosts.filter(({ isCut }) => isCut).length > 1) continue
      told.push(`cut ${host.id}`)
      host.isCut = true
      yield* host.server.cut
      // Its agents work on, and tell of it.
      host.upstream.tell(AdapterEvent.Warning({ message: "told while it was cut off", detail: null }))
      // Now and then for long enough that the others take it for gone.
      if (throwing(2) === 0) yield* Effect.sleep(`${lease * 2000} millis`)
    } else if (step === 7) {
      const host = hosts.find(({ isCut }) => isCut)
      if (host === undefined) continue
      told.push(`heal ${host.id}`)
      yield* heal(host)
    } else if (step === 8) {
      const host = any()
      told.push(`kill ${host.id} and start it again`)
      // Whatever it still does reaches nobody any more.
      yield* host.server.cut
      yield* host.upstream.crash
      host.isCut = false
      host.server = yield* machine(config, host.id, { upstream: host.upstream })
      yield* host.server.reconcile
    } else if (step === 9) {
      told.push("all connections end")
      yield* sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'rejoin' AND pid <> pg_backend_pid()`
    } else if (step === 10) {
      const host = reachable()
      if (host === undefined) continue
      told.push(`${host.id} loses the answer to a commit`)
      yield* host.server.loseCommit
    } else {
      yield* Effect.sleep(`${throwing(lease * 1500)} millis`)
    }
  }

  for (const host of hosts) yield* heal(host)
  const { server } = hosts[0]!
  const settled = Effect.forEach(sent, ({ id, thread }) =>
    Effect.gen(function* () {
      const turn = Option.getOrThrow(yield* server.store.getTurn(id))
      // What holds is ended by whichever machine has it.
      if (turn.status === "running" && turn.input.startsWith("hold"))
        yield* Effect.forEach(hosts, ({ server }) => Effect.ignore(server.service.interrupt(thread)))
      return isSettled(turn.status)
    })
  )
  yield* settled.pipe(
    Effect.retry(Schedule.spaced("200 millis")),
    Effect.repeat({ until: (all) => all.every(Boolean), schedule: Schedule.spaced("100 millis") }),
    Effect.timeoutOrElse({
      duration: "60 seconds",
      orElse: () => Effect.sync(() => told.push("some turn never ended"))
    })
  )
  const events = yield* everything(server)
  const broken = [...lawsOf(events)]
  for (const { input } of sent) {
    const asked = hosts.flatMap(({ upstream }) => upstream.asked.filter((message) => message.input === input))
    if (asked.length > 1) broken.push(`law 6: "${input}" was asked ${asked.length} times`)
  }
  const accepted = events.filter(({ type }) => type === "turn.accepted").length
  if (accepted < sent.length) broken.push(`${sent.length} were accepted, and ${accepted} are told`)
  if (told.at(-1) === "some turn never ended") broken.push("a turn never ended")
  return { broken, told }
})

describe.skipIf(!hasPostgres)("M: three machines, and all that can befall them", () => {
  it.live.each(Array.from({ length: 5 }, (_, at) => at + 1))("seed %i", (seed) =>
    Effect.gen(function* () {
      const { broken, told } = yield* run(yield* freshSchema, seed, 40)
      assert.deepEqual(broken, [], told.join("\n"))
    }).pipe(Effect.scoped)
  )
})
