import { isOwnEdit as isOwnPath } from "@rejoin/agent-kit/RealPath"
import type { Answer, Approval, UserInput } from "@rejoin/contracts/Request"
import type { AcpProfile, Powers } from "./AcpProfile.ts"
import type { Permission, ToolCall } from "./AcpSchema.ts"
import { changedPaths, changesIn, commandOf } from "./AcpTranslator.ts"

// What an agent asks to be allowed, and what it is answered. `allow_always` never: some agents write that into their
// user's own settings, for every session. Pure but for where a path really leads.

const refused = { outcome: { outcome: "cancelled" } }
const selected = (optionId: string) => ({ outcome: { outcome: "selected", optionId } })

/** The option that allows it once: by its id; of an agent that was not measured, where there is just one of the kind. */
const allowing = ({ allow }: AcpProfile, { options, toolCall }: Permission): string | undefined => {
  // Another mode is not the agent's to choose.
  if (toolCall.kind === "switch_mode") return undefined
  if (allow !== undefined) return options.some(({ optionId }) => optionId === allow) ? allow : undefined
  const [one, another] = options.filter(({ kind }) => kind === "allow_once")
  return another === undefined ? one?.optionId : undefined
}

export const declined = ({ reject }: AcpProfile, { options }: Permission): unknown => {
  const option =
    options.find(({ optionId }) => optionId === reject) ?? options.find(({ kind }) => kind === "reject_once")
  return option === undefined ? refused : selected(option.optionId)
}

export const allowed = (profile: AcpProfile, asked: Permission): unknown => {
  const option = allowing(profile, asked)
  return option === undefined ? declined(profile, asked) : selected(option)
}

const pathsOf = (call: ToolCall): ReadonlyArray<string> => [
  ...new Set([...(call.locations ?? []).map(({ path }) => path), ...changedPaths(call)])
]

/** An edit in the thread's directories alone, and not where it would change what runs later by itself. */
export const isOwnEdit = (call: ToolCall, directories: ReadonlyArray<string>): boolean => {
  const paths = pathsOf(call)
  if (call.kind !== "edit" || paths.length === 0) return false
  return paths.every((path) => isOwnPath(path, directories))
}

export type Verdict =
  | { readonly _tag: "Answer"; readonly result: unknown }
  | { readonly _tag: "Ask"; readonly ask: Approval | UserInput }

const approvalOf = ({ toolCall }: Permission): Approval => {
  const command = commandOf(toolCall)
  const paths = pathsOf(toolCall)
  const diff = changesIn(toolCall)
    .map(({ diff, path }) => (paths.length > 1 ? `${path}\n${diff}` : diff))
    .join("\n")
  const { kind, rawInput, title } = toolCall
  return {
    kind: "approval",
    permission: kind ?? "tool",
    title: title ?? command ?? JSON.stringify(rawInput ?? null).slice(0, 2000),
    ...(command !== undefined && { command }),
    ...(paths.length > 0 && { paths }),
    ...(diff !== "" && { diff }),
    // Of a command all of it is told, and of an edit where it is; of anything else it is not known.
    ...(command !== undefined
      ? { covers: [command] }
      : kind === "edit" && paths.length > 0
        ? { covers: paths }
        : {})
  }
}

/** What becomes of a request in a mode. */
export const verdictOf = (
  profile: AcpProfile,
  { answers }: Powers,
  asked: Permission,
  directories: ReadonlyArray<string>
): Verdict => {
  const questions = profile.questions?.(asked)
  if (questions !== undefined && questions.length > 0)
    return { _tag: "Ask", ask: { kind: "user-input", questions } }
  const answer = (result: unknown): Verdict => ({ _tag: "Answer", result })
  switch (answers) {
    case "none":
      return answer(declined(profile, asked))
    case "all":
      return answer(allowed(profile, asked))
    case "edits":
      if (isOwnEdit(asked.toolCall, directories)) return answer(allowed(profile, asked))
      break
    case "user":
  }
  return asked.toolCall.kind === "switch_mode"
    ? answer(declined(profile, asked))
    : { _tag: "Ask", ask: approvalOf(asked) }
}

/** What its user answered, as the agent takes it. */
export const replyOf = (profile: AcpProfile, asked: Permission, answer: Answer): unknown => {
  if ("answers" in answer) return profile.answered?.(answer.answers) ?? declined(profile, asked)
  return answer.decision === "accept" ? allowed(profile, asked) : declined(profile, asked)
}

export const cancelled: unknown = refused
