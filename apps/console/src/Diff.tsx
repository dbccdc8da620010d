import { linesOf } from "@rejoin/shown/Changes"
import { visible } from "@rejoin/shown/Visible"
import { For } from "solid-js"

/** A change of a file, line by line. The numbers are drawn and no text: what is copied is the change alone. */
export const Diff = (props: { readonly text: string }) => {
  const lines = () => linesOf(visible(props.text))
  return (
    <pre class="diff" tabindex={lines().length > 16 ? 0 : undefined}>
      <For each={lines()}>
        {({ at, kind, text }) => <span class={kind} data-line={at ?? ""}>{`${text}\n`}</span>}
      </For>
    </pre>
  )
}
