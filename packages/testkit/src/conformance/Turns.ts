import { assert } from "@effect/vitest"
import { ProviderService } from "@rejoin/core/ProviderService"
import { SessionReaper } from "@rejoin/core/sessions/SessionReaper"
import { Threads } from "@rejoin/core/threads/Threads"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { Duration, Effect } from "effect"
import { event, type Lives, say, sayAnswering, send, settled } from "./Lives.ts"
import type { Suite } from "./Suite.ts"

type Id = Parameters<typeof say>[0]

const itemsOf = Effect.fnUntraced(function* (id: Id, turnId: string) {
  const threads = yield* Threads
  const items = yield* threads.items(id, { limit: 500 })
  return items.filter((item) => item.turnId === turnId)
})

/** The same work gives the same items, whichever agent does it. */
export const scenario: ReadonlyArray<{
  readonly input: string
  readonly status: "completed" | "failed"
  readonly kinds: ReadonlyArray<string>
}> = [
  { input: "hello", status: "completed", kinds: ["user-message", "assistant-message"] },
  { input: "think deeply", status: "completed", kinds: ["user-message", "reasoning", "assistant-message"] },
  { input: "run pwd", status: "completed", kinds: ["user-message", "command", "assistant-message"] },
  {
    input: "write made.txt text",
    status: "completed",
    kinds: ["user-message", "file-change", "assistant-message"]
  },
  { input: "stumble 500", status: "completed", kinds: ["user-message", "assistant-message"] },
  { input: "fail 400", status: "failed", kinds: ["user-message"] },
  { input: "go on", status: "completed", kinds: ["user-message", "assistant-message"] }
]

const held = Effect.fnUntraced(function* (lives: Lives) {
  const id = yield* lives.open()
  const turn = yield* send(id, "hold on")
  yield* event(id, ["turn.started"], ({ turnId }) => turnId === turn.id)
  return { id, turn }
})

