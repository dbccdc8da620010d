import { ago } from "@rejoin/shown/Ago"
import type { ProviderInfo, ProviderModel } from "@rejoin/contracts/Provider"
import type { Receipt } from "@rejoin/contracts/Receipt"
import type { Moved, Thread } from "@rejoin/contracts/Thread"
import type { Turn } from "@rejoin/contracts/Turn"
import { brief, visible } from "@rejoin/shown/Visible"
import { carriedText, outcomes, stateOf, restoredText, undoneText } from "@rejoin/shown/Words"

// How things look to people. Pure, and without colour: what is printed is often piped.

/** Rows in columns as wide as their widest cell. */
export const tableOf = (told: ReadonlyArray<ReadonlyArray<string>>): string => {
  const rows = told.map((row) => row.map(visible))
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

/** The end of an id, which names the thread alone: ids begin with the time, and those of one day begin alike. */
const shortIds = (ids: ReadonlyArray<string>): ((id: string) => string) => {
  for (let length = 4; length < 30; length++) {
    const ends = ids.map((id) => id.slice(-length))
    // Anywhere in another one it would name that too.
    if (ends.every((end) => ids.filter((id) => id.includes(end)).length === 1))
      return (id) => id.slice(-length)
  }
  return (id) => id
}

/** The latest first. `now` in ms since 1970. */
export const threadsText =
  (now: number) =>
  (threads: ReadonlyArray<Thread>): string => {
    if (threads.length === 0) return "No threads. rejoin send --new … begins one."
    const short = shortIds(threads.map(({ id }) => id))
    return tableOf([
      ["THREAD", "STATE", "AGENT", "ACTIVE", "TITLE", "DIRECTORY"],
      ...threads.map((thread) => [
        short(thread.id),
        stateOf(thread),
        thread.provider,
        ago(thread.lastActivityAt, now),
        brief(thread.title, 40),
        thread.cwd
      ])
    ])
  }

export const threadText = (thread: Thread): string =>
  tableOf(
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
        "in a terminal": `since ${timeOf(thread.session.terminalSince)}`
      }),
      ...(thread.session.moved && { moved: movedText(thread.session.moved) }),
      ...(thread.forkedFrom && { "forked from": thread.forkedFrom.threadId }),
      ...(thread.pendingRequests > 0 && {
        waiting: `${thread.pendingRequests} for an answer: rejoin answer ${thread.id} …`
      }),
      ...(thread.waitsUntil && { scheduled: `the next message is sent at ${timeOf(thread.waitsUntil)}` }),
      ...(thread.onLimit && { "at a limit": thread.onLimit }),
      ...(thread.session.startsAnew && { "next message": "begins anew: a reset was asked for" }),
      ...(thread.lastError && { error: `${thread.lastError._tag}: ${thread.lastError.message}` })
    })
  )

const movedText = ({ at, to }: Moved) =>
  `${to === null ? "elsewhere" : `to ${to}`}, on ${timeOf(at)}; rejoin claim takes it back`

/** After these the agent does not have before it what was said before. */
const breaks = ({
  ahead = 0,
  imported = 0,
  outcome,
  providerSessionIdAfter,
  providerSessionIdBefore,
  restored,
  undone = 0
}: Receipt): string | undefined => {
  if (restored !== undefined) return `── ${restoredText(restored)} ──`
  if (undone > 0) return `── ${undoneText(undone)} ──`
  if (outcome === "replaced") return "── Began anew: the agent knows nothing of what stands above ──"
  if (ahead > 0)
    return `── ${ahead === 1 ? "1 message was" : `${ahead} messages were`} said in the agent's own interface${imported >= ahead ? "" : ": it knows them, they are not shown here"} ──`
  const another = providerSessionIdBefore !== null && providerSessionIdAfter !== providerSessionIdBefore
  return outcome === "adopted" && another
    ? "── Went on in another session, which a terminal began: it may lack what stands above ──"
    : undefined
}

/** What was said, and where the conversation was not the same any more. */
export const turnsText = (turns: ReadonlyArray<Turn>, receipts: ReadonlyArray<Receipt>): string => {
  const marks = receipts.flatMap((receipt) => {
    const text = breaks(receipt)
    // Ids are in the order of their making, behind their prefix: a start stands before the turn that it was made for.
    return text === undefined ? [] : [{ at: (receipt.turnId ?? receipt.id).slice(4), text }]
  })
  const first = turns[0]?.id.slice(4) ?? ""
  const left = marks.filter(({ at }) => at >= first).toSorted((a, b) => (a.at < b.at ? -1 : 1))
  const lines = turns.flatMap((turn) => {
    const at = turn.id.slice(4)
    // One that waited for its time stands where it was said, and has an older id than those before it.
    const own = left.filter((mark) => (turn.notBefore === undefined ? mark.at <= at : mark.at === at))
    for (const mark of own) left.splice(left.indexOf(mark), 1)
    return [...own.map(({ text }) => text), turnText(turn)]
  })
  return [...lines, ...left.map(({ text }) => text)].map(visible).join("\n\n")
}

