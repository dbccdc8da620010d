import type { RejoinClient } from "@rejoin/client/Client"
import { InvalidInput } from "@rejoin/contracts/Errors"
import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { Effect, Option } from "effect"
import { absolute, allThreads, findThread, latestIn } from "./Addressed.ts"

type Choice = {
  readonly [K in "cwd" | "model" | "provider" | "thread"]: Option.Option<string>
} & {
  readonly isNew: boolean
  readonly goesOn?: boolean
  readonly mode: Option.Option<RuntimeMode>
  readonly additionalDirectories?: ReadonlyArray<string>
}

/** What was asked for that this thread, which is there already, cannot be given by saying something in it. */
const refuseGiven = Effect.fnUntraced(function* (given: Record<string, boolean>, id: string) {
  const names = Object.entries(given).flatMap(([name, isGiven]) => (isGiven ? [`--${name}`] : []))
  if (names.length === 0) return
  return yield* new InvalidInput({
    message: `${names.join(", ")} is for a new thread, and ${id} is there already.`,
    hint: "Say --new without --thread, or change the thread: rejoin mode, model, move."
  })
})

/** The conversation that is meant, and whether it begins here. What is said where is never left to guessing. */
export const threadFor = Effect.fnUntraced(function* (
  client: RejoinClient,
  { additionalDirectories = [], cwd, goesOn = false, isNew, mode, model, provider, thread }: Choice
) {
  const isGiven = {
    provider: Option.isSome(provider),
    mode: Option.isSome(mode),
    model: Option.isSome(model)
  }
  if (Option.isSome(thread)) {
    const found = yield* findThread(client, thread.value)
    // Where it is, is no other directory.
    const elsewhere = Option.isSome(cwd) && (yield* absolute(cwd.value)) !== found.cwd
    yield* refuseGiven({ ...isGiven, cwd: elsewhere, new: isNew }, found.id)
    return { thread: found, created: false }
  }
  const here = yield* absolute(Option.getOrElse(cwd, () => "."))
  const latest = isNew ? undefined : latestIn(yield* allThreads(client), here)
  if (latest !== undefined) {
    yield* refuseGiven(isGiven, latest.id)
    return { thread: latest, created: false }
  }
  if (goesOn) {
    return yield* new InvalidInput({
      field: "continue",
      message: isNew ? "A new thread goes on from nothing." : `There is no thread in ${here} yet.`,
      hint: "Without --continue a new one is begun."
    })
  }
  const { items } = yield* client.providers.list({})
  const named = Option.getOrUndefined(provider)
  const usable = items.find(({ id }) => id === named)
  if (named !== undefined && usable?.status !== "ready") {
    return yield* new InvalidInput({
      field: "provider",
      message:
        usable === undefined
          ? `There is no agent ${named}.`
          : `${named} cannot be used: ${usable.reason ?? "unknown"}`,
      hint: "rejoin providers lists them."
    })
  }
  const ready = items.find(({ status }) => status === "ready")?.id
  const chosen = Option.isSome(provider) ? ProviderInstanceId.make(provider.value) : ready
  if (chosen === undefined) {
    return yield* new InvalidInput({
      message: "No agent can be used here.",
      hint: "rejoin providers says why not."
    })
  }
  // The worktrees of one repository are one project.
  const directory = yield* Effect.option(client.directories.look({ query: { path: here } }))
  const project = Option.getOrUndefined(directory)?.worktrees[0]?.path
  const created = yield* client.threads.create({
    payload: {
      provider: chosen,
      cwd: here,
      ...(project !== undefined && { project }),
      ...(Option.isSome(mode) && { runtimeMode: mode.value }),
      ...(Option.isSome(model) && { model: model.value }),
      ...(additionalDirectories.length > 0 && { additionalDirectories })
    }
  })
  return { thread: created, created: true }
})
