import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { instances } from "./Agents.ts"
import { rejoin } from "./CommandLine.ts"
import { live, makeWorld, open, receipts, say, settled } from "./World.ts"

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

const includesInOrder = (said: ReadonlyArray<string>, wanted: ReadonlyArray<string>) => {
  const told = said.flatMap((text) => wanted.filter((one) => text.startsWith(one)))
  assert.deepEqual(told, wanted)
}

describe("W4, W12, W13: a conversation goes to another machine, and comes back", () => {
  for (const agent of ["opencode", "codex", "claude"] as const) {
    it.live(`${agent}: from one server to another, with homes and clones of their own`, () =>
      live(
        Effect.gen(function* () {
          const [here, there] = [yield* makeWorld({ agents: [agent] }), yield* makeWorld({ agents: [agent] })]
          const a = yield* here.start()
          const id = yield* open(a, here.at("repo"), "full-access", instances[agent])
          const facts = ["fact one is 1", "fact two is 2", "run echo made > made.txt"]
          for (const fact of facts) yield* say(a, id, fact)
          const attachment = agent === "codex" ? picture : note
          const seen = yield* a.client.turns.send({
            params: { id },
            payload: { input: "look", attachments: [attachment] }
          })
          yield* settled(a, id, seen.id)
          const file = here.at("thread.ndjson")
          const out = yield* rejoin(here, "export", id, "-o", file, "--move", "--to", "the other one")
          assert.strictEqual(out.code, 0, out.err)
          assert.strictEqual((yield* here.fs.stat(file)).mode & 0o777, 0o600)
          const refused = yield* rejoin(here, "send", "-t", id, "too late")
          assert.strictEqual(refused.code, 1)
          assert.include(refused.err, "the other one")

          const b = yield* there.start()
          const brought = yield* rejoin(there, "import", file, "-C", there.at("repo"), "--json")
          assert.strictEqual(brought.code, 0, brought.err)
          assert.include(brought.out, id)
          const first = yield* say(b, id, "what do you know")
          assert.strictEqual(first.status, "completed", JSON.stringify(first.error))
          const asked = there.model.requests().findLast(({ said }) => said.at(-1) === "what do you know")
          includesInOrder(asked?.said ?? [], [...facts, "look", "what do you know"])
          assert.include(JSON.stringify(asked?.body), agent === "codex" ? picture.data : "the attached text")
          const [receipt] = yield* receipts(b, id)
          assert.deepInclude(
            { ...receipt },
            { outcome: "rehydrated", cwdRequested: there.at("repo"), runtimeModeRequested: "full-access" }
          )
          assert.include((yield* say(b, id, "run pwd")).output, there.at("repo"))

          // And back: what is here is older, and goes on as it did there.
          const back = there.at("back.ndjson")
          assert.strictEqual((yield* rejoin(there, "export", id, "-o", back, "--move")).code, 0)
          const returned = yield* rejoin(here, "import", back, "-C", here.at("repo"))
          assert.strictEqual(returned.code, 0, returned.err)
          const last = yield* say(a, id, "and now")
          assert.strictEqual(last.status, "completed", JSON.stringify(last.error))
          const again = here.model.requests().findLast(({ said }) => said.at(-1) === "and now")
          includesInOrder(again?.said ?? [], [...facts, "look", "what do you know", "run pwd", "and now"])
          assert.include((yield* say(a, id, "run pwd")).output, here.at("repo"))
          // The older one is not taken any more.
          const older = yield* rejoin(here, "import", file)
          assert.strictEqual(older.code, 1)
          assert.include(older.err, "here already")
        })
      )
    )
  }
})
