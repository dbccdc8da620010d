import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { layer as ollamaLayer } from "@rejoin/adapter-ollama/OllamaAdapter"
import type { WireName } from "@rejoin/adapter-ollama/OllamaOptions"
import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { ProviderService } from "@rejoin/core/ProviderService"
import { WorkingDirectory } from "@rejoin/core/threads/WorkingDirectory"
import { ModelServer } from "@rejoin/model-server/ModelServer"
import { all, conformance } from "@rejoin/testkit/Conformance"
import type { Harness } from "@rejoin/testkit/conformance/Harness"
import { event, makeLives, say, send, settled } from "@rejoin/testkit/conformance/Lives"
import { Context, Effect, FileSystem, Layer } from "effect"
import { scripted } from "./Scripted.ts"

const instance = ProviderInstanceId.make("local")

interface Behaviour {
  readonly most: number
  readonly cuts: boolean
}

/** A server of models on loopback, which is scripted, and a directory for our records. */
const ollamaGround = Effect.fn("ollamaGround")(function* (
  wire: WireName,
  behaviour: Behaviour = { most: 100_000, cuts: false },
  context?: number
) {
  const fs = yield* FileSystem.FileSystem
  const root = yield* Effect.flatMap(fs.makeTempDirectoryScoped({ prefix: "rejoin-e2e-" }), fs.realPath)
  const model = Context.get(
    yield* Layer.build(ModelServer.layer(scripted, { ollama: behaviour })),
    ModelServer
  )
  const places = {
    repo: `${root}/repo`,
    tree: `${root}/tree`,
    other: `${root}/other`,
    alias: `${root}/tree/../repo/`
  }
  for (const name of ["repo", "tree", "other", "elsewhere"])
    yield* fs.makeDirectory(`${root}/${name}`, { recursive: true })
  const build = (directory: string, url: string) =>
    Layer.provide(ollamaLayer({ id: instance, wire, url, directory, context }), NodeServices.layer)
  const url = wire === "ollama" ? model.origin : model.url
  const records = `${root}/records`
  const harness: Harness = {
    instance,
    placeless: true,
    adapter: build(records, url),
    elsewhere: build(`${root}/elsewhere`, url),
    directories: Layer.provide(WorkingDirectory.layer, NodeServices.layer),
    places,
    isWritten: (path) => Effect.orDie(fs.exists(path)),
    sessions: fs.readDirectory(records).pipe(
      Effect.map((names) => names.filter((name) => name.endsWith(".jsonl")).sort()),
      Effect.orElseSucceed(() => [])
    ),
    processes: Effect.succeed(0),
    faults: {
      lose: (id) => Effect.orDie(fs.remove(`${records}/${id}.jsonl`)),
      corrupt: (id) => Effect.orDie(fs.writeFileString(`${records}/${id}.jsonl`, "no record\n")),
      crash: Effect.void
    }
  }
  return { harness: Effect.succeed(harness), model, records, root, fs, build }
})

