import type * as Requests from "@rejoin/contracts/api/Requests"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { now } from "@rejoin/contracts/Time"
import { Effect } from "effect"
import { newId } from "../NewId.ts"
import type { SettingsShape } from "../Settings.ts"
import type { Binding, ThreadRecord } from "../store/Records.ts"
import { filterExtraEnv } from "./ExtraEnv.ts"

/** The rows of a thread in which nothing has happened, and the variables that it may not set. */
export const newThread = Effect.fnUntraced(function* (
  request: Omit<Requests.CreateThread, "cwd">,
  { cwd, driver, forkedFrom }: Pick<ThreadRecord, "cwd" | "driver" | "forkedFrom">,
  settings: SettingsShape
) {
  const at = yield* now
  const env = filterExtraEnv(request.extraEnv ?? {}, settings.extraEnv)
  const thread: ThreadRecord = {
    id: (yield* newId("thr")) as ThreadId,
    title: request.title ?? "",
    provider: request.provider,
    driver,
    project: request.project ?? null,
    key: request.key ?? null,
    ...(forkedFrom && { forkedFrom }),
    cwd,
    runtimeMode: request.runtimeMode ?? settings.runtimeMode,
    model: request.model ?? null,
    ...(request.systemPrompt !== undefined && { systemPrompt: request.systemPrompt }),
    ...(request.onLimit !== undefined && { onLimit: request.onLimit }),
    status: "idle",
    extraEnv: env.allowed,
    additionalDirectories: request.additionalDirectories ?? [],
    usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 },
    lastError: null,
    lastSeq: 0,
    createdAt: at,
    updatedAt: at,
    lastActivityAt: at
  }
  const binding: Binding = {
    threadId: thread.id,
    instanceId: request.provider,
    driver,
    storeId: null,
    providerSessionId: null,
    cursor: null,
    cwd: null,
    mode: null,
    model: null,
    status: "none",
    generation: 0,
    prior: "none",
    mark: null,
    resetRequested: false,
    terminal: null,
    moved: null,
    lastSeenAt: null,
    createdAt: at,
    updatedAt: at
  }
  return { thread, binding, rejected: env.rejected }
})
