import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { ProviderService } from "@rejoin/core/ProviderService"
import { SessionReaper } from "@rejoin/core/sessions/SessionReaper"
import { TranscriptKeeper } from "@rejoin/core/transcripts/TranscriptKeeper"
import { Threads } from "@rejoin/core/threads/Threads"
import { Effect, Option, Stream } from "effect"
import { heal, inflict } from "./InMemoryFaults.ts"
import { broke, knownThreads, type Witness } from "./InMemoryWitness.ts"
import type { Step, Verb } from "./Scenario.ts"

const memory = ProviderInstanceId.make("memory")
/** Another agent, with sessions of its own. */
export const other = ProviderInstanceId.make("other")
const places = ["/work", "/tree", "/other"] as const
const placeOf = (index: number) => places[index % places.length] ?? places[0]

/** Acts the steps of a scenario out on the core, and notes what was asked. */
export const actor = (witness: Witness) => {
  const { accepted, carried, forbidden, removed, store, told, upstream, widened } = witness
  let inputs = 0
  const inputOf = (verb: Verb) => `${verb} ${verb === "write" ? "" : "#"}${++inputs}`

  const act = Effect.fnUntraced(function* (step: Step) {
    const service = yield* ProviderService
    const threads = yield* Threads
    const ids = yield* knownThreads(witness)
    const chosen = "thread" in step ? ids[step.thread % Math.max(ids.length, 1)] : undefined
    switch (step._tag) {
      case "Open": {
        const { thread } = yield* threads.create({
          provider: memory,
          cwd: placeOf(step.place),
          runtimeMode: step.mode
        })
        if (step.mode === "read-only") forbidden.set(thread.id, [])
        return
      }
      case "Fault":
        return void inflict(upstream, step.fault)
      case "Heal":
        return heal(upstream)
      case "KillAgent":
        return yield* upstream.crash
      case "Pause":
        return
      case "Reap": {
        const reaper = yield* SessionReaper
        const running = (yield* store.openTurns("all")).filter(({ status }) => status === "running")
        yield* reaper.sweep
        for (const { id, input } of running) {
          const turn = yield* store.getTurn(id)
          const idle = Option.exists(turn, ({ error }) => error?.message.endsWith(": idle.") === true)
          if (idle) told.push(`law 8: "${input}" was running when its session was reaped`)
        }
        return
      }
      default:
    }
    if (chosen === undefined) return
    switch (step._tag) {
      case "Send": {
        const input = inputOf(step.verb)
        if (step.verb === "write") forbidden.get(chosen)?.push(input.slice(6))
        const turn = yield* service.send(chosen, { input, ...(step.steer && { delivery: "steer" as const }) })
        accepted.push({ id: turn.id, input, thread: chosen })
        return
      }
      case "Move":
        return void (yield* service.move(chosen, placeOf(step.place)))
      case "Mode":
        widened.add(chosen)
        return yield* service.update(chosen, { runtimeMode: step.mode })
      case "Interrupt":
        return yield* service.interrupt(chosen)
      case "Withdraw": {
        const turn = (yield* store.openTurns(chosen)).at(-1)
        if (turn !== undefined) yield* service.interruptTurn(chosen, turn.id)
        return
      }
      case "Answer": {
        const [request] = yield* store.listRequests(chosen)
        if (request === undefined) return
        const answer =
          request.ask.kind === "approval" ? ({ decision: "accept" } as const) : { answers: [["A"]] }
        return yield* service.answer(chosen, request.id, answer)
      }
      case "Stop":
        return yield* service.stop(chosen)
      case "Reset":
        broke(witness, chosen)
        return yield* service.reset(chosen)
      case "Fork":
        if (ids.length < 4) yield* service.fork(chosen, {})
        return
      case "Remove": {
        if (ids.length < 2) return
        removed.add(chosen)
        return yield* threads.remove(chosen)
      }
      case "HandOver": {
        const { provider } = yield* threads.record(chosen)
        return void (yield* service.handOver(chosen, { provider: provider === memory ? other : memory }))
      }
      case "Carry": {
        const bundle = yield* Stream.runCollect(yield* service.export(chosen))
        carried.add(chosen)
        return void (yield* service.import(Stream.fromArray(bundle)))
      }
      case "Copy":
        return yield* Effect.flatMap(TranscriptKeeper, (keeper) => keeper.keep(chosen))
      case "Lose": {
        const binding = yield* store.getBinding(chosen)
        const id = Option.isSome(binding) ? binding.value.providerSessionId : null
        const busy = (yield* store.openTurns(chosen)).length > 0
        if (id === null || busy) return
        broke(witness, chosen)
        upstream.delete(id)
      }
    }
  })
  return act
}
