import type { Answer, Approval, UserInput } from "@rejoin/contracts/Request"
import { changeOf, commandOf } from "./CodexItems.ts"
import type { Item, ServerRequest } from "./CodexSchema.ts"

const ownShell = /^(?:\/usr)?\/bin\/(?:ba|z)?sh -lc /

/** What Codex wants to be allowed, or to know. Of a file change only its item tells what is changed. */
export const askOf = (
  { method, params }: ServerRequest,
  item: Item | undefined,
  /** Where the session works. */
  cwd: string
): Approval | UserInput => {
  switch (method) {
    case "item/tool/requestUserInput":
      return {
        kind: "user-input",
        questions: params.questions.map(({ header, options, question }) => ({
          question,
          options: (options ?? []).map(({ description, label }) => ({
            label,
            ...(description && { description })
          })),
          ...(header && { header })
        }))
      }
    case "item/commandExecution/requestApproval": {
      const { command: whole, reason } = params
      // A host that is to be reached has no command.
      const host = params.networkApprovalContext ?? undefined
      if (whole == null || whole === "") {
        const title = reason ?? `Reach the network: ${JSON.stringify(host ?? {})}`
        return { kind: "approval", permission: "network", title }
      }
      const command = commandOf(whole)
      const isPlain =
        host === undefined &&
        params.additionalPermissions == null &&
        (params.cwd == null || params.cwd === cwd)
      return {
        kind: "approval",
        permission: "command",
        title: reason ?? `Run ${command}`,
        command,
        // By another shell it is another command.
        ...(isPlain && { covers: [ownShell.test(whole) ? command : whole] })
      }
    }
    case "item/fileChange/requestApproval": {
      const changes = item?.type === "fileChange" ? item.changes.map(changeOf) : []
      const moves =
        item?.type === "fileChange" ? item.changes.flatMap(({ kind }) => kind?.move_path ?? []) : []
      const paths = [...changes.map(({ path }) => path), ...moves]
      const isPlain =
        item?.type === "fileChange" &&
        params.grantRoot == null &&
        item.changes.every(({ kind }) => kind?.type === "add" || kind?.type === "update")
      return {
        kind: "approval",
        permission: "file-change",
        title: params.reason ?? `Change ${paths.join(", ")}`,
        paths,
        diff: changes.map(({ diff }) => diff).join("\n"),
        ...(isPlain && { covers: paths })
      }
    }
    case "item/permissions/requestApproval":
      return {
        kind: "approval",
        permission: "permissions",
        title: params.reason ?? `More permissions: ${JSON.stringify(params.permissions).slice(0, 200)}`
      }
  }
}

/**
 * What Codex is answered. Never for longer than this once: what is accepted for good would be written into the user's
 * own rules.
 */
export const replyOf = ({ method, params }: ServerRequest, answer: Answer): unknown => {
  if (method === "item/tool/requestUserInput") {
    const chosen = "answers" in answer ? answer.answers : []
    return {
      answers: Object.fromEntries(params.questions.map(({ id }, i) => [id, { answers: chosen[i] ?? [] }]))
    }
  }
  const decision = "decision" in answer ? answer.decision : "decline"
  if (method === "item/permissions/requestApproval") {
    return { permissions: decision === "accept" ? params.permissions : {}, scope: "turn" }
  }
  return { decision }
}
