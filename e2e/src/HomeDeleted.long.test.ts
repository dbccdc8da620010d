import { assert, describe, it } from "@effect/vitest"
import type { TurnId } from "@rejoin/contracts/Ids"
import { Effect } from "effect"
import { type Agent, instanceOf, instances } from "./Agents.ts"
import { event, live, makeWorld, open, receipts, say, send, type Server, settled, until } from "./World.ts"

const homes: Readonly<Record<Agent, string>> = { opencode: "agent", codex: "codex", claude: "claude" }

const note = {
  name: "note.txt",
  mediaType: "text/plain",
  data: Buffer.from("the attached text").toString("base64")
}
/** Codex takes pictures alone. */
const picture = {
  name: "dot.png",
  mediaType: "image/png",
  data: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
}

/** Waits until our copy goes so far. */
const copied = (server: Server, id: string, turnId: TurnId) =>
  until(
    Effect.map(
      server.client.threads.get({ params: { id } }),
      ({ transcript }) => transcript?.upToTurnId === turnId
    )
  )

describe("N2, W1 to W6, W9, W14: a conversation outlives its agent's store", () => {
  for (const agent of ["opencode", "codex", "claude"] as const) {
    it.live(`${agent}: its whole home is deleted, and the model is told all that was said before`, () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: [agent] })
          /** As after a new disk: nothing of what it had, and its configuration again. */
          const wipe = Effect.andThen(
            world.fs.remove(world.at(homes[agent]), { recursive: true }),
            instanceOf(agent, world.root, world.model.origin)
          )
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "full-access", instances[agent])
          const facts = Array.from({ length: 16 }, (_, i) => `fact ${i} is ${i * 7}`)
          for (const fact of facts) yield* say(server, id, fact)
          yield* say(server, id, "run echo made > made.txt")
          yield* say(server, id, "write changed.txt by the agent")
          const attachment = agent === "codex" ? picture : note
          const { id: seen } = yield* server.client.turns.send({
            params: { id },
            payload: { input: "look", attachments: [attachment] }
          })
          yield* settled(server, id, seen)
          const held = yield* send(server, id, "hold on")
          yield* event(server, id, "turn.started", ({ turnId }) => turnId === held.id)
          yield* server.client.turns.interrupt({ params: { id, turnId: held.id } })
          yield* settled(server, id, held.id)
          const last = yield* say(server, id, "and this is the last one")
          yield* copied(server, id, last.id)

          // A fork goes on from files of its source's, with some agents.
          const fork = yield* server.client.sessions.fork({ params: { id }, payload: {} })
          const own = yield* say(server, fork.id, "said in the fork alone")
          yield* copied(server, fork.id, own.id)

          // The server stops, and everything of the agent's is deleted.
          yield* server.stop
          yield* wipe
          const again = yield* world.start()
          const who = yield* say(again, id, "what do you know")
          assert.strictEqual(who.status, "completed", JSON.stringify(who.error))
          const said = world.model.requests().findLast(({ said }) => said.at(-1) === "what do you know")
          const changes = ["run echo made > made.txt", "write changed.txt by the agent"]
          const before = [...facts, ...changes, "look", "hold on", "and this is the last one"]
          // An agent may leave out of what it tells its model a turn that was interrupted before it answered.
          const without = (texts: ReadonlyArray<string>) => texts.filter((text) => text !== "hold on")
          const told = (said?.said ?? []).map((text) => before.find((one) => text.startsWith(one)) ?? text)
          assert.deepEqual(without(told), without([...before, "what do you know"]))
          const shown = agent === "codex" ? picture.data : "the attached text"
          assert.include(JSON.stringify(said?.body), shown)
          const [receipt] = yield* receipts(again, id)
          assert.deepInclude(
            { ...receipt },
            { outcome: "rehydrated", cwdRequested: world.at("repo"), runtimeModeRequested: "full-access" }
          )
          assert.deepEqual(receipt?.restored, { upToTurnId: last.id, whole: true })
          yield* say(again, fork.id, "what does the fork know")
          const forked = world.model
            .requests()
            .findLast(({ said }) => said.at(-1) === "what does the fork know")
          assert.includeMembers([...(forked?.said ?? [])], [...facts, "said in the fork alone"])
          assert.strictEqual((yield* receipts(again, fork.id))[0]?.outcome, "rehydrated")
          const where = yield* say(again, id, "run pwd")
          assert.include(where.output, world.at("repo"))
          yield* copied(again, id, where.id)

          // It is deleted under us, while our server and the agent's go on.
          yield* again.client.sessions.stop({ params: { id } })
          yield* wipe
          // Somebody begins something new there first.
          const fresh = yield* open(again, world.at("repo"), "full-access", instances[agent])
          assert.strictEqual((yield* say(again, fresh, "a new one")).output, "a new one")
          const more = yield* say(again, id, "and now")
          assert.strictEqual(more.status, "completed", JSON.stringify(more.error))
          const [second] = yield* receipts(again, id)
          assert.strictEqual(second?.outcome, "rehydrated")
          const asked = world.model.requests().findLast(({ said }) => said.at(-1) === "and now")
          assert.includeMembers(
            [...(asked?.said ?? [])],
            ["fact 0 is 0", "fact 7 is 49", "run pwd", "and now"]
          )
        })
      )
    )
  }
})
