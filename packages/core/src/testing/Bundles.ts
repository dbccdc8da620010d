import type { ThreadId } from "@rejoin/contracts/Ids"
import { Effect, Stream } from "effect"
import { chained } from "../bundle/BundleWriting.ts"
import { ProviderService } from "../ProviderService.ts"
import { makeWorld, openThread, say } from "./World.ts"

type World = Effect.Success<ReturnType<typeof makeWorld>>

/** The thread in one text. */
export const exported = (id: ThreadId, options?: { readonly move?: boolean; readonly to?: string }) =>
  Effect.gen(function* () {
    const service = yield* ProviderService
    return yield* Stream.mkString(Stream.decodeText(yield* service.export(id, options)))
  })

const bytes = (text: string) => Stream.make(new TextEncoder().encode(text))

export const imported = (text: string, into?: { readonly cwd?: string; readonly provider?: string }) =>
  Effect.flatMap(ProviderService, (service) => service.import(bytes(text), into))

/** All that a store knows of a thread. */
export const known = Effect.fnUntraced(function* ({ store }: World, id: ThreadId) {
  const limit = 500
  return {
    thread: yield* store.getThread(id),
    binding: yield* store.getBinding(id),
    turns: yield* store.listTurns(id, { limit }),
    items: yield* store.listItems(id, { limit }),
    receipts: yield* store.listReceipts(id, { limit }),
    lineage: yield* store.listLineage(id),
    transcript: yield* store.transcripts.get(id),
    files: yield* Effect.option(store.transcripts.read(id))
  }
})

export const picture = { name: "dot.png", mediaType: "image/png", data: "iVBORw0KGgo=" }

/** A thread with turns, an attachment, and a session that it had before. */
export const lived = Effect.fnUntraced(function* (world: World, said: ReadonlyArray<string>) {
  return yield* world.life(
    Effect.gen(function* () {
      const service = yield* ProviderService
      const id = yield* openThread()
      yield* say(id, "given up")
      yield* service.reset(id)
      for (const text of said) yield* say(id, text)
      const { id: seen } = yield* service.send(id, { input: "look", attachments: [picture] })
      yield* service.awaitSettled(id, seen)
      return { id, bundle: yield* exported(id) }
    })
  )
})

/** The bundle with other lines, and the end that belongs to them. */
export const rewritten = Effect.fnUntraced(function* (
  bundle: string,
  change: (lines: ReadonlyArray<Record<string, unknown>>) => ReadonlyArray<unknown>
) {
  const lines = bundle
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const body = change(lines.slice(0, -1)).map((line) => JSON.stringify(line))
  let hash = ""
  for (const line of body) hash = yield* chained(hash, line)
  const end = { ...lines.at(-1), lines: body.length, hash }
  return `${[...body, JSON.stringify(end)].join("\n")}\n`
})
