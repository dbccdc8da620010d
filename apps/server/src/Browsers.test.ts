import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto"
import { readFileSync, statSync } from "node:fs"
import { live, tagOf } from "./testing/Served.ts"

const pair = () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  return { privateKey, key: publicKey.export({ format: "der", type: "spki" }).toString("base64") }
}

const word = (privateKey: KeyObject, said: string) =>
  sign("sha256", Buffer.from(said), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64")

describe("browsers that let themselves in again", () => {
  it.live("by their key, at their address, once for each challenge, until they are forgotten", () =>
    live(({ client, root, url }) =>
      Effect.gen(function* () {
        const { key, privateKey } = pair()
        const { code } = yield* client.access.issue()
        const { browser = "", token } = yield* client.access.redeem({ payload: { code, key } })
        const ask = Effect.map(client.access.challenge(), ({ challenge }) => challenge)
        const enter = (challenge: string, signature: string, id = browser) =>
          Effect.exit(client.access.enter({ payload: { browser: id, challenge, signature } }))

        const challenge = yield* ask
        const signature = word(privateKey, `rejoin ${url} ${challenge}`)
        const entered = yield* client.access.enter({ payload: { browser, challenge, signature } })
        assert.strictEqual(entered.token, token)
        const other = yield* ask
        const refused = [
          // The same again, of another address, of another key, of nobody, and what nobody asked.
          yield* enter(challenge, signature),
          yield* enter(other, word(privateKey, `rejoin http://127.0.0.1:1 ${other}`)),
          yield* Effect.flatMap(ask, (asked) =>
            enter(asked, word(pair().privateKey, `rejoin ${url} ${asked}`))
          ),
          yield* Effect.flatMap(ask, (asked) =>
            enter(asked, word(privateKey, `rejoin ${url} ${asked}`), "nobody")
          ),
          yield* enter("made-up", word(privateKey, `rejoin ${url} made-up`)),
          yield* Effect.flatMap(ask, (asked) => enter(asked, "no signature"))
        ]
        assert.deepEqual(new Set(refused.map(tagOf)), new Set(["Unauthorized"]))

        const { items } = yield* client.access.browsers()
        assert.deepEqual(
          items.map(({ id, origin }) => [id, origin]),
          [[browser, url]]
        )
        assert.notInclude(JSON.stringify(items), key)
        const file = `${root}/home/browsers.json`
        assert.strictEqual(statSync(file).mode & 0o777, 0o600)
        assert.notInclude(readFileSync(file, "utf8"), token)
        yield* client.access.forget({ params: { id: browser } })
        const late = yield* ask
        assert.strictEqual(
          tagOf(yield* enter(late, word(privateKey, `rejoin ${url} ${late}`))),
          "Unauthorized"
        )

        // A key that is none enrols nobody who could come in.
        const { code: again } = yield* client.access.issue()
        const odd = yield* client.access.redeem({ payload: { code: again, key: "AAAA" } })
        const last = yield* ask
        assert.strictEqual(tagOf(yield* enter(last, "AAAA", odd.browser ?? "")), "Unauthorized")
      })
    )
  )
})
