import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ProviderInstanceId, StoreId } from "@rejoin/contracts/Ids"
import { Effect, FileSystem, Option } from "effect"
import { cursorOf } from "./CodexCursor.ts"
import { makeRollouts } from "./CodexRollouts.ts"
import { makeTerminal } from "./CodexTerminal.ts"

const idOf = (digit: number) => `01a1fe2e-0000-7000-8000-00000000000${digit}`
const [own, fork, other] = [idOf(1), idOf(2), idOf(3)]

const world = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const home = yield* fs.makeTempDirectoryScoped()
  const options = {
    id: ProviderInstanceId.make("codex"),
    binary: "codex",
    environment: { CODEX_HOME: home }
  }
  const terminal = makeTerminal(options, fs, home, makeRollouts(fs, home))
  const forked = Effect.fnUntraced(function* (id: string, from: string) {
    const directory = `${home}/sessions/2026/01/01`
    yield* fs.makeDirectory(directory, { recursive: true })
    const payload = { id, forked_from_id: from }
    const line = JSON.stringify({ type: "session_meta", payload })
    yield* fs.writeFileString(`${directory}/rollout-x-${id}.jsonl`, `${line}\n`)
  })
  return { home, terminal, forked, cursor: cursorOf(own, StoreId.make("store")) }
})
const told = (source: string, session_id: string, transcript_path: string | null = "/x.jsonl") => ({
  hook_event_name: "SessionStart",
  source,
  session_id,
  transcript_path
})

const test = <E>(body: Effect.Effect<void, E, import("effect").Scope.Scope | FileSystem.FileSystem>) =>
  Effect.scoped(body).pipe(Effect.provide(NodeServices.layer))

describe("Codex's own interface in a user's terminal", () => {
  it.live(
    "E1 to E3, E14: this thread in its directory, whatever the user's options choose; the hook is attested",
    () =>
      test(
        Effect.gen(function* () {
          const { cursor, home, terminal } = yield* world
          const request = {
            cwd: "/work",
            mode: "auto-accept-edits",
            model: null,
            systemPrompt: "Be brief.",
            extraEnv: {},
            additionalDirectories: [],
            loads: null,
            flags: ["--last", "--search"],
            reports: null
          } as const
          const off = yield* terminal.command(cursor, request)
          assert.deepEqual(off.args.slice(0, 5), ["resume", own, "--no-daemon", "-C", "/work"])
          assert.include(off.args, 'default_permissions="rejoin_ww"')
          assert.notInclude(off.args, "--last")
          assert.strictEqual(off.args.at(-1), "--search")
          assert.notInclude(off.args.join(" "), "hooks")
          assert.deepEqual(off.env, { CODEX_HOME: home })
          const on = yield* terminal.command(cursor, { ...request, reports: "/scratch/r.jsonl" })
          assert.match(on.args.join(" "), /hooks\.state=.*trusted_hash="sha256:[0-9a-f]{64}"/)
        })
      )
  )

  it.live(
    "E4, E7: a thread begun or forked there is followed; a fork of another and a side question are not",
    () =>
      test(
        Effect.gen(function* () {
          const { cursor, forked, terminal } = yield* world
          const followed = (...reports: ReadonlyArray<unknown>) =>
            Effect.map(terminal.follow(cursor, { reports, titleMark: "" }), (next) =>
              Option.getOrUndefined(Option.map(next, ({ providerSessionId }) => providerSessionId as string))
            )
          assert.isUndefined(yield* followed(told("resume", own), told("fork", fork, null)))
          assert.strictEqual(yield* followed(told("resume", own), told("clear", other)), other)
          // The hook tells of no session in which nothing was said: what a fork came out of stands in its file.
          yield* forked(fork, own)
          assert.strictEqual(yield* followed(told("fork", fork)), fork)
          yield* forked(fork, other)
          assert.isUndefined(yield* followed(told("fork", fork)))
          assert.isUndefined(yield* followed(told("startup", "no uuid"), {}, null))
        })
      )
  )
})
