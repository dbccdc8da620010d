import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Schema, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { node, program } from "./CommandLine.ts"
import { live, makeWorld, open, say } from "./World.ts"

const lines = 1_000_000

const Response = Schema.fromJsonString(
  Schema.Struct({
    jsonrpc: Schema.Literal("2.0"),
    id: Schema.optionalKey(Schema.NullOr(Schema.Union([Schema.Finite, Schema.String]))),
    result: Schema.optionalKey(Schema.Unknown),
    error: Schema.optionalKey(Schema.Struct({ code: Schema.Finite })),
    method: Schema.optionalKey(Schema.String)
  })
)
const decode = Schema.decodeUnknownOption(Response)

/** What no editor would send, one after the other, the same in each run. */
const nonsense = (at: number, id: string): string => {
  const request = (method: string, params: unknown, given: unknown = at) =>
    JSON.stringify({ jsonrpc: "2.0", id: given, method, params })
  switch (at % 12) {
    case 0:
      return "{"
    case 1:
      return "\u0000\u0007 not a line of JSON"
    case 2:
      return "[]"
    case 3:
      return JSON.stringify("a".repeat(at % 500))
    case 4:
      return request("session/none", {})
    case 5:
      return request("session/prompt", { sessionId: id })
    case 6:
      return JSON.stringify({ jsonrpc: "2.0", id: `never-${at}`, result: {} })
    case 7:
      return JSON.stringify({ jsonrpc: "2.0", method: "session/cancel", params: { sessionId: `none-${at}` } })
    case 8:
      return JSON.stringify({ jsonrpc: "2.0", method: "$/cancel_request", params: { requestId: at } })
    case 9:
      return request("session/set_mode", { sessionId: 7, modeId: [] }, { not: "an id" })
    case 10:
      return JSON.stringify({ at })
    default:
      return request("session/load", { sessionId: null, cwd: {}, mcpServers: "none" })
  }
}

describe("rejoin acp, whatever a client writes", () => {
  it.live(
    `A11: ${lines} lines that make no sense change nothing: nothing but protocol comes back, and then it serves as ever`,
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"))
          yield* say(server, id, "one")
          const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
          const initialize = {
            jsonrpc: "2.0",
            id: "begin",
            method: "initialize",
            params: { protocolVersion: 1 }
          }
          const load = {
            jsonrpc: "2.0",
            id: "last",
            method: "session/load",
            params: { sessionId: id, cwd: world.at("repo"), mcpServers: [] }
          }
          const input = Stream.concat(
            Stream.make(JSON.stringify(initialize)),
            Stream.concat(
              Stream.map(Stream.range(0, lines - 1), (at) => nonsense(at, id)),
              Stream.make(JSON.stringify(load))
            )
          ).pipe(
            Stream.map((line) => `${line}\n`),
            Stream.encodeText
          )
          const handle = yield* spawner.spawn(
            ChildProcess.make(node, [program, "acp"], {
              cwd: world.at("repo"),
              env: world.environment,
              extendEnv: false,
              // It is closed by what ends the test: its end would be ours.
              stdin: Stream.concat(input, Stream.never),
              stderr: "ignore",
              forceKillAfter: "5 seconds"
            })
          )
          let strange = 0
          let replayed = 0
          const answered = yield* handle.stdout.pipe(
            Stream.decodeText(),
            Stream.splitLines,
            Stream.map((line) => decode(line)),
            Stream.tap((message) =>
              Effect.sync(() => {
                if (Option.isNone(message)) strange++
                else if (message.value.method === "session/update") replayed++
              })
            ),
            Stream.filter((message) => Option.isSome(message) && message.value.id === "last"),
            Stream.runHead
          )
          assert.strictEqual(strange, 0)
          assert.isAbove(replayed, 0)
          const last = Option.getOrUndefined(Option.flatten(answered))
          assert.isDefined(last?.result)
          const { items } = yield* server.client.turns.list({ params: { id }, query: {} })
          assert.lengthOf(items, 1)
          const status = yield* world.fs.readFileString(`/proc/${handle.pid}/status`)
          const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024
          assert.isBelow(peak, 600, "MB")
        })
      )
  )
})
