import type { Failure } from "@rejoin/contracts/Failure"
import type { Receipt } from "@rejoin/contracts/Receipt"
import type { Approval, Question } from "@rejoin/contracts/Request"
import type { Thread } from "@rejoin/contracts/Thread"
import type { Turn } from "@rejoin/contracts/Turn"
import { fenced } from "@rejoin/shown/Fence"
import { brief, visible } from "@rejoin/shown/Visible"
import { limitEnd, nameOf, outcomes, restoredText, stateOf } from "@rejoin/shown/Words"
import { commands } from "./Command.ts"
import type { Person } from "./Inbound.ts"

// What we say in a chat ourselves.

/** Stands where an answer will be. */
export const pending = "…"

/** A name is somebody else's text: on one line, not long, and no bracket of it passes for one of ours. */
const plainName = ({ name }: Person): string => brief(name.replaceAll(/[[\]]/g, " ")).trim()

/** What was said in a group, with who said it: the platform's number proves who that is, the name does not. */
export const inGroup = (kind: string, sender: Person, text: string): string =>
  `[${plainName(sender)}, ${kind} user ${sender.id}]\n${text}`

const cut = (text: string, atMost: number): string =>
  text.length <= atMost ? text : `${text.slice(0, atMost)}\n… (${text.length - atMost} more characters)`

/** A thread that did not go on as it was says so above its answer: never as if nothing had been. */
export const above = (receipt: Receipt | undefined): string | undefined => {
  if (receipt?.outcome === "replaced")
    return `_${outcomes.replaced}: ${sentence(receipt.reason ?? "the session was lost")}_`
  if (receipt?.outcome !== "rehydrated") return undefined
  return `_${restoredText(receipt.restored ?? { whole: true })}._`
}

const sentence = (text: string) => (/[.!?…]$/.test(text) ? text : `${text}.`)

/** Nobody knows where a chat is read. */
const overAt = (error: object): ReadonlyArray<string> => {
  const end = limitEnd(error)
  return end === undefined ? [] : [`It is over at ${end.slice(0, 16).replace("T", " ")} UTC.`]
}

export const failureText = (error: Pick<Failure, "hint" | "message">): string =>
  [
    sentence(error.message),
    ...overAt(error),
    ...(error.hint === undefined ? [] : [sentence(error.hint)])
  ].join(" ")

/** The whole answer to a turn that has settled. */
export const answerText = (turn: Turn, receipt: Receipt | undefined): string => {
  const ending = (() => {
    if (turn.status === "failed")
      return `⚠ It did not work: ${failureText(turn.error ?? { message: "nobody said why" })}`
    if (turn.status !== "interrupted") return undefined
    return turn.error === undefined ? "⏹ Stopped." : `⏹ It was broken off: ${failureText(turn.error)}`
  })()
  const said = turn.output.trim()
  return [above(receipt), said === "" ? undefined : turn.output, ending]
    .filter((text) => text !== undefined)
    .join("\n\n")
    .concat(said === "" && ending === undefined ? "(The agent said nothing.)" : "")
}

/** Nothing of it is left out without saying so: what is allowed is what was read. `atMost` characters. */
export const approvalText = (approval: Approval, atMost: number): string => {
  const { command, diff, paths = [], permission, title } = approval
  const room = Math.min(atMost, 4000) - 250
  const what = command === undefined ? [] : [fenced(cut(visible(command), Math.floor(room * 0.45)))]
  const where = paths.length === 0 ? [] : [cut(visible(paths.join("\n")), Math.floor(room * 0.15))]
  const change = diff === undefined ? [] : [fenced(cut(visible(diff), Math.floor(room * 0.3)))]
  return [
    "🔐 May the agent do this?",
    command === undefined ? brief(title, 120) : brief(permission),
    ...what,
    ...where,
    ...change
  ].join("\n")
}

export const questionText = ({ header, options, question }: Question): string =>
  [
    `❓ ${header === undefined ? "" : `${header}: `}${question}`,
    ...options.flatMap(({ description, label }) =>
      description === undefined ? [] : [`• ${label}: ${description}`]
    ),
    "Press one, or write your answer."
  ].join("\n")

export const statusText = (thread: Thread | undefined, receipt: Receipt | undefined, waiting = 0): string => {
  if (thread === undefined) return "Nothing was said here yet."
  const { cwd, id, model, provider, runtimeMode } = thread
  return [
    nameOf(thread),
    `agent: ${provider}${model === null ? "" : `, ${model}`}`,
    `directory: ${cwd}`,
    `mode: ${runtimeMode}`,
    `state: ${stateOf(thread)}${waiting === 0 ? "" : `; ${waiting} more to be said to it`}`,
    `last start: ${receipt === undefined ? "none" : `${outcomes[receipt.outcome]}, ${receipt.at}`}`,
    `thread: ${id}`
  ].join("\n")
}

export const threadsText = (threads: ReadonlyArray<Thread>): string =>
  threads.length === 0
    ? "There is no other conversation that could go on here."
    : [
        ...threads.map(
          (thread) => `${thread.id}\n    ${nameOf(thread)}, ${thread.lastActivityAt.slice(0, 16)}`
        ),
        "/use <thread> goes on with one of them."
      ].join("\n")

/** `mark` stands before a command there. */
export const helpText = (mark: string): string =>
  [
    "What you write is said to the agent. It works one message after the other; none is lost.",
    ...commands.map(
      ({ about, name, takes }) => `${mark}${name}${takes === undefined ? "" : ` <${takes}>`}: ${about}`
    ),
    `${mark}accept, ${mark}decline: answer what the agent asks for, without its buttons`
  ].join("\n")

export const pairedText =
  "You may talk with me now. What you write is said to the agent; /help tells the rest."
export const strangerPressText = "This is not yours to decide."

/** Above what may be there twice, where the platform cannot tell. */
export const againText = "(sent again after a restart)\n"

export const deletedText = "This conversation was deleted. The next message begins another one."
/** An edit makes no sound: this does. */
export const doneText = (status: Turn["status"]): string =>
  status === "completed" ? "Done ↑" : "It has ended ↑"
export const wholeInFileText = "(The whole answer is long: it is in the file below.)"
export const settledText = "→ answered elsewhere, or not needed any more"
export const lateText = "This was answered already."
export const tooLateToEditText =
  "The agent has begun with what stood there before: the change is not told to it. Say it in another message."

export const notLetInText = "That is for people whom the bot's owner has let in."
export const alreadyInText = "You may talk with me already. That code is good no more."

export const goesOnText = (name: string): string =>
  `The conversation that this chat went on with was deleted. It goes on with the chat's own one: ${name}. /new begins anew.`
export const busyText =
  "The agent is at work, or waits for an answer: /stop ends that, then it can be changed."

export const waitsText = (mark: string): string =>
  `Something waits for your leave above: press a button there, or ${mark}accept, or ${mark}decline. What you have said comes after it.`
