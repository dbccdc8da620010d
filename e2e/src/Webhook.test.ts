import { assert, describe, it } from "@effect/vitest"
import { signatureOf } from "@rejoin/server/Webhook"
import { Effect, Queue, Scope } from "effect"
import { createServer } from "node:http"
import { live, makeWorld, open, say, send } from "./World.ts"

interface Told {
  readonly body: string
  readonly signature: string | undefined
}

/** A program that is told: what comes to it, and what it answers. */
const makeListener = Effect.gen(function* () {
  const told = yield* Queue.unbounded<Told>()
  const answers: Array<number> = []
  /** What was sent on to where a redirect leads. */
  const strayed: Array<string> = []
  const server = createServer((request, response) => {
    let body = ""
    request.on("data", (piece) => (body += String(piece)))
    request.on("end", () => {
      response.statusCode = answers.shift() ?? 200
      if (request.url === "/elsewhere") strayed.push(request.method ?? "")
      if (response.statusCode === 302) response.setHeader("location", "/elsewhere")
      response.end()
      if (response.statusCode === 200)
        Queue.offerUnsafe(told, { body, signature: String(request.headers["x-rejoin-signature"]) })
    })
  })
  yield* Effect.callback<void>((resume) => {
    server.listen(0, "127.0.0.1", () => resume(Effect.void))
  })
  yield* Scope.addFinalizer(
    yield* Scope.Scope,
    Effect.sync(() => {
      server.closeAllConnections()
      server.close()
    })
  )
  const address = server.address()
  const port = typeof address === "object" ? address?.port : undefined
  return { answers, strayed, next: Queue.take(told), url: `http://127.0.0.1:${port}/told` }
})

describe("U3: another program is told what waits and what has ended", () => {
  it.live("signed, in order, again where it was not taken, and after a kill -9 from where it was", () =>
    live(
      Effect.gen(function* () {
        const listener = yield* makeListener
        const secret = "a secret of the tests"
        const world = yield* makeWorld({ config: { webhook: { url: listener.url, secret } } })
        const server = yield* world.start()
        const id = yield* open(server, world.at("repo"), "approval-required")
        const next = Effect.map(listener.next, ({ body, signature }) => {
          assert.strictEqual(signature, signatureOf(secret, body))
          return JSON.parse(body) as { id: number; event: string; text: string; thread: { id: string } }
        })
        yield* say(server, id, "one with a word that stays here")
        const first = yield* next
        assert.deepInclude(first, { event: "turn.completed" })
        assert.strictEqual(first.thread.id, id)
        assert.strictEqual(first.text, "one with a word that stays here: The turn has ended.")

        // Nobody takes it twice; then it is told, before what came later.
        listener.answers.push(302, 503)
        yield* send(server, id, "run echo hello")
        const asked = yield* next
        assert.strictEqual(asked.event, "request.opened")
        assert.isAbove(asked.id, first.id)
        assert.isEmpty(listener.strayed, "no redirect is followed")

        // What happens while we are dead, or was not told before, is told by the next life; nothing twice.
        listener.answers.push(...Array.from({ length: 50 }, () => 500))
        const [request] = (yield* server.client.threads.requests({ params: { id } })).items
        yield* server.client.threads.answer({
          params: { id, requestId: request?.id ?? "" },
          payload: { decision: "accept" }
        })
        yield* server.client.turns.list({ params: { id }, query: {} })
        yield* server.kill
        listener.answers.length = 0
        const again = yield* world.start()
        const third = yield* next
        assert.include(["turn.completed", "turn.interrupted"], third.event)
        assert.isAbove(third.id, asked.id)
        yield* say(again, id, "three")
        const fourth = yield* next
        assert.strictEqual(fourth.event, "turn.completed")
        assert.isAbove(fourth.id, third.id)
      })
    )
  )
})
