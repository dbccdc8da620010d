import type { SearchHit } from "@rejoin/contracts/Search"
import { visible } from "@rejoin/shown/Visible"
import { For } from "solid-js"

/** A piece of what was said, with the words that were looked for. */
export const Snippet = (props: Pick<SearchHit, "marks" | "snippet">) => {
  const parts = () => {
    let at = 0
    const cut: Array<readonly [string, boolean]> = []
    for (const [from, to] of props.marks) {
      if (from < at) continue
      cut.push([props.snippet.slice(at, from), false], [props.snippet.slice(from, to), true])
      at = to
    }
    return [...cut, [props.snippet.slice(at), false] as const]
  }
  return (
    <For each={parts()}>
      {([text, marked]) => (marked ? <mark>{visible(text)}</mark> : <>{visible(text)}</>)}
    </For>
  )
}