/** Turns as users and programs see them, from the first event to the last. */
export const turns: Suite = (test) => {
  test("C31: text, reasoning, a command, an edit, a failure: the same items, in order, complete", (lives) =>
    lives.life(() =>
      Effect.gen(function* () {
        const id = yield* lives.open()
        for (const { input, kinds, status } of scenario) {
          const turn = yield* say(id, input)
          assert.strictEqual(turn.status, status, input)
          const items = yield* itemsOf(id, turn.id)
          assert.deepEqual(
            items.map(({ kind }) => kind),
            kinds,
            input
          )
          for (const item of items) assert.strictEqual(item.status, "completed", `${input}: ${item.kind}`)
          assert.strictEqual(items[0]?.text, input)
          if (status === "completed") assert.strictEqual(items.at(-1)?.text, turn.output, input)
        }
        const [command] = (yield* itemsOf(id, (yield* say(id, "run pwd")).id)).slice(1)
        assert.strictEqual(command?.command, "pwd")
        assert.strictEqual(command?.cwd, lives.harness.places.repo)
        const told = lives.harness.tellsNoOutput !== true
        assert.strictEqual(command?.exitCode, told ? 0 : undefined)
        if (told) assert.include(command?.output, lives.harness.places.repo)
        const { usage } = yield* Effect.flatMap(Threads, (threads) => threads.get(id))
        assert.isAbove(usage.inputTokens, 0)
        assert.isAbove(usage.outputTokens, 0)
      })
    ))

  test("a model's error is on the turn, with what the provider said of it", (lives) =>
    lives.life(() =>
      Effect.gen(function* () {
        const id = yield* lives.open()
        const failed = yield* say(id, "fail 400")
        assert.strictEqual(failed.status, "failed")
        assert.strictEqual(failed.error?._tag, "ProviderFailed")
        assert.strictEqual((yield* say(id, "go on")).status, "completed")
      })
    ))

  test("what the model's API refuses each time is told with the way round it: a fork from the turn before", (lives) =>
    lives.life((adapter) =>
      Effect.gen(function* () {
        const service = yield* ProviderService
        const { fork: forks } = yield* adapter.capabilities
        const id = yield* lives.open()
        const before = yield* say(id, "one")
        const poisoned = yield* say(id, "poison")
        assert.strictEqual(poisoned.status, "failed")
        assert.match(String(poisoned.error?.hint), /fork the thread from the turn before/)
        if (!forks.includes("turn")) return
        assert.strictEqual((yield* say(id, "two")).status, "failed")
        const fork = yield* service.fork(id, { turnId: before.id })
        assert.match((yield* say(fork.id, "three")).output, /^one \| .*three$/)
      })
    ))

  test("T3: what was steered in is ours, and not told as said elsewhere", (lives) =>
    lives.life(() =>
      Effect.gen(function* () {
        const service = yield* ProviderService
        const store = yield* ThreadStore
        const id = yield* lives.open()
        yield* say(id, "one")
        const turn = yield* send(id, "run true; sleep 2")
        yield* event(id, ["item.started"], ({ data }) => JSON.stringify(data).includes("sleep 2"))
        const steered = yield* service.send(id, { input: "and this", delivery: "steer" })
        yield* settled(id, turn.id)
        yield* settled(id, steered.id)
        yield* service.stop(id)
        yield* say(id, "two")
        const [receipt] = yield* store.listReceipts(id, { limit: 1 })
        assert.deepInclude({ ...receipt }, { outcome: "adopted" })
        assert.isUndefined(receipt?.ahead)
      })
    ))

  test("an account that the model's API does not take is told as that", (lives) =>
    lives.life(() =>
      Effect.gen(function* () {
        const id = yield* lives.open()
        yield* say(id, "one")
        const failed = yield* say(id, "fail 401")
        assert.strictEqual(failed.status, "failed")
        assert.match(String(failed.error?.hint), /^Log in with/)
        assert.strictEqual((yield* say(id, "go on")).status, "completed")
      })
    ))

  test("a question is answered with what was chosen", (lives) =>
    lives.life(() =>
      Effect.gen(function* () {
        const service = yield* ProviderService
        const store = yield* ThreadStore
        const id = yield* lives.open()
        if (lives.harness.asksNothing === true) {
          assert.include((yield* say(id, "ask me")).output, "there is no tool")
          return
        }
        const turn = yield* send(id, "ask me")
        yield* event(id, ["user-input.opened"])
        const [request] = yield* store.listRequests(id)
        if (request?.ask.kind !== "user-input") return assert.fail("no question was asked")
        assert.deepEqual(
          request.ask.questions[0]?.options.map(({ label }) => label),
          ["A", "B"]
        )
        yield* service.answer(id, request.id, { answers: [["B"]] })
        assert.include((yield* settled(id, turn.id)).output, "B")
        assert.lengthOf(yield* store.listRequests(id), 0)
      })
    ))

  test("an interrupt ends a turn that streams, and the conversation goes on", (lives) =>
    lives.life(() =>
      Effect.gen(function* () {
        const service = yield* ProviderService
        const { id, turn } = yield* held(lives)
        yield* service.interrupt(id)
        assert.strictEqual((yield* settled(id, turn.id)).status, "interrupted")
        const { output } = yield* say(id, "two")
        assert.include(output, "two")
        lives.note("cancelled turn", output.includes("hold on") ? "kept" : "dropped")
        for (const item of yield* itemsOf(id, turn.id)) assert.notStrictEqual(item.status, "started")
      })
    ))

  test("cancel declines what is asked and ends the turn; the conversation goes on", (lives) =>
    lives.life(() =>
      Effect.gen(function* () {
        const id = yield* lives.open({ runtimeMode: "approval-required" })
        const { asked, turn } = yield* sayAnswering(id, "write cancelled.txt text", "cancel")
        assert.strictEqual(asked, 1)
        assert.strictEqual(turn.status, "interrupted")
        assert.isFalse(yield* lives.harness.isWritten(`${lives.harness.places.repo}/cancelled.txt`))
        assert.include((yield* say(id, "two")).output, "two")
      })
    ))

  test("T2: what is sent meanwhile waits, and is answered in its order", (lives) =>
    lives.life(() =>
      Effect.gen(function* () {
        const service = yield* ProviderService
        const { id, turn } = yield* held(lives)
        const second = yield* send(id, "two")
        const third = yield* send(id, "three")
        yield* service.interrupt(id)
        assert.strictEqual((yield* settled(id, turn.id)).status, "interrupted")
        assert.match((yield* settled(id, second.id)).output, /two$/)
        assert.match((yield* settled(id, third.id)).output, /two \| three$/)
      })
    ))

  test("C34: an idle session is reaped, one with a running turn is not; the follow-up has its context", (lives) =>
    lives.life(
      () =>
        Effect.gen(function* () {
          const reaper = yield* SessionReaper
          const service = yield* ProviderService
          const idle = yield* lives.open()
          yield* say(idle, "my name is Ada")
          const { id, turn } = yield* held(lives)
          assert.strictEqual(yield* reaper.sweep, 1)
          assert.strictEqual((yield* say(idle, "two")).output, "my name is Ada | two")
          yield* service.interrupt(id)
          assert.strictEqual((yield* settled(id, turn.id)).status, "interrupted")
        }),
      { settings: { idle: Duration.zero } }
    ))
}
