import { assert, describe, it } from "@effect/vitest"
import { timestampOf } from "@rejoin/contracts/Time"
import { makePushService } from "@rejoin/testkit/platforms/FakePushService"
import { memory } from "@rejoin/core/testing/World"
import { Clock, Effect } from "effect"
import { readFileSync } from "node:fs"
import { live, type Served, tagOf } from "./testing/Served.ts"

const say = Effect.fnUntraced(function* ({ client }: Served, id: string, input: string) {
  const turn = yield* client.turns.send({ params: { id }, payload: { input } })
  return yield* client.turns.get({ params: { id, turnId: turn.id }, query: { wait: 60 } })
})

const open = ({ client, cwd }: Served, title: string) =>
  Effect.map(
    client.threads.create({ payload: { provider: memory, cwd, runtimeMode: "approval-required", title } }),
    ({ id }) => id
  )

/** A push service of the tests, and a server that knows it. */
const withService = <A, E>(
  body: (service: Effect.Success<typeof makePushService>, served: Served) => Effect.Effect<A, E>
) =>
  Effect.scoped(
    Effect.flatMap(makePushService, (service) =>
      live((served) => body(service, served), { file: { push: { services: [service.origin] } } })
    )
  )

describe("U3: web push", () => {
  it.live(
    "what waits and what ended, sealed for that browser and signed by us, with the title and no more",
    () =>
      withService((service, served) =>
        Effect.gen(function* () {
          const { client, root } = served
          const { publicKey } = yield* client.push.key()
          const browser = yield* service.subscribe(publicKey)
          yield* client.push.subscribe({ payload: browser.target })
          const id = yield* open(served, "Shop")
          yield* say(served, id, "a secret of the conversation")
          const ended = yield* browser.next
          assert.deepEqual(
            [ended.payload["title"], ended.payload["body"], ended.payload["thread"]],
            ["Shop", "The turn has ended.", id]
          )
          assert.notInclude(JSON.stringify(ended), "secret of the")
          assert.strictEqual(ended.urgency, "normal")
          assert.isBelow(Number(ended.claims["exp"]), (yield* Clock.currentTimeMillis) / 1000 + 86_401)
          yield* client.turns.send({ params: { id }, payload: { input: "run touch a" } })
          const asked = yield* browser.next
          assert.strictEqual(asked.payload["body"], "The agent needs your approval.")
          assert.strictEqual(asked.urgency, "high")
          assert.strictEqual(yield* browser.waiting, 0)
          assert.isEmpty(service.refused)
          const [listed] = (yield* client.push.list()).items
          assert.strictEqual(listed?.service, new URL(service.origin).host)
          assert.notInclude(JSON.stringify(listed), browser.target.keys.auth)
          assert.include(readFileSync(`${root}/home/push.json`, "utf8"), browser.target.endpoint)
        })
      )
  )

  it.live(
    "again where it was not taken, in order; ended by its browser it is forgotten; each on its own",
    () =>
      withService((service, served) =>
        Effect.gen(function* () {
          const { client } = served
          const { publicKey } = yield* client.push.key()
          const [one, other] = [yield* service.subscribe(publicKey), yield* service.subscribe(publicKey)]
          yield* client.push.subscribe({ payload: one.target })
          const id = yield* open(served, "Shop")
          service.answers.push(503)
          yield* say(served, id, "one")
          yield* say(served, id, "two")
          const [first, second] = [yield* one.next, yield* one.next]
          assert.isBelow(Date.parse(String(first.payload["at"])), Date.parse(String(second.payload["at"])))
          // One that comes later is told what comes later.
          yield* client.push.subscribe({ payload: other.target })
          one.end()
          yield* say(served, id, "three")
          yield* other.next
          const left = () => Effect.map(client.push.list(), ({ items }) => items.length)
          yield* Effect.repeat(left(), { until: (count) => count === 1 })
          assert.strictEqual(yield* other.waiting, 0)
        })
      )
  )

  it.live("a device's own; gone when it is revoked. No address but a push service's is posted to", () =>
    withService((service, served) =>
      Effect.gen(function* () {
        const { as, client } = served
        const { code } = yield* client.devices.pair({ payload: {} })
        const phone = yield* as((yield* client.access.redeem({ payload: { code } })).token)
        const browser = yield* service.subscribe((yield* phone.push.key()).publicKey)
        const { id } = yield* phone.push.subscribe({ payload: browser.target })
        assert.isEmpty((yield* client.push.list()).items)
        // Nobody ends another's.
        yield* client.push.unsubscribe({ params: { id } })
        assert.lengthOf((yield* phone.push.list()).items, 1)
        for (const endpoint of [
          "http://127.0.0.1:1/x",
          "http://169.254.169.254/latest",
          "https://example.org/push",
          "https://fcm.googleapis.com.evil.example/x",
          `${service.origin}.evil.example/x`
        ]) {
          const refused = yield* Effect.exit(
            phone.push.subscribe({ payload: { ...browser.target, endpoint } })
          )
          assert.include(["InvalidInput", "SchemaError"], tagOf(refused), endpoint)
        }
        const [device] = (yield* client.devices.list()).items
        yield* client.devices.revoke({ params: { id: device?.id ?? "" } })
        const thread = yield* open(served, "Shop")
        const owner = yield* service.subscribe((yield* client.push.key()).publicKey)
        yield* client.push.subscribe({ payload: owner.target })
        yield* say(served, thread, "one")
        yield* owner.next
        assert.strictEqual(yield* browser.waiting, 0)
      })
    )
  )

  it.live(
    "the same browser again changes its quiet hours, and is told the last word of each thread since; what was answered meanwhile asks nobody",
    () =>
      withService((service, served) =>
        Effect.gen(function* () {
          const { client } = served
          const browser = yield* service.subscribe((yield* client.push.key()).publicKey)
          const quiet = (from: string, to: string) => ({ from, to, zone: "UTC" })
          const at = yield* Clock.currentTimeMillis
          const hour = (add: number) => timestampOf(at + add * 3_600_000).slice(11, 16)
          yield* client.push.subscribe({
            payload: { ...browser.target, quiet: quiet(hour(-1), hour(1)) }
          })
          const id = yield* open(served, "Shop")
          const other = yield* open(served, "Other")
          yield* say(served, id, "one")
          yield* say(served, other, "one")
          yield* say(served, id, "two")
          yield* client.turns.send({ params: { id: other }, payload: { input: "run touch a" } })
          const pending = Effect.map(
            client.threads.requests({ params: { id: other } }),
            ({ items }) => items[0]
          )
          const request = yield* Effect.repeat(pending, { until: (found) => found !== undefined })
          assert.strictEqual(yield* browser.waiting, 0)
          // It is answered elsewhere, and runs on: what it asked is no news any more.
          yield* client.threads.answer({
            params: { id: other, requestId: request?.id ?? "" },
            payload: { decision: "accept" }
          })
          yield* client.push.subscribe({ payload: browser.target })
          const told = yield* Effect.forEach([1, 2], () => browser.next)
          assert.deepEqual(
            new Set(told.map(({ payload }) => payload["body"])),
            new Set(["The turn has ended."])
          )
        })
      )
  )
})