/** With its id where something can be done about it. */
const stateText = ({ error, id, notBefore, startedAt, status }: Turn): string => {
  switch (status) {
    case "deferred":
      return `waits until ${timeOf(notBefore ?? "")}, ${id}`
    case "accepted":
      return `queued, ${id}`
    case "dispatching":
    case "running":
      return `running, ${id}`
    case "interrupted":
      return startedAt === undefined && error === undefined ? "withdrawn" : status
    default:
      return status
  }
}

const turnText = (turn: Turn): string => {
  const { error, input, output, status, undone } = turn
  const answer = status === "completed" ? output : `(${stateText(turn)}${error ? `: ${error.message}` : ""})`
  return `> ${input.replaceAll("\n", "\n> ")}\n${answer}${undone ? "\n(undone)" : ""}`
}

/** Of the reader's own day and hour. */
export const timeOf = (at: string): string => new Date(at).toLocaleString("sv-SE")

const readBack = (asked: string, found: string | null): string =>
  found === null
    ? `${asked} (not read back)`
    : `${found} ${found === asked ? "(read back)" : `(not ${asked})`}`

const details = (receipt: Receipt): ReadonlyArray<string> => [
  `  session    ${receipt.providerSessionIdBefore ?? "–"} → ${receipt.providerSessionIdAfter ?? "–"}`,
  `  directory  ${readBack(receipt.cwdRequested, receipt.cwdVerified)}`,
  `  mode       ${readBack(receipt.runtimeModeRequested, receipt.runtimeModeVerified)}`
]

const isAsAsked = ({ cwdRequested, cwdVerified, runtimeModeRequested, runtimeModeVerified }: Receipt) =>
  cwdVerified === cwdRequested && runtimeModeVerified === runtimeModeRequested

/** A start as it happens: a line where all is as it should be, and everything where it is not. */
export const startText = (receipt: Receipt): string => visible(startLines(receipt))

const startLines = (receipt: Receipt): string => {
  const { cwdRequested, error, outcome, reason, runtimeModeRequested } = receipt
  if (outcome === "refused") {
    return [`Refused: ${error?.message ?? reason ?? ""}`, ...(error?.hint ? [error.hint] : [])].join("\n")
  }
  if (outcome === "replaced") {
    const why = reason === undefined ? "" : `: ${reason}`
    return [`Began anew${why}. The agent knows nothing of what was said before.`, ...details(receipt)].join(
      "\n"
    )
  }
  const why = reason === undefined ? "" : `: ${reason}`
  const line = `${outcomes[outcome]} in ${cwdRequested} (${runtimeModeRequested})${why}`
  return isAsAsked(receipt) ? line : [line, ...details(receipt)].join("\n")
}

/** What a start did, in words: where it is, with which powers, and what of it was read back. */
export const receiptText = (receipt: Receipt): string => {
  const { at, error, outcome, reason } = receipt
  const history = receipt.checks.findLast(({ what }) => what === "history")?.found
  const lines = [
    `${timeOf(at)}  ${outcome}${reason === undefined ? "" : `: ${reason}`}`,
    ...(error && error.message !== reason ? [`  ${error.message}`] : []),
    ...(error?.hint ? [`  ${error.hint}`] : []),
    ...details(receipt),
    ...(receipt.carried ? [`  carried    ${carriedText(receipt.carried)}`] : []),
    ...(history && "value" in history ? [`  history    ${history.value}`] : [])
  ]
  return visible(lines.join("\n"))
}

export const modelsText = (models: ReadonlyArray<ProviderModel & { readonly provider: string }>): string =>
  tableOf([
    ["PROVIDER", "MODEL", "CONTEXT", ""],
    ...models.map(({ context, default: own, id, name, provider }) => [
      provider,
      id,
      context === undefined ? "–" : `${Math.round(context / 1000)}k`,
      visible(`${own === true ? "(default) " : ""}${name}`)
    ])
  ])

export const providersText = (providers: ReadonlyArray<ProviderInfo>): string =>
  tableOf([
    ["PROVIDER", "DRIVER", "VERSION", "STATE", ""],
    ...providers.map(({ driver, id, program, reason, status, version }) => [
      id,
      driver,
      version ?? "–",
      status,
      status === "ready" ? (program ?? "–") : (reason ?? "unknown")
    ])
  ])
