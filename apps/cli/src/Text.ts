import type { ProviderInfo } from "@rejoin/contracts/Provider"
import type { Receipt } from "@rejoin/contracts/Receipt"
import type { Thread } from "@rejoin/contracts/Thread"
import type { Turn } from "@rejoin/contracts/Turn"

// How things look to people. Pure, and without colour: what is printed is often piped.

/** Rows in columns as wide as their widest cell. */
const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows.reduce<Array<number>>(
    (widths, row) => row.map((cell, i) => Math.max(widths[i] ?? 0, cell.length)),
    []
  )
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd()
    )
    .join("\n")
}

/** One line, so short. */
export const brief = (text: string, length = 60): string => {
  const line = text.replaceAll(/\s+/g, " ").trim()
  return line.length > length ? `${line.slice(0, length - 1)}…` : line
}

export const threadsText = (threads: ReadonlyArray<Thread>): string =>
  threads.length === 0
    ? "There are no threads yet: rejoin send --new …"
    : table([
        ["THREAD", "STATE", "PROVIDER", "MODE", "ACTIVE", "DIRECTORY", "TITLE"],
        ...threads.map((thread) => [
          thread.id,
          thread.session.state,
          thread.provider,
          thread.runtimeMode,
          thread.lastActivityAt.slice(0, 16).replace("T", " "),
          thread.cwd,
          brief(thread.title, 40)
        ])
      ])

export const threadText = (thread: Thread): string =>
  table(
    Object.entries({
      thread: thread.id,
      title: thread.title,
      state: `${thread.session.state}, last turn: ${thread.status}`,
      provider: `${thread.provider} (${thread.driver})`,
      session: thread.session.providerSessionId ?? "none yet",
      directory: thread.cwd,
      mode: thread.runtimeMode,
      model: thread.model ?? "the provider's own",
      usage: `${thread.usage.inputTokens} tokens in, ${thread.usage.outputTokens} out, $${thread.usage.costUsd.toFixed(2)}`,
      ...(thread.session.runningTool && { "at work": thread.session.runningTool }),
      ...(thread.session.terminalSince && {
        "in a terminal": `since ${thread.session.terminalSince.slice(0, 16).replace("T", " ")}`
      }),
      ...(thread.forkedFrom && { "forked from": thread.forkedFrom.threadId }),
      ...(thread.pendingRequests > 0 && { waiting: `${thread.pendingRequests} for an answer` }),
      ...(thread.lastError && { error: `${thread.lastError._tag}: ${thread.lastError.message}` })
    })
  )

export const turnsText = (turns: ReadonlyArray<Turn>): string =>
  turns
    .map(({ error, input, output, status }) => {
      const answer = status === "completed" ? output : `(${status}${error ? `: ${error.message}` : ""})`
      return `> ${input.replaceAll("\n", "\n> ")}\n${answer}`
    })
    .join("\n\n")

/** What a start did, in words: where it is, with which powers, and what of it was read back. */
export const receiptText = (receipt: Receipt): string => {
  const { at, cwdRequested, cwdVerified, error, outcome, reason, runtimeModeRequested, runtimeModeVerified } =
    receipt
  const history = receipt.checks.findLast(({ what }) => what === "history")?.found
  const told = (asked: string, found: string | null) =>
    found === null
      ? `${asked} (not read back)`
      : found === asked
        ? `${found} (read back)`
        : `${found}, not ${asked}`
  return [
    `${at.slice(0, 19).replace("T", " ")}  ${outcome}${reason === undefined ? "" : `: ${reason}`}`,
    ...(error ? [`  ${error._tag}: ${error.message}`] : []),
    ...(error?.hint ? [`  ${error.hint}`] : []),
    `  session    ${receipt.providerSessionIdBefore ?? "–"} → ${receipt.providerSessionIdAfter ?? "–"}`,
    `  directory  ${told(cwdRequested, cwdVerified)}`,
    `  mode       ${told(runtimeModeRequested, runtimeModeVerified)}`,
    ...(history && "value" in history ? [`  history    ${history.value}`] : [])
  ].join("\n")
}

export const providersText = (providers: ReadonlyArray<ProviderInfo>): string =>
  table([
    ["PROVIDER", "DRIVER", "VERSION", "STATE", "PROGRAM"],
    ...providers.map(({ driver, id, program, reason, status, version }) => [
      id,
      driver,
      version ?? "–",
      status === "ready" ? status : `${status}: ${reason ?? "unknown"}`,
      program ?? "–"
    ])
  ])
