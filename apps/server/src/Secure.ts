import { InvalidInput } from "@rejoin/contracts/Errors"
import { Context, Effect, FileSystem, Layer, Schedule, Scope } from "effect"
import { createPrivateKey, X509Certificate } from "node:crypto"
import { createServer as createPlain, type Server as Plain } from "node:http"
import { createServer, type Server } from "node:https"
import { Configuration } from "./Configuration.ts"

/** Certificates are renewed while we run. */
const lookEvery = "1 hour"

interface Pair {
  readonly cert: string
  readonly key: string
}

/** The names that a certificate is for, as a Host has them. */
export const namesOf = (cert: string): ReadonlyArray<string> =>
  [...(new X509Certificate(cert).subjectAltName ?? "").matchAll(/(?:DNS|IP Address):([^,\s]+)/g)].flatMap(
    ([, name = ""]) => {
      if (name.includes(":")) return [new URL(`https://[${name}]`).hostname]
      return name.startsWith("*") ? [] : [name.toLowerCase()]
    }
  )

/** Undefined where the two belong together. */
const mismatch = ({ cert, key }: Pair): string | undefined =>
  new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
    ? undefined
    : "the key is not that of the certificate"

/**
 * TLS for other machines, by a certificate of the operator's, beside the plain address of this one: what comes there goes to
 * the same server. Renewed files are taken without a restart.
 */
export class Secure extends Context.Service<
  Secure,
  {
    /** Undefined where none is configured. */
    readonly listening: Effect.Effect<
      { readonly names: ReadonlyArray<string>; readonly port: number } | undefined
    >
    /** The names of the certificate as it is now. */
    readonly names: () => ReadonlyArray<string>
    /** The server without TLS, which answers all. */
    readonly plain: Plain
    /** Takes files that have changed; those that cannot be used are told, and the old ones stay. */
    readonly renew: Effect.Effect<void>
    /** Listens, until the scope ends. Fails where the certificate cannot be used, or the port cannot be had. */
    readonly serve: Effect.Effect<void, InvalidInput>
  }
>()("@rejoin/server/Secure") {
  static readonly layer = Layer.effect(
    Secure,
    Effect.gen(function* () {
      const { file } = yield* Configuration
      const fs = yield* FileSystem.FileSystem
      const scope = yield* Effect.scope
      const { tls } = file
      let server: Server | undefined
      const bad = (message: string) => new InvalidInput({ field: "tls", message: `tls: ${message}` })
      const read = Effect.gen(function* () {
        if (tls === undefined) return undefined
        const text = (path: string) =>
          Effect.mapError(fs.readFileString(path), ({ reason }) =>
            bad(`${path} cannot be read (${reason._tag})`)
          )
        const pair: Pair = { cert: yield* text(tls.cert), key: yield* text(tls.key) }
        const wrong = yield* Effect.try({
          try: () => mismatch(pair),
          catch: () => bad(`${tls.cert} is no certificate, or ${tls.key} no key`)
        })
        if (wrong !== undefined) return yield* bad(wrong)
        return pair
      })
      const pair = yield* read
      const plain = createPlain()
      let names = pair === undefined ? [] : namesOf(pair.cert)

      let known = pair
      const renew = read.pipe(
        Effect.map((next) => {
          if (next === undefined || (next.cert === known?.cert && next.key === known?.key)) return
          server?.setSecureContext(next)
          known = next
          names = namesOf(next.cert)
        }),
        Effect.catchCause((cause) => Effect.logWarning("The new certificate is not used.", cause))
      )
      return Secure.of({
        names: () => names,
        plain,
        renew,
        listening: Effect.sync(() => {
          const address = server?.address()
          return typeof address === "object" && address !== null ? { names, port: address.port } : undefined
        }),
        serve: Effect.gen(function* () {
          if (tls === undefined || pair === undefined) return
          const own = yield* Effect.try({
            try: () => createServer({ ...pair, minVersion: "TLSv1.2" }),
            catch: (error) =>
              bad(`the key does not belong to the certificate, or cannot be read: ${String(error)}`)
          })
          own.on("request", (request, response) => plain.emit("request", request, response))
          yield* Effect.callback<void, InvalidInput>((resume) => {
            const where = `port ${tls.port ?? 4320}`
            const failed = ({ code, message }: NodeJS.ErrnoException) =>
              resume(
                Effect.fail(
                  bad(code === "EADDRINUSE" ? `another program has ${where}: set tls.port` : message)
                )
              )
            own.once("error", failed)
            own.listen(tls.port ?? 4320, tls.host ?? "0.0.0.0", () => {
              own.off("error", failed)
              resume(Effect.void)
            })
          })
          server = own
          yield* Effect.addFinalizer(() =>
            Effect.sync(() => {
              own.closeAllConnections()
              own.close()
            })
          ).pipe(Scope.provide(scope))
          yield* renew.pipe(Effect.delay(lookEvery), Effect.repeat(Schedule.forever), Effect.forkIn(scope))
        })
      })
    })
  )
}
