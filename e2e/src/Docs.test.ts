import { assert, describe, it } from "@effect/vitest"
import { RuntimeEventType } from "@rejoin/contracts/RuntimeEvent"
import * as Errors from "@rejoin/contracts/Errors"
import { Effect, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { rejoin } from "./CommandLine.ts"
import { live, makeWorld } from "./World.ts"

const root = new URL("../../", import.meta.url).pathname
const files = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(`${root}docs`, { recursive: true })
    .map((name) => `docs/${String(name)}`)
    .filter((name) => name.endsWith(".md"))
]
const textOf = (file: string) => readFileSync(`${root}${file}`, "utf8")
const blocksOf = (text: string) => [...text.matchAll(/```sh\n([^]*?)```/g)].map(([, block = ""]) => block)

describe("G4: what is written leads somewhere, and is so", () => {
  it("every link leads to a file, and to a heading that is there", () => {
    const anchorsOf = (file: string) =>
      [...textOf(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
        heading
          .toLowerCase()
          .replace(/[^\w\s-]/g, "")
          .replaceAll(" ", "-")
      )
    for (const file of files) {
      for (const [, target = ""] of textOf(file).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue
        const [path = "", anchor] = target.split("#")
        const to = path === "" ? file : join(dirname(file), path)
        assert.isTrue(existsSync(`${root}${to}`), `${file}: ${target}`)
        if (anchor !== undefined) assert.include(anchorsOf(to), anchor, `${file}: ${target}`)
      }
    }
  })

  it("the README is read in a minute", () => {
    assert.isAtMost(textOf("README.md").split("\n").length, 150)
  })

  it("every event and every refusal that is explained exists, and every event is explained", () => {
    const events = [
      ...textOf("docs/api.md").matchAll(
        /`((?:thread|session|turn|item|request|user-input|usage|receipt|events)\.\w+|warning)`/g
      )
    ]
    assert.sameMembers([...new Set(events.map(([, name]) => name))], [...RuntimeEventType.literals])
    const refusals = [...textOf("docs/troubleshooting.md").matchAll(/^\| (`[^|]*)\|/gm)].flatMap(
      ([, cell = ""]) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name)
    )
    assert.isAbove(refusals.length, 10)
    for (const name of refusals) assert.property(Errors, name)
  })

  it.live("every command that is shown exists", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld({ agents: [] })
        const { out } = yield* rejoin(world, "--help")
        const known = [...out.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name)
        for (const file of [
          "README.md",
          "docs/cli.md",
          "docs/getting-started.md",
          "docs/troubleshooting.md",
          "docs/continuity.md",
          "docs/sessions.md"
        ]) {
          const shown = [
            ...blocksOf(textOf(file)),
            ...[...textOf(file).matchAll(/`(rejoin [^`]*)`/g)].map(([, code = ""]) => code)
          ]
          for (const [, name] of shown.join("\n").matchAll(/(?:^|[;&|(] *|^ssh \S+ )rejoin ([a-z][a-z-]*)/gm))
            assert.include(known, name, `${file}: rejoin ${name}`)
        }
      })
    )
  )

  it.live("the README's calls of the API, pasted", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const server = yield* world.start()
        const block = blocksOf(textOf("README.md")).find((text) => text.includes("curl")) ?? ""
        const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
        const pasted = block
          .replaceAll("localhost:4319", new URL(server.url).host)
          .replaceAll("~/.rejoin", world.home)
        const handle = yield* spawner.spawn(
          ChildProcess.make("bash", ["-euo", "pipefail", "-c", pasted], {
            cwd: world.at("repo"),
            env: world.environment,
            extendEnv: false,
            stdin: "ignore"
          })
        )
        const printed = yield* handle.stdout.pipe(Stream.decodeText(), Stream.mkString)
        assert.strictEqual(Number(yield* handle.exitCode), 0)
        assert.include(printed, '"output":"My name is Ada."')
      })
    )
  )
})
