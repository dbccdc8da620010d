import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Agent, instances } from "./Agents.ts"
import { alter } from "./Altered.ts"
import { foreignServer } from "./OpenCodeApi.ts"
import { rawClaude } from "./RawClaude.ts"
import { rawCodex } from "./RawCodex.ts"
import { live, makeWorld, receipts, say, type World } from "./World.ts"

/** One red pixel. */
const picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
const asUrl = `data:image/png;base64,${picture}`

interface Made {
  readonly pictured: string
  readonly compacted: string
  readonly rewound: string
  readonly forked: string
  /** Claude has no such thing. */
  readonly archived?: string
}

const said = ["one", "two", "three"] as const

const byClaude = Effect.fnUntraced(function* (world: World) {
  const begin = Effect.gen(function* () {
    const claude = yield* rawClaude(world, world.at("repo"), ["--permission-mode", "bypassPermissions"])
    let id = ""
    for (const text of said) id = (yield* claude.say(text)).session_id ?? ""
    return { id, claude }
  }).pipe(Effect.scoped)
  const seeing = yield* rawClaude(world, world.at("repo"), ["--permission-mode", "bypassPermissions"])
  const source = { type: "base64", media_type: "image/png", data: picture }
  const seen = yield* seeing.say("what is this", [{ type: "image", source }])
  const compacted = (yield* begin).id
  yield* Effect.scoped(
    Effect.gen(function* () {
      const again = yield* rawClaude(world, world.at("repo"), ["--resume", compacted])
      yield* again.say("/compact")
      yield* again.say("after it")
    })
  )
  const rewound = (yield* begin).id
  const fork = yield* rawClaude(world, world.at("repo"), ["--resume", rewound, "--fork-session"])
  const forked = yield* fork.say("in the fork")
  const made: Made = {
    pictured: seen.session_id ?? "",
    compacted,
    rewound,
    forked: forked.session_id ?? ""
  }
  return made
}, Effect.scoped)

const byCodex = Effect.fnUntraced(function* (world: World) {
  const raw = yield* rawCodex(world)
  const begin = Effect.gen(function* () {
    const { id } = yield* raw.start(world.at("repo"))
    for (const text of said) yield* raw.turn(id, text)
    return id
  })
  const { id: pictured } = yield* raw.start(world.at("repo"))
  yield* world.fs.writeFile(world.at("repo/red.png"), Buffer.from(picture, "base64"))
  const input = [
    { type: "text", text: "what is this", text_elements: [] },
    { type: "image", url: asUrl },
    { type: "localImage", path: world.at("repo/red.png") }
  ]
  yield* raw.ask("turn/start", { threadId: pictured, input })
  yield* raw.until("turn/completed")
  const [compacted, rewound, archived] = [yield* begin, yield* begin, yield* begin]
  const forked = yield* raw.ask("thread/fork", { threadId: rewound })
  const fork = forked.result?.["thread"] as { readonly id: string } | undefined
  yield* raw.turn(fork?.id ?? "", "in the fork")
  const away = yield* raw.ask("thread/archive", { threadId: archived })
  assert.isUndefined(away.error)
  const made: Made = { pictured, compacted, rewound, forked: fork?.id ?? "", archived }
  return made
}, Effect.scoped)

const byOpenCode = Effect.fnUntraced(function* (world: World) {
  const { sdk } = yield* foreignServer(world)
  const directory = world.at("repo")
  return yield* Effect.promise(async (): Promise<Made> => {
    const begin = async () => (await sdk.session.create({ directory })).data?.id ?? ""
    const saying = async (sessionID: string, ...texts: ReadonlyArray<string>) => {
      for (const text of texts)
        await sdk.session.prompt({ sessionID, directory, parts: [{ type: "text", text }] })
      return sessionID
    }
    const pictured = await begin()
    await sdk.session.prompt({
      sessionID: pictured,
      directory,
      parts: [
        { type: "text", text: "what is this" },
        { type: "file", mime: "image/png", filename: "red.png", url: asUrl }
      ]
    })
    const compacted = await saying(await begin(), ...said)
    const rewound = await saying(await begin(), ...said)
    const archived = await saying(await begin(), ...said)
    const fork = await sdk.session.fork({ sessionID: rewound, directory })
    const forked = await saying(fork.data?.id ?? "", "in the fork")
    await sdk.session.update({ sessionID: archived, directory, time: { archived: 1 } })
    return { pictured, compacted, rewound, forked, archived }
  })
}, Effect.scoped)

