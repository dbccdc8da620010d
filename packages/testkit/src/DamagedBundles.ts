import { assert, describe, it } from "@effect/vitest"
import { InvalidBundle } from "@rejoin/contracts/Errors"
import type { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { imported, known, lived, rewritten } from "@rejoin/core/testing/Bundles"
import { makeWorld, openThread, say } from "@rejoin/core/testing/World"
import { Effect, identity, type Layer, Option } from "effect"

type Lines = ReadonlyArray<Record<string, unknown>>

/** The first line of this kind with other fields; `within` names the field in which they stand. */
const edit =
  (kind: string, change: Record<string, unknown>, within?: string) =>
  (lines: Lines): Lines => {
    const at = lines.findIndex((line) => line["kind"] === kind)
    return lines.map((line, i) => {
      if (i !== at) return line
      return within === undefined
        ? { ...line, ...change }
        : { ...line, [within]: { ...(line[within] as object), ...change } }
    })
  }

/** Each with an end that belongs to it: nothing but what is said of it is wrong. */
const damaged: ReadonlyArray<readonly [string, (lines: Lines) => ReadonlyArray<unknown>]> = [
  ["of a newer version", edit("header", { version: 2 })],
  ["of something else", edit("header", { format: "tar" })],
  ["a thread whose id is a path", edit("header", { id: "../x" }, "thread")],
  ["a session whose id is an option", edit("header", { providerSessionId: "--config=x" }, "session")],
  [
    "a turn that is there twice",
    (lines) => lines.flatMap((line) => (line["kind"] === "turn" ? [line, line] : [line]))
  ],
  ["a turn that has not ended", edit("turn", { status: "running" }, "turn")],
  ["an item of no turn", edit("item", { turnId: "trn_other" }, "item")],
  ["a receipt of another thread", edit("receipt", { threadId: "thr_other" }, "receipt")],
  ["an attachment that was exchanged", edit("blob", { data: "AAAA" })],
  ["a file that lies elsewhere", edit("piece", { file: "../../.bashrc" })],
  ["a record that was changed", edit("piece", { data: "e30=" })],
  [
    "a piece of it that is missing",
    (lines) => lines.filter((line, i) => line["kind"] !== "piece" || i % 2 === 0)
  ],
  ["no header", (lines) => lines.slice(1)],
  ["another order", (lines) => [lines[0], ...lines.slice(1).toReversed()]],
  ["a record larger than may be kept", edit("transcript", { bytes: 1e12 }, "head")]
]

/** What is no thread, or not all of one, is refused by its kind and changes nothing in this store. */
export const damagedBundlesSuite = <E>(name: string, layer: Layer.Layer<ThreadStore, E>) =>
  describe(`W12, ${name}: what is no thread, or not all of one, changes nothing`, () => {
    for (const [name, change] of damaged) {
      it.effect(name, () =>
        Effect.gen(function* () {
          const [here, there] = [yield* makeWorld(), yield* makeWorld({}, identity, layer)]
          const { bundle, id } = yield* lived(here, ["one", "two"])
          const hostile = yield* rewritten(bundle, change)
          const before = yield* known(there, id)
          yield* there.life(
            Effect.gen(function* () {
              const error = yield* Effect.flip(imported(hostile))
              assert.instanceOf(error, InvalidBundle, name)
              assert.deepEqual(yield* known(there, id), before)
              assert.deepEqual(yield* there.store.listThreads({ limit: 10 }), [])
              // The same without the damage is taken: the check refuses for what it says.
              yield* imported(yield* rewritten(bundle, (lines) => lines))
            })
          )
        })
      )
    }

    it.effect("cut anywhere, or with a byte changed", () =>
      Effect.gen(function* () {
        const [here, there] = [yield* makeWorld(), yield* makeWorld({}, identity, layer)]
        const { bundle, id } = yield* lived(here, ["one", "two"])
        const before = yield* known(there, id)
        const cuts = Array.from({ length: 40 }, (_, i) => Math.floor((bundle.length * i) / 40))
        const texts = [
          ...cuts.map((at) => bundle.slice(0, at)),
          ...cuts
            .slice(1)
            .map((at) => bundle.slice(0, at) + (bundle[at] === "0" ? "1" : "0") + bundle.slice(at + 1)),
          `${bundle}${bundle}`,
          `${bundle}{}\n`,
          "\u0000\n"
        ]
        yield* there.life(
          Effect.gen(function* () {
            for (const text of texts) {
              assert.instanceOf(yield* Effect.flip(imported(text)), InvalidBundle)
              assert.deepEqual(yield* known(there, id), before)
            }
          })
        )
      })
    )

    it.effect("a turn that is one of another thread here is not taken over", () =>
      Effect.gen(function* () {
        const [here, there] = [yield* makeWorld(), yield* makeWorld({}, identity, layer)]
        const { bundle, id } = yield* lived(here, ["one"])
        yield* there.life(
          Effect.gen(function* () {
            const own = yield* openThread()
            const turn = yield* say(own, "mine")
            const before = yield* known(there, own)
            const renamed = yield* rewritten(bundle, (lines) => {
              const first = lines.find((line) => line["kind"] === "turn")?.["turn"] as { readonly id: string }
              return lines.map(
                (line) =>
                  JSON.parse(JSON.stringify(line).replaceAll(first.id, turn.id)) as Record<string, unknown>
              )
            })
            assert.instanceOf(yield* Effect.flip(imported(renamed)), InvalidBundle)
            assert.deepEqual(yield* known(there, own), before)
            assert.isTrue(Option.isNone(yield* there.store.getThread(id)))
          })
        )
      })
    )
  })