const on = <A, E>(
  wire: WireName,
  body: (
    ground: Effect.Success<ReturnType<typeof ollamaGround>>,
    lives: Effect.Success<ReturnType<typeof makeLives>>
  ) => Effect.Effect<A, E>,
  behaviour?: Behaviour,
  context?: number
) =>
  Effect.gen(function* () {
    const ground = yield* ollamaGround(wire, behaviour, context)
    return yield* body(ground, yield* Effect.flatMap(ground.harness, makeLives))
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

for (const wire of ["ollama", "openai"] as const) {
  // It has no tools: what a directory and powers are for, it does not do.
  const { handover, resume } = all
  conformance(
    `a model without an agent, by the API of ${wire}`,
    ollamaGround(wire).pipe(Effect.provide(NodeServices.layer)),
    { suites: { resume, handover } }
  )

  describe(`A12: a model without an agent, by the API of ${wire}`, () => {
    it.live(
      "turns: text, reasoning, a failure that passes and one that does not, pictures, an interrupt",
      () =>
        on(wire, ({ model }, lives) =>
          lives.life(() =>
            Effect.gen(function* () {
              const service = yield* ProviderService
              const id = yield* lives.open({ systemPrompt: "The password is swordfish." })
              assert.strictEqual((yield* say(id, "hello")).output, "hello")
              assert.strictEqual((yield* say(id, "password")).output, "swordfish")
              const thought = yield* say(id, "think deeply")
              assert.strictEqual(thought.output, "thought: deeply")
              assert.strictEqual((yield* say(id, "stumble 500")).output, "recovered from 500")
              const failed = yield* say(id, "fail 400")
              assert.strictEqual(failed.error?._tag, "ProviderFailed")

              const held = yield* send(id, "hold on")
              yield* event(id, ["item.updated"], ({ turnId }) => turnId === held.id)
              yield* service.interrupt(id)
              assert.strictEqual((yield* settled(id, held.id)).status, "interrupted")
              // What it had said is in the conversation, and so is the failed question.
              assert.match((yield* say(id, "go on")).output, /fail 400 \| hold on \| go on$/)
              const sent = JSON.stringify(model.requests().at(-1)?.body)
              assert.include(sent, '"holding')
              const picture = yield* service.send(id, {
                input: "look",
                attachments: [{ name: "a.png", mediaType: "image/png", data: "aGVsbG8=" }]
              })
              assert.strictEqual((yield* settled(id, picture.id)).status, "completed")
              assert.include(JSON.stringify(model.requests().at(-1)?.body), "aGVsbG8=")
              const unfit = yield* service.send(id, {
                input: "look",
                attachments: [{ name: "a.pdf", mediaType: "application/pdf", data: "aGVsbG8=" }]
              })
              assert.include((yield* settled(id, unfit.id)).error?.message, "a.pdf")
            })
          )
        )
    )

    it.live(
      "all four modes hold, by structure; a move and a fork carry the conversation, which is no directory's",
      () =>
        on(wire, ({ model }, lives) =>
          lives.life(() =>
            Effect.gen(function* () {
              const service = yield* ProviderService
              const { places } = lives.harness
              const id = yield* lives.open({ runtimeMode: "read-only" })
              const first = yield* say(id, "one")
              yield* say(id, "two")
              for (const runtimeMode of ["approval-required", "auto-accept-edits", "full-access"] as const) {
                yield* service.update(id, { runtimeMode })
                yield* say(id, `as ${runtimeMode}`)
                assert.notProperty(model.requests().at(-1)?.body, "tools")
              }
              yield* service.move(id, places.tree)
              assert.match((yield* say(id, "three")).output, /^one \| two \| .* \| three$/)
              const fork = yield* service.fork(id, { turnId: first.id })
              assert.strictEqual((yield* say(fork.id, "else")).output, "one | else")
            })
          )
        )
    )
  })
}

describe("A12: the window of a model", () => {
  const long = "word ".repeat(300)

  it.live(
    "Ollama is told the window each time, and to cut nothing off; what does not fit is refused with the numbers",
    () =>
      on(
        "ollama",
        ({ model }, lives) =>
          lives.life(() =>
            Effect.gen(function* () {
              const id = yield* lives.open()
              yield* say(id, "one")
              assert.deepInclude(model.requests().at(-1)?.body, {
                truncate: false,
                shift: false,
                options: { num_ctx: 1000 }
              })
              // Three times the window, in pieces and at once.
              let refused = yield* say(id, `${long} 0`)
              for (let i = 1; i < 8 && refused.status === "completed"; i++)
                refused = yield* say(id, `${long} ${i}`)
              assert.strictEqual(refused.error?._tag, "ProviderFailed")
              assert.match(String(refused.error?.message), /does not fit|has \d+ tokens, .* here has 1000/)
              assert.include(refused.error?.hint, "context")
              const huge = yield* say(id, long.repeat(10))
              assert.strictEqual(huge.error?._tag, "ProviderFailed")
            })
          ),
        { most: 1000, cuts: false }
      )
  )

  it.live(
    "an engine that cuts off all the same is found out: its answer is none, and the thread goes on",
    () =>
      on(
        "ollama",
        (_, lives) =>
          lives.life(() =>
            Effect.gen(function* () {
              const id = yield* lives.open()
              yield* say(id, "my name is Ada")
              const turns = []
              for (let i = 0; i < 6; i++) turns.push(yield* say(id, `${long} ${i}`))
              const failed = turns.filter(({ status }) => status === "failed")
              assert.isAbove(failed.length, 0)
              for (const { error } of failed)
                assert.include(["HistoryMismatch", "ProviderFailed"], error?._tag)
              // Whatever was answered was answered by who had read all of it.
              for (const { output, status } of turns)
                if (status === "completed") assert.match(output, /^my name is Ada/)
            })
          ),
        { most: 1000, cuts: true }
      )
  )

  it.live("a missing model is no lost conversation; a server that is away neither", () =>
    on("ollama", ({ build, records, model }, lives) =>
      Effect.gen(function* () {
        const id = yield* lives.life(() => Effect.tap(lives.open(), (id) => say(id, "one")))
        const turn = yield* lives.life(() => say(id, "two"), {
          adapter: build(records, "http://127.0.0.1:9")
        })
        assert.strictEqual(turn.error?._tag, "ProviderUnavailable")
        assert.strictEqual((yield* lives.life(() => say(id, "three"))).output, "one | two | three")
        assert.isAbove(model.requests().length, 0)
        const [receipt] = yield* lives.store.listReceipts(id, { limit: 1 })
        assert.strictEqual(receipt?.outcome, "adopted")
      })
    )
  )
})
