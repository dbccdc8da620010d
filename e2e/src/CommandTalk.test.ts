import { assert, describe, it } from "@effect/vitest"
import { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Turn } from "@rejoin/contracts/Turn"
import { Effect, Schema } from "effect"
import { inTerminal, rejoin, started } from "./CommandLine.ts"
import { live, makeWorld, open, say } from "./World.ts"

describe("the command that talks, on the real OpenCode", () => {
  it.live(
    "rejoin alone: a conversation is chosen and gone on with; Ctrl-C ends a turn, and then the command",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "full-access")
          yield* say(server, id, "one")
          yield* open(server, world.at("other"), "full-access")

          // Without a terminal there is nobody to choose.
          const piped = yield* rejoin(world)
          assert.strictEqual(piped.code, 0)
          assert.include(piped.out, "Durable conversations")

          const talk = yield* inTerminal(world)
          yield* talk.shows("Which conversation?")
          // The first of the list is a new one, and those of this directory come next.
          yield* talk.type("\u001b[B")
          yield* talk.type("\r")
          yield* talk.shows("> one")
          yield* talk.shows("You")
          yield* talk.type("two\r")
          yield* talk.shows("one | two")
          yield* talk.type("hold on\r")
          yield* talk.shows("holding")
          yield* talk.type("\u0003")
          yield* talk.shows("Ending the turn.\nYou")
          yield* talk.type("three\r")
          yield* talk.shows("| three\nYou")
          // What is pasted is one message, and what is typed ahead is said after what runs.
          yield* talk.type("pasted first\npasted second\r")
          yield* talk.shows("pasted second\nYou")
          yield* talk.type("run sleep 1\r")
          yield* talk.shows("$ sleep 1")
          yield* talk.type("typed ahead\r")
          yield* talk.shows("| typed ahead\nYou")
          // Up brings back what was said.
          yield* talk.type("\u001b[A")
          yield* talk.shows("You › typed ahead")
          // Ctrl-C takes back what is half said, and leaves where nothing is.
          yield* talk.type("\u0003")
          yield* talk.type("still here\r")
          yield* talk.shows("ahead | still here\nYou")
          yield* talk.type("\u0003")
          const left = yield* talk.ended
          assert.strictEqual(left.code, 0)
          assert.include(left.out, "It stays where it is")
          const { items } = yield* server.client.turns.list({ params: { id }, query: {} })
          assert.deepEqual(
            items.map(({ input, status }) => [input, status]),
            [
              ["one", "completed"],
              ["two", "completed"],
              ["hold on", "interrupted"],
              ["three", "completed"],
              ["pasted first\npasted second", "completed"],
              ["run sleep 1", "completed"],
              ["typed ahead", "completed"],
              ["still here", "completed"]
            ]
          )

          const fresh = yield* inTerminal(world)
          yield* fresh.shows("Which conversation?")
          yield* fresh.type("\r")
          yield* fresh.shows("You")
          assert.lengthOf((yield* server.client.threads.list({ query: {} })).items, 2)
          yield* fresh.type("a new one\r")
          yield* fresh.shows("Begun in")
          yield* fresh.close
          const { items: threads } = yield* server.client.threads.list({ query: {} })
          assert.lengthOf(threads, 3)
        })
      )
  )

  it.live("for scripts: events as they come, --continue, the server's log", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const server = yield* world.start()
        const none = yield* rejoin(world, "send", "--continue", "anybody?")
        assert.strictEqual(none.code, 2)
        assert.include(none.err, "There is no thread in")
        const id = yield* open(server, world.at("repo"), "full-access")
        const streamed = yield* rejoin(world, "send", "-c", "--json", "--stream", "run echo hello")
        assert.strictEqual(streamed.code, 0, streamed.err)
        const lines = streamed.out.trim().split("\n")
        const events = lines
          .slice(0, -1)
          .map((line) => Schema.decodeSync(Schema.fromJsonString(RuntimeEvent))(line))
        const last = Schema.decodeSync(Schema.fromJsonString(Turn))(lines.at(-1) ?? "")
        assert.strictEqual(last.status, "completed")
        assert.isTrue(events.every(({ threadId }) => threadId === id))
        assert.includeMembers(
          events.map(({ type }) => type),
          ["session.started", "item.started", "turn.completed"]
        )

        const log = yield* rejoin(world, "logs", "-n", "5")
        assert.match(log.out, /^\S+Z? {2}INFO {3}/m)
        const following = yield* started(world, "logs", "-f", "-n", "1", "--json")
        yield* following.shows(`"message"`)
        yield* server.stop
        yield* world.start()
        yield* following.shows("Reconciled.")
        process.kill(following.pid, "SIGINT")
        yield* following.ended
      })
    )
  )
})