/** Codex's leaves no message; Claude's was said, and went on. */
const afterCompaction: Readonly<Record<Agent, ReadonlyArray<string>>> = {
  claude: ["/compact", "after it"],
  codex: [],
  opencode: ["/compact"]
}

const making: Readonly<Record<Agent, typeof byClaude | typeof byCodex | typeof byOpenCode>> = {
  claude: byClaude,
  codex: byCodex,
  opencode: byOpenCode
}

describe("I1, I3, N6: what its user did with a session in its agent is seen here as it is there", () => {
  for (const agent of ["opencode", "codex", "claude"] as const) {
    it.live(`${agent}: with a picture, compacted, rewound, forked, archived`, () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: [agent] })
          const made = yield* making[agent](world)
          // Claude was compacted in its conversation.
          yield* alter(agent, world, made.compacted, made.rewound)
          const server = yield* world.start()
          const provider = instances[agent]
          const { items } = yield* server.client.providers.sessions({ params: { id: provider }, query: {} })
          assert.sameMembers(
            items.map(({ providerSessionId }) => providerSessionId as string),
            Object.values(made)
          )
          assert.deepEqual(
            items
              .filter(({ archived }) => archived)
              .map(({ providerSessionId }) => providerSessionId as string),
            made.archived === undefined ? [] : [made.archived]
          )
          const adopt = Effect.fnUntraced(function* (session: string) {
            const { id } = yield* server.client.threads.create({ payload: { provider, session } })
            const { items: turns } = yield* server.client.turns.list({ params: { id }, query: {} })
            const inputs = turns.map(({ input }) => input)
            const asked = `what is known of ${session}`
            const turn = yield* say(server, id, asked)
            assert.strictEqual(turn.status, "completed", JSON.stringify(turn.error))
            const request = world.model.requests().findLast(({ said }) => said.at(-1) === asked)
            const [receipt] = yield* receipts(server, id)
            assert.strictEqual(receipt?.outcome, "adopted")
            return {
              inputs,
              known: (request?.said ?? []).slice(0, -1),
              turns,
              request: JSON.stringify(request)
            }
          })
          const pictured = yield* adopt(made.pictured)
          assert.deepEqual(pictured.inputs, ["what is this"])
          assert.deepEqual(
            [
              ...new Set(
                pictured.turns[0]?.attachments?.map(({ bytes, mediaType }) => `${mediaType} ${bytes}`)
              )
            ],
            [`image/png ${Buffer.from(picture, "base64").length}`]
          )
          // What OpenCode tells its model of a picture is its own: the scripted one takes none.
          if (agent !== "opencode") assert.include(pictured.request, picture)

          const compacted = yield* adopt(made.compacted)
          assert.deepEqual(compacted.inputs, [...said, ...afterCompaction[agent]])
          assert.notDeepEqual(compacted.known, compacted.inputs, "a summary stands for it")

          const rewound = yield* adopt(made.rewound)
          const left = agent === "claude" ? ["one", "two", "instead of three"] : ["one", "two"]
          assert.deepEqual(rewound.inputs, left)
          assert.deepEqual(rewound.known, left)

          for (const session of [made.forked, ...(made.archived === undefined ? [] : [made.archived])]) {
            const whole = yield* adopt(session)
            assert.deepEqual(whole.inputs, session === made.forked ? [...said, "in the fork"] : [...said])
            assert.deepEqual(whole.known, whole.inputs)
          }
        })
      )
    )
  }
})
