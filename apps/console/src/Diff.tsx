import { For } from "solid-js"

const classOf = (line: string) => {
  if (line.startsWith("@@") || line.startsWith("+++") || line.startsWith("---")) return "hunk"
  return line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : ""
}

/** A change of a file, line by line. */
export const Diff = (props: { readonly text: string }) => (
  <pre class="diff" tabindex="0">
    <For each={props.text.split("\n")}>{(line) => <span class={classOf(line)}>{`${line}\n`}</span>}</For>
  </pre>
)
