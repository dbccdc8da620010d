import type { Examination, Treated } from "./Doctor.ts"

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`

const outcomeOf = ({ failed, fix, fixed }: Treated): string | undefined => {
  if (fix === undefined) return undefined
  if (fixed) return `fixed: ${fix.does}`
  return failed === undefined ? `--fix: ${fix.does}` : `not fixed: ${failed}`
}

const signOf = ({ fixed, severity }: Treated) => (fixed ? "✓" : severity === "problem" ? "✗" : "!")

const linesOf = (finding: Treated): ReadonlyArray<string> =>
  [finding.message, outcomeOf(finding), finding.hint].filter((text) => text !== undefined)

/** One cause may have been found in many places: it is told once. */
const findingsText = (findings: ReadonlyArray<Treated>): ReadonlyArray<string> => {
  const groups = Map.groupBy(findings, (finding) =>
    [signOf(finding), finding.check, ...linesOf(finding)].join("\n")
  )
  return [...groups.values()].map((group) =>
    group
      .map((finding) => `${signOf(finding)} ${finding.check.padEnd(13)} ${finding.about}`)
      .concat(linesOf(group[0] as Treated).map((text) => `    ${text}`))
      .join("\n")
  )
}

const verdictOf = (findings: ReadonlyArray<Treated>): string => {
  if (findings.length === 0) return "Nothing is wrong."
  const left = findings.filter(({ fixed }) => !fixed)
  if (left.length === 0) return "All of it is fixed."
  const problems = left.filter(({ severity }) => severity === "problem").length
  const fixable = left.filter(({ fix }) => fix !== undefined).length
  const more = fixable === 0 ? "" : `; ${fixable} can be fixed with --fix`
  return `${counted(problems, "problem")}, ${counted(left.length - problems, "warning")}${more}.`
}

/** The report as people read it. */
export const reportText = (
  { held, home, notes, providers, threads }: Examination,
  findings: ReadonlyArray<Treated>
): string => {
  const server =
    held === undefined
      ? "no server works on it"
      : held._tag === "DataDirectoryHeld"
        ? `process ${held.pid ?? "?"} serves it`
        : "whether a server works on it cannot be told"
  return [
    `${home} (${server}): ${counted(providers, "provider")}, ${counted(threads, "thread")}`,
    ...findingsText(findings),
    ...notes.map((note) => `  ${note}`),
    verdictOf(findings)
  ].join("\n")
}
