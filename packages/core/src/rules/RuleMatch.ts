import type { Approval } from "@rejoin/contracts/Request"
import type { Rule } from "@rejoin/contracts/Rule"

/** What a shell makes more of than words: with one of these a command is another one than its beginning says. */
const shellMakesMore = /[;&|<>`$(){}\n\r\\]/

/** A way up, wherever it stands: it leads out of what the beginning names. */
const leadsOut = /(?:^|[/\s=:"'])\.\.(?:$|[/\s"'])/

type Judged = Pick<Rule, "decision" | "pattern" | "tool">

/** The pattern that is met by this text alone. */
export const exactly = (text: string): string => (text.endsWith("*") ? `${text.slice(0, -1)}\\*` : text)

const meets = ({ decision, pattern }: Judged, subject: string): boolean => {
  if (pattern.endsWith("\\*")) return subject === `${pattern.slice(0, -2)}*`
  if (!pattern.endsWith("*")) return subject === pattern
  const beginning = pattern.slice(0, -1)
  if (!subject.startsWith(beginning)) return false
  const rest = subject.slice(beginning.length)
  // A refusal covers what is chained to it too.
  return decision === "decline" || (!shellMakesMore.test(rest) && !leadsOut.test(subject))
}

/** What the rules say to an approval. One refusal outweighs all that allow; undefined where a person has to say. */
export const decisionOf = (
  rules: ReadonlyArray<Judged>,
  approval: Approval
): Rule["decision"] | undefined => {
  const of = rules.filter(({ tool }) => tool === approval.permission)
  const { covers = [] } = approval
  const some = (decision: Rule["decision"], subject: string) =>
    of.some((rule) => rule.decision === decision && meets(rule, subject))
  if (covers.some((subject) => some("decline", subject))) return "decline"
  return covers.length > 0 && covers.every((subject) => some("accept", subject)) ? "accept" : undefined
}

/** The patterns that answer just this approval, and no other; none where it is asked every time. */
export const patternsOf = ({ covers = [] }: Approval): ReadonlyArray<string> => covers.map(exactly)
