import { assert, describe, it } from "@effect/vitest"
import type { RequestPermissionRequest } from "@agentclientprotocol/sdk"
import { Effect, Fiber, Queue, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { choose, editor, textOf } from "./AcpClient.ts"
import { node, program } from "./CommandLine.ts"
import { live, makeWorld, open, say, until } from "./World.ts"

/** A dot. */
const picture =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

describe("rejoin acp, for editors, on the real OpenCode, beyond the first minute", () => {
  it.live(
    "A8: approvals are asked there, and withdrawn there when they are answered elsewhere; a question is a form",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "approval-required")
          const seen: Array<RequestPermissionRequest> = []
          const answers = ["accept", "decline"]
          const one = yield* editor(world, {
            capabilities: { elicitation: { form: {} } },
            answering: (asked) => {
              seen.push(asked)
              const next = answers.shift()
              return next === undefined ? undefined : choose(next)
            },
            filling: () => ({ action: "accept", content: { answer0: "B" } })
          })
          yield* one.load(id, world.at("repo"))
          yield* one.say(id, "run echo hello")
          assert.containSubset(seen[0], {
            toolCall: { kind: "execute", title: "echo hello", status: "pending" },
            options: [{ kind: "allow_once" }, { kind: "allow_always" }, { kind: "reject_once" }]
          })
          yield* one.say(id, "run touch not-this")
          assert.isFalse(yield* world.fs.exists(world.at("repo/not-this")))
          yield* one.say(id, "ask")
          assert.match(textOf(yield* one.updates, "agent_message_chunk"), /result: .*B/)

          const running = yield* Effect.forkChild(one.say(id, "run touch elsewhere"))
          yield* until(Effect.sync(() => seen.length === 3))
          // Another editor on the same thread is asked the same.
          const two = yield* editor(world)
          yield* two.load(id, world.at("repo"))
          yield* two.asks(() => true)
          const { items } = yield* server.client.threads.requests({ params: { id } })
          const requestId = items[0]?.id ?? ""
          yield* server.client.threads.answer({ params: { id, requestId }, payload: { decision: "accept" } })
          yield* one.withdraws((asked) => asked === requestId)
          yield* two.withdraws((asked) => asked === requestId)
          assert.strictEqual((yield* Fiber.join(running)).stopReason, "end_turn")
          assert.isTrue(yield* world.fs.exists(world.at("repo/elsewhere")))
        })
      )
  )

  it.live(
    "A9, A10: what an editor has said goes on without it, and two see the same; cancel ends its own turn alone",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"))
          const one = yield* editor(world)
          const two = yield* editor(world)
          yield* one.load(id, world.at("repo"))
          yield* two.load(id, world.at("repo"))
          yield* one.say(id, "one")
          yield* two.told((update) => update.sessionUpdate === "agent_message_chunk")
          // Who did not say it is shown it.
          assert.strictEqual(textOf(yield* two.updates, "user_message_chunk"), "one")
          const held = yield* Effect.forkChild(one.say(id, "hold on"))
          yield* one.told(
            (update) =>
              update.sessionUpdate === "agent_message_chunk" &&
              update.content.type === "text" &&
              update.content.text.includes("holding")
          )
          const queued = yield* Effect.forkChild(two.say(id, "after that"))
          yield* until(
            Effect.map(
              server.client.turns.list({ params: { id }, query: {} }),
              ({ items }) => items.length === 3
            )
          )
          yield* Effect.promise(() => one.agent.notify("session/cancel", { sessionId: id }))
          assert.strictEqual((yield* Fiber.join(held)).stopReason, "cancelled")
          assert.strictEqual((yield* Fiber.join(queued)).stopReason, "end_turn")
          // What both were told is the same, in the same order, but for what each said itself.
          const answers = [one, two].map(({ updates }) =>
            Effect.map(updates, (all) => textOf(all, "agent_message_chunk"))
          )
          const bothTold = Effect.map(Effect.all(answers), ([inOne, inTwo]) => inOne === inTwo)
          yield* until(bothTold)
          const [inOne] = yield* Effect.all(answers)
          const { items } = yield* server.client.threads.items({ params: { id }, query: { limit: 500 } })
          assert.strictEqual(
            inOne,
            items.map(({ kind, text = "" }) => (kind === "assistant-message" ? text : "")).join("")
          )

          // The editor is killed in mid-turn: it goes on, and is all there at the next load.
          const { lastSeq } = yield* server.client.threads.get({ params: { id } })
          yield* Effect.forkChild(Effect.ignore(one.say(id, "run sleep 1; echo done")))
          yield* two.told((update) => "title" in update && update.title === "sleep 1; echo done")
          yield* one.kill
          yield* two.told(
            (update) => "kind" in update && update.kind === "execute" && update.status === "completed"
          )
          assert.isAbove(lastSeq, 0)
          const three = yield* editor(world)
          yield* three.load(id, world.at("repo"))
          yield* three.say(id, "last")
          assert.match(textOf(yield* three.updates, "agent_message_chunk"), /run sleep 1; echo done \| last$/)
        })
      )
  )

  it.live(
    "what is refused is told in a sentence, by the one code at which no client begins anew; A8: a ceiling",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"))
          yield* say(server, id, "one")
          const one = yield* editor(world, { args: ["--max-mode", "approval-required"] })
          const gone = yield* Effect.flip(one.load("thr_none", world.at("repo")))
          assert.strictEqual(gone.code, -32603)
          assert.include(JSON.stringify(gone.data), "thr_none")
          const elsewhere = yield* Effect.flip(one.load(id, world.at("other")))
          assert.strictEqual(elsewhere.code, -32603)
          assert.include(elsewhere.message, `rejoin move ${id}`)

          const { modes } = yield* one.load(id, world.at("repo"))
          assert.strictEqual(modes?.currentModeId, "full-access")
          assert.include((yield* Effect.flip(one.say(id, "two"))).message, "at most approval-required")
          const set = (modeId: string) =>
            Effect.tryPromise({
              try: () => one.agent.request("session/set_mode", { sessionId: id, modeId }),
              catch: (cause) => cause as { readonly code: number; readonly message: string }
            })
          assert.include((yield* Effect.flip(set("auto-accept-edits"))).message, "at most approval-required")
          assert.include((yield* Effect.flip(set("yolo"))).message, "no mode yolo")
          yield* set("read-only")
          yield* one.told(
            (update) => update.sessionUpdate === "current_mode_update" && update.currentModeId === "read-only"
          )
          yield* one.say(id, "two")
          assert.strictEqual((yield* server.client.threads.get({ params: { id } })).runtimeMode, "read-only")
          const fresh = yield* Effect.promise(() =>
            one.agent.request("session/new", { cwd: world.at("repo"), mcpServers: [] })
          )
          assert.strictEqual(fresh.modes?.currentModeId, "approval-required")

          // Ours to carry out, and none of the agent's words.
          yield* one.forget
          yield* one.say(id, "/receipts")
          yield* one.say(id, "/reset")
          yield* one.say(id, "three")
          const titles = (yield* one.updates).flatMap((update) =>
            update.sessionUpdate === "tool_call" ? [update.title] : []
          )
          assert.lengthOf(titles, 3)
          assert.include(titles[1], "begins anew")
          assert.include(titles[2], "Began anew")
          assert.strictEqual(textOf(yield* one.updates, "agent_message_chunk"), "three")
        })
      )
  )

  it.live(
    "a message is a turn of its own by whatever number it comes, and is cancelled before it has begun",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"))
          const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
          const line = (message: object) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`
          const prompt = (number: number, text: string) =>
            line({
              id: number,
              method: "session/prompt",
              params: { sessionId: id, prompt: [{ type: "text", text }] }
            })
          const input = yield* Queue.unbounded<string>()
          const handle = yield* spawner.spawn(
            ChildProcess.make(node, [program, "acp"], {
              cwd: world.at("repo"),
              env: world.environment,
              extendEnv: false,
              stdin: Stream.fromQueue(input).pipe(Stream.encodeText),
              stderr: "ignore",
              forceKillAfter: "5 seconds"
            })
          )
          const answers = yield* Queue.unbounded<unknown>()
          yield* handle.stdout.pipe(
            Stream.decodeText(),
            Stream.splitLines,
            Stream.map((text) => JSON.parse(text) as Readonly<Record<string, unknown>>),
            Stream.filter((message) => message["result"] !== undefined || message["error"] !== undefined),
            Stream.runForEach((message) => Queue.offer(answers, message["result"] ?? message["error"])),
            Effect.ignore,
            Effect.forkScoped
          )
          yield* Queue.offer(input, line({ id: 0, method: "initialize", params: { protocolVersion: 1 } }))
          yield* Queue.take(answers)
          for (const _ of [1, 2]) {
            yield* Queue.offer(input, prompt(7, "continue"))
            assert.containSubset(yield* Queue.take(answers), { stopReason: "end_turn" })
          }
          // Both in one write: there is no turn yet that could be ended.
          const cancel = line({ method: "session/cancel", params: { sessionId: id } })
          yield* Queue.offer(input, `${prompt(8, "hold on")}${cancel}`)
          assert.containSubset(yield* Queue.take(answers), { stopReason: "cancelled" })
          const { items } = yield* server.client.turns.list({ params: { id }, query: {} })
          assert.deepEqual(
            items.map(({ input, status }) => [input, status]),
            [
              ["continue", "completed"],
              ["continue", "completed"],
              ["hold on", "interrupted"]
            ]
          )
        })
      )
  )

  it.live(
    "A8: the agent is chosen until the first message; a thread is forked, moved and deleted; pictures and files go along",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: ["opencode", "codex"] })
          const server = yield* world.start()
          const one = yield* editor(world, { args: ["-p", "opencode", "-m", "full-access"] })
          const { sessionId } = yield* Effect.promise(() =>
            one.agent.request("session/new", { cwd: world.at("repo"), mcpServers: [] })
          )
          const choose = (configId: string, value: string) =>
            Effect.tryPromise({
              try: () => one.agent.request("session/set_config_option", { sessionId, configId, value }),
              catch: (cause) => cause as { readonly code: number; readonly message: string }
            })
          const { configOptions } = yield* choose("provider", "codex")
          const current = new Map(configOptions.map(({ currentValue, id }) => [id, currentValue]))
          assert.strictEqual(current.get("provider"), "codex")
          // Its models are its own.
          assert.notInclude(JSON.stringify(configOptions), "test/scripted")
          const said = yield* Effect.promise(() =>
            one.agent.request("session/prompt", {
              sessionId,
              prompt: [
                { type: "text", text: "look at " },
                {
                  type: "resource",
                  resource: { uri: `file://${world.at("repo/a.txt")}`, text: "what it says" }
                },
                { type: "image", mimeType: "image/png", data: picture }
              ]
            })
          )
          assert.strictEqual(said.stopReason, "end_turn")
          assert.include(textOf(yield* one.updates, "agent_message_chunk"), "what it says")
          assert.include(JSON.stringify(world.model.requests().at(-1)?.body), picture)
          assert.include((yield* Effect.flip(choose("provider", "opencode"))).message, "rejoin handover")

          yield* one.forget
          yield* one.say(sessionId, "/fork")
          const { items: threads } = yield* server.client.threads.list({ query: {} })
          const fork = threads.find(({ id }) => id !== sessionId)
          assert.strictEqual(fork?.forkedFrom?.threadId, sessionId)
          yield* one.say(sessionId, `/move ${world.at("tree")}`)
          assert.strictEqual(
            (yield* server.client.threads.get({ params: { id: sessionId } })).cwd,
            world.at("tree")
          )
          const told = JSON.stringify(yield* one.updates)
          assert.include(told, fork?.id ?? "no fork")
          assert.include(told, `The conversation is in ${world.at("tree")} now`)
          yield* one.say(sessionId, "run pwd")
          assert.include(textOf(yield* one.updates, "agent_message_chunk"), world.at("tree"))
          yield* Effect.promise(() => one.agent.request("session/delete", { sessionId: fork?.id ?? "" }))
          assert.lengthOf((yield* server.client.threads.list({ query: {} })).items, 1)
        })
      )
  )

  it.live(
    "a failed turn is told as failed; the server's kill in mid-turn ends the prompt with a reason, and all goes on",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"))
          const one = yield* editor(world)
          yield* one.load(id, world.at("repo"))
          yield* one.say(id, "one")
          const failed = yield* Effect.flip(one.say(id, "fail 400"))
          assert.strictEqual(failed.code, -32603)
          const held = yield* Effect.forkChild(Effect.result(one.say(id, "hold on")))
          yield* one.told(
            (update) =>
              update.sessionUpdate === "agent_message_chunk" &&
              update.content.type === "text" &&
              update.content.text.includes("holding")
          )
          yield* server.kill
          // Nobody else starts one: a client that waits for an answer does.
          const ended = yield* Fiber.join(held)
          assert.strictEqual(ended._tag, "Failure", JSON.stringify(ended))
          yield* one.forget
          yield* one.say(id, "after that")
          assert.match(textOf(yield* one.updates, "agent_message_chunk"), /one .*after that$/)
          const pid = JSON.parse(yield* world.fs.readFileString(`${world.home}/server.json`)).pid as number
          process.kill(pid, "SIGTERM")
          yield* until(
            Effect.sync(() => {
              try {
                return !process.kill(pid, 0)
              } catch {
                return true
              }
            })
          )
        })
      )
  )
})
