import { NodeServices } from "@effect/platform-node"
import { make as makeClient } from "@rejoin/client/Client"
import { BundleSpool } from "@rejoin/core/bundle/BundleSpool"
import * as Core from "@rejoin/core/Core"
import { layerMemory } from "@rejoin/core/store/MemoryThreadStore"
import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
import { defaults, Settings } from "@rejoin/core/Settings"
import { layerInMemoryAdapter } from "@rejoin/core/testing/InMemoryAdapter"
import { InMemoryUpstream } from "@rejoin/core/testing/InMemoryUpstream"
import { TerminalHost } from "@rejoin/core/terminal/TerminalHost"
import { WorkingDirectory } from "@rejoin/core/threads/WorkingDirectory"
import { Effect, Exit, FileSystem, Layer, Option, Redacted } from "effect"
import { HttpServer } from "effect/http"
import { request } from "node:http"
import { Configuration, type ConfigurationShape } from "../Configuration.ts"
import { Secure } from "../Secure.ts"
import * as Server from "../Server.ts"
import { Token } from "../Token.ts"

export const token = "a-token-of-the-tests"

type Options = Partial<Pick<ConfigurationShape, "file" | "hosts">>

/** The server's network and the core, on an in-memory provider and a directory of its own. */
const serve = Effect.fnUntraced(function* ({ file = {}, hosts = [] }: Options) {
  const fs = yield* FileSystem.FileSystem
  const root = yield* Effect.flatMap(fs.makeTempDirectoryScoped(), fs.realPath)
  yield* fs.makeDirectory(`${root}/work`)
  yield* fs.makeDirectory(`${root}/work/tree`)
  yield* fs.makeDirectory(`${root}/home`)
  yield* fs.symlink(`${root}/home`, `${root}/work/escape`)
  const upstream = new InMemoryUpstream()
  const settings = { ...defaults, roots: [`${root}/work`], forbidden: [`${root}/home`] }
  const configuration = {
    home: `${root}/home`,
    host: "127.0.0.1",
    port: 0,
    token: Option.none(),
    database: Option.none(),
    cluster: Option.none(),
    roots: settings.roots,
    hosts,
    file
  }
  const layer = Server.http.pipe(
    Layer.provideMerge(Core.layerManual),
    Layer.provide(Layer.mergeAll(WorkingDirectory.layer, TerminalHost.layerNone, BundleSpool.layer)),
    Layer.provide(Layer.succeed(Settings, settings)),
    Layer.provideMerge(layerMemory),
    Layer.provide(Layer.succeed(Configuration, configuration)),
    Layer.provide(
      Layer.succeed(Token, {
        file: undefined,
        value: Redacted.make(token),
        proofKey: "a key of the tests",
        matches: (given) => given === token
      })
    ),
    Layer.provide(NodeServices.layer)
  )
  const context = yield* Layer.build(layer)
  return yield* Effect.gen(function* () {
    const registry = yield* ProviderRegistry
    const secure = yield* Secure
    yield* secure.serve
    yield* registry.add(layerInMemoryAdapter(upstream))
    const { address } = yield* HttpServer.HttpServer
    const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
    const client = yield* makeClient({ url, token: Redacted.make(token) })
    /** As somebody else who has a token. */
    const as = (own: string) => makeClient({ url, token: Redacted.make(own) })
    return { url, client, as, secure, upstream, root, cwd: `${root}/work` }
  }).pipe(Effect.provide(context))
})

export type Served = Effect.Success<ReturnType<typeof serve>>

/** Runs a test against a served core, live. */
export const live = <A, E>(body: (served: Served) => Effect.Effect<A, E>, options: Options = {}) =>
  Effect.flatMap(serve(options), body).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const errorOf = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Exit.findErrorOption(exit)) : undefined
export const tagOf = (exit: Exit.Exit<unknown, unknown>) => {
  const error = errorOf(exit)
  return typeof error === "object" && error !== null && "_tag" in error ? error._tag : undefined
}

interface Plain {
  readonly status: number
  readonly body: string
  readonly contentType: string
}

/** A request as it is written, with any header: fetch sets some of its own. */
export const plain = (url: string, headers: Record<string, string> = {}, method = "GET", body?: string) =>
  Effect.promise(
    () =>
      new Promise<Plain>((resolve, reject) => {
        const sent = request(url, { method, headers }, (response) => {
          let text = ""
          const contentType = response.headers["content-type"] ?? ""
          if (contentType.includes("event-stream")) {
            // It has no end of its own.
            response.destroy()
            resolve({ status: response.statusCode ?? 0, body: "", contentType })
            return
          }
          response.setEncoding("utf8")
          response.on("data", (piece: string) => (text += piece))
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              body: text,
              contentType
            })
          )
        })
        sent.on("error", reject)
        sent.end(body)
      })
  )

export const bearer = { authorization: `Bearer ${token}` }
export const json = { ...bearer, "content-type": "application/json" }
