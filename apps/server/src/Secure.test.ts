import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { request } from "node:https"
import type { TLSSocket } from "node:tls"
import { tmpdir } from "node:os"
import { bearer, live, tagOf } from "./testing/Served.ts"

const fixture = (name: string) =>
  new URL(`../../../packages/testkit/src/tls/${name}.pem`, import.meta.url).pathname
const ca = readFileSync(fixture("cert"))

interface Answer {
  readonly status: number
  readonly body: string
  /** Of the certificate that was shown. */
  readonly names: string
}

/** As another machine that knows the name. */
const ask = (port: number, host: string, headers: Record<string, string> = bearer) =>
  Effect.callback<Answer>((resume) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        path: "/api/threads",
        servername: "rejoin.test",
        ca,
        rejectUnauthorized: false,
        headers: { host, ...headers },
        agent: false
      },
      (response) => {
        const { socket } = response
        const names = (socket as TLSSocket).getPeerCertificate().subjectaltname ?? ""
        let body = ""
        response.on("data", (piece: Buffer) => (body += piece.toString()))
        response.on("end", () => resume(Effect.succeed({ status: response.statusCode ?? 0, body, names })))
      }
    )
    sent.on("error", (error) => resume(Effect.die(error)))
    sent.end()
  })

/** The files of an operator's certificate, which are renewed in their place. */
const files = Effect.acquireRelease(
  Effect.sync(() => {
    const directory = mkdtempSync(`${tmpdir()}/rejoin-tls-`)
    const [cert, key] = [`${directory}/cert.pem`, `${directory}/key.pem`]
    copyFileSync(fixture("cert"), cert)
    copyFileSync(fixture("key"), key)
    return { directory, cert, key }
  }),
  ({ directory }) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

describe("G3: TLS by a certificate of the operator's", () => {
  it.live(
    "serves the same beside the plain address, under the certificate's names and no others, and takes a renewed one",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { cert, key } = yield* files
          yield* live(
            ({ client, secure }) =>
              Effect.gen(function* () {
                const { port = 0 } = (yield* secure.listening) ?? {}
                const there = yield* ask(port, `rejoin.test:${port}`)
                assert.strictEqual(there.status, 200)
                assert.strictEqual((yield* ask(port, `rejoin.test:${port}`, {})).status, 401)
                assert.strictEqual((yield* ask(port, `evil.example:${port}`)).status, 403)
                const origin = (origin: string) => ask(port, `rejoin.test:${port}`, { ...bearer, origin })
                assert.strictEqual((yield* origin(`https://rejoin.test:${port}`)).status, 200)
                assert.strictEqual((yield* origin("https://evil.example")).status, 403)
                const { link } = yield* client.devices.pair({ payload: {} })
                assert.match(link, new RegExp(`^https://rejoin\\.test:${port}/#code=[\\w-]{20,}$`))

                writeFileSync(cert, "no certificate")
                yield* secure.renew
                assert.include((yield* ask(port, `rejoin.test:${port}`)).names, "rejoin.test")
                copyFileSync(fixture("cert2"), cert)
                copyFileSync(fixture("key2"), key)
                yield* secure.renew
                assert.include((yield* ask(port, `rejoin.test:${port}`)).names, "renewed.test")
              }),
            { file: { tls: { cert, key, host: "127.0.0.1", port: 0 } } }
          )
        })
      )
  )

  it.live(
    "one that cannot be used is an error that names it: no file, no certificate, another one's key",
    () =>
      Effect.gen(function* () {
        const [cert, key, other] = [fixture("cert"), fixture("key"), fixture("key2")]
        for (const tls of [
          { cert: "/nowhere/cert.pem", key },
          { cert: key, key },
          { cert, key: other }
        ]) {
          const started = yield* Effect.exit(
            live(() => Effect.void, { file: { tls: { ...tls, host: "127.0.0.1", port: 0 } } })
          )
          assert.strictEqual(tagOf(started), "InvalidInput", JSON.stringify(tls))
        }
      })
  )
})
