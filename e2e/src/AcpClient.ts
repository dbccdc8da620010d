import {
  client,
  type ClientCapabilities,
  type CreateElicitationRequest,
  type CreateElicitationResponse,
  ndJsonStream,
  type RequestPermissionRequest,
  type RequestPermissionResponse,
  type SessionUpdate
} from "@agentclientprotocol/sdk"
import { Effect, Stream, SubscriptionRef } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { node, program } from "./CommandLine.ts"
import type { World } from "./World.ts"

/** What the editor's user says to an approval; none says nothing, until it is withdrawn. */
type Answering = (asked: RequestPermissionRequest) => RequestPermissionResponse | undefined

export const choose = (optionId: string): RequestPermissionResponse => ({
  outcome: { outcome: "selected", optionId }
})

/** `rejoin acp` as an editor runs it: the protocol's own library on the other end of its standard input and output. */
export const editor = Effect.fnUntraced(function* (
  world: World,
  options: {
    readonly args?: ReadonlyArray<string>
    readonly answering?: Answering
    readonly capabilities?: ClientCapabilities
    readonly filling?: (asked: CreateElicitationRequest) => CreateElicitationResponse
  } = {}
) {
  const run = Effect.runPromiseWith(yield* Effect.context())
  const { answering = () => undefined, args = [], capabilities = {}, filling } = options
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const pipe = new TransformStream<Uint8Array, Uint8Array>()
  const handle = yield* spawner.spawn(
    ChildProcess.make(node, [program, "acp", ...args], {
      cwd: world.at("repo"),
      env: world.environment,
      extendEnv: false,
      stdin: Stream.fromReadableStream({
        evaluate: () => pipe.readable,
        onError: (cause) => new Error(String(cause))
      }).pipe(Stream.orDie),
      stderr: "inherit",
      forceKillAfter: "5 seconds"
    })
  )
  let heard: Array<SessionUpdate> = []
  const updates = yield* SubscriptionRef.make<ReadonlyArray<SessionUpdate>>([])
  const asked = yield* SubscriptionRef.make<ReadonlyArray<string>>([])
  const withdrawn = yield* SubscriptionRef.make<ReadonlyArray<string>>([])
  // As it is written: the library hands an update on after the answer that was written behind it.
  let rest = ""
  const hear = (text: string) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) {
      const { method, params } = JSON.parse(line) as { method?: string; params?: { update: SessionUpdate } }
      if (method === "session/update" && params !== undefined) heard.push(params.update)
    }
  }
  const decoder = new TextDecoder()
  const output = yield* Stream.toReadableStreamEffect(
    handle.stdout.pipe(
      Stream.tap((bytes) => Effect.sync(() => hear(decoder.decode(bytes, { stream: true })))),
      Stream.orDie
    )
  )
  const connection = client({ name: "a test" })
    .onRequest("session/request_permission", async ({ params, signal }) => {
      const { toolCallId } = params.toolCall
      await run(SubscriptionRef.update(asked, (before) => [...before, toolCallId]))
      const answer = answering(params)
      if (answer !== undefined) return answer
      await new Promise((resolve) => signal.addEventListener("abort", resolve))
      await run(SubscriptionRef.update(withdrawn, (before) => [...before, toolCallId]))
      return { outcome: { outcome: "cancelled" } }
    })
    .onRequest("elicitation/create", ({ params }) => filling?.(params) ?? { action: "cancel" })
    .onNotification("session/update", ({ params: { update } }) =>
      run(SubscriptionRef.update(updates, (before) => [...before, update]))
    )
    .connect(ndJsonStream(pipe.writable, output))
  yield* Effect.addFinalizer(() => Effect.sync(() => connection.close()))
  const { agent } = connection
  const initialized = yield* Effect.promise(() =>
    agent.request("initialize", { protocolVersion: 1, clientCapabilities: capabilities })
  )
  const has =
    <A>(all: SubscriptionRef.SubscriptionRef<ReadonlyArray<A>>) =>
    (where: (one: A) => boolean) =>
      SubscriptionRef.changes(all).pipe(
        Stream.filter((list) => list.some(where)),
        Stream.runHead
      )
  return {
    agent,
    initialized,
    pid: handle.pid,
    updates: Effect.sync((): ReadonlyArray<SessionUpdate> => [...heard]),
    forget: Effect.andThen(
      Effect.sync(() => (heard = [])),
      SubscriptionRef.set(updates, [])
    ),
    /** Waits until it was told such a thing. */
    told: has(updates),
    asks: has(asked),
    withdraws: has(withdrawn),
    asked: SubscriptionRef.get(asked),
    say: (sessionId: string, text: string) =>
      Effect.tryPromise({
        try: () => agent.request("session/prompt", { sessionId, prompt: [{ type: "text", text }] }),
        catch: (cause) => cause as { readonly code: number; readonly message: string }
      }),
    load: (sessionId: string, cwd: string) =>
      Effect.tryPromise({
        try: () => agent.request("session/load", { sessionId, cwd, mcpServers: [] }),
        catch: (cause) => cause as { readonly code: number; readonly message: string; readonly data: unknown }
      }),
    /** The end of its input, as an editor that closes; and its exit code. */
    close: Effect.andThen(
      Effect.promise(() => pipe.writable.close().catch(() => undefined)),
      Effect.orElseSucceed(handle.exitCode, () => -1)
    ),
    kill: Effect.andThen(
      Effect.sync(() => process.kill(handle.pid, "SIGKILL")),
      Effect.ignore(handle.exitCode)
    )
  }
})

/** All that was said by one side, as it is shown. */
export const textOf = (
  updates: ReadonlyArray<SessionUpdate>,
  kind: "user_message_chunk" | "agent_message_chunk"
): string =>
  updates
    .map((update) =>
      update.sessionUpdate === kind && update.content.type === "text" ? update.content.text : ""
    )
    .join("")
