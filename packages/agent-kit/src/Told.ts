import type { Said } from "@rejoin/core/conversation/Conversation"

type Tool = Extract<Said, { readonly _tag: "Tool" }>
type Change = Extract<Said, { readonly _tag: "Change" }>

// What an agent did with means that another one lacks is told to that one as what it said itself.

export const toldOfTool = ({ input, name, output }: Tool): string =>
  `(I used the tool ${name} with ${JSON.stringify(input ?? null)}.${output === "" ? "" : ` It told me:\n${output}`})`

export const toldOfChange = ({ changes, failed }: Change): string =>
  `(I ${failed ? "tried to change" : "changed"} ${changes
    .map(({ diff, path }) => (diff === "" ? path : `${path}:\n${diff}`))
    .join("\n")})`

export const outputOf = ({
  exitCode,
  output
}: {
  readonly exitCode: number | null
  readonly output: string
}): string => {
  if (exitCode === null) return `${output}\n(It did not come to its end.)`.trimStart()
  return exitCode === 0 ? output : `Exit code ${exitCode}\n${output}`
}
