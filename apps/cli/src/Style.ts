import type { Telling } from "./Telling.ts"

const codes: Readonly<Record<Telling["tone"], string>> = { soft: "2", warn: "33", bad: "31" }

/** Coloured for a terminal; as it is for everything else, and where NO_COLOR is set (https://no-color.org). */
export const styled = (text: string, tone: Telling["tone"], isTerminal: boolean): string =>
  isTerminal && !process.env["NO_COLOR"]
    ? text.replaceAll(/^.+$/gm, (line) => `\u001b[${codes[tone]}m${line}\u001b[0m`)
    : text
