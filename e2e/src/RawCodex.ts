import { Effect, Queue, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { programOf } from "./Agents.ts"
import type { World } from "./World.ts"

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Record<string, never>
  readonly result?: Readonly<Record<string, never>>
  readonly error?: { readonly code: number; readonly data?: unknown }
}

/**
 * An app-server of somebody else on the agent's home, without anything of ours: for measuring what Codex does by
 * itself, and for doing what a user would do behind our back.
 */
export const rawCodex = Effect.fn("rawCodex")(function* (world: World, args: ReadonlyArray<string> = []) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const input = yield* Queue.unbounded<string>()
  const received = yield* Queue.unbounded<Message>()
  const handle = yield* spawner.spawn(
    ChildProcess.make(yield* programOf("codex"), ["app-server", ...args], {
      cwd: world.root,
      env: { ...world.environment, CODEX_HOME: world.at("codex"), TMPDIR: world.at("tmp") },
      extendEnv: false,
      stdin: Stream.fromQueue(input).pipe(Stream.encodeText),
      stderr: "ignore",
      killSignal: "SIGKILL"
    })
  )
  const seen: Array<Message> = []
  yield* handle.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) =>
      Effect.sync(() => {
        const message = JSON.parse(line) as Message
        seen.push(message)
        Queue.offerUnsafe(received, message)
      })
    ),
    Effect.ignore,
    Effect.forkScoped
  )
  let ids = 0
  /** The answer, or the error as it is: what is measured is often that. */
  const ask = Effect.fnUntraced(function* (method: string, params: unknown) {
    const id = ++ids
    Queue.offerUnsafe(input, `${JSON.stringify({ id, method, params })}\n`)
    while (true) {
      const message = yield* Queue.take(received)
      if (message.id === id && message.method === undefined) return message
    }
  })
  const until = Effect.fnUntraced(function* (method: string) {
    while (true) {
      const message = yield* Queue.take(received)
      if (message.method === method) return message
    }
  })
  yield* ask("initialize", {
    clientInfo: { name: "raw", title: "raw", version: "0" },
    capabilities: { experimentalApi: true, requestAttestation: false }
  })
  Queue.offerUnsafe(input, `${JSON.stringify({ method: "initialized" })}\n`)

  const start = Effect.fnUntraced(function* (cwd: string, sandbox = "danger-full-access") {
    const answer = yield* ask("thread/start", { cwd, sandbox, approvalPolicy: "never" })
    const thread = answer.result?.["thread"] as { readonly id: string; readonly path: string } | undefined
    return thread ?? (yield* Effect.die("no thread"))
  })
  const turn = Effect.fnUntraced(function* (threadId: string, text: string) {
    yield* ask("turn/start", { threadId, input: [{ type: "text", text, text_elements: [] }] })
    yield* until("turn/completed")
  })
  return { ask, until, start, turn, pid: handle.pid }
})
