import { visible } from "@rejoin/shown/Visible"
import { For } from "solid-js"

const classOf = (line: string) =>
  line.startsWith("@@") ? "hunk" : line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : ""

/** The names of files stand before the first place; after it a line that begins with `---` is one that was removed. */
const classesOf = (lines: ReadonlyArray<string>) => {
  const first = lines.findIndex((line) => line.startsWith("@@"))
  return lines.map((line, at) => ({
    line,
    kind: at < first && /^(?:---|\+\+\+)/.test(line) ? "hunk" : classOf(line)
  }))
}

/** A change of a file, line by line. */
export const Diff = (props: { readonly text: string }) => {
  const lines = () => visible(props.text).split("\n")
  return (
    <pre class="diff" tabindex={lines().length > 16 ? 0 : undefined}>
      <For each={classesOf(lines())}>{({ kind, line }) => <span class={kind}>{`${line}\n`}</span>}</For>
    </pre>
  )
}
