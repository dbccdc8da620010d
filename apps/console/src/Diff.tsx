import { visible } from "@rejoin/shown/Visible"
import { For } from "solid-js"

const classOf = (line: string) => {
  if (line.startsWith("@@") || line.startsWith("+++") || line.startsWith("---")) return "hunk"
  return line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : ""
}

/** A change of a file, line by line. */
export const Diff = (props: { readonly text: string }) => {
  const lines = () => visible(props.text).split("\n")
  return (
    <pre class="diff" tabindex={lines().length > 16 ? 0 : undefined}>
      <For each={lines()}>{(line) => <span class={classOf(line)}>{`${line}\n`}</span>}</For>
    </pre>
  )
}
