import { linesOf } from "@rejoin/shown/Changes"
import { visible } from "@rejoin/shown/Visible"
import { For, Show } from "solid-js"

/** More than is read: a page that draws a million lines stands still. */
const most = 2000

/** A change of a file, line by line. The numbers are drawn and no text: what is copied is the change alone. */
export const Diff = (props: { readonly text: string }) => {
  const lines = () => linesOf(visible(props.text))
  return (
    <pre class="diff" tabindex={lines().length > 16 ? 0 : undefined}>
      <For each={lines().slice(0, most)}>
        {({ at, kind, text }) => <span class={kind} data-line={at ?? ""}>{`${text}\n`}</span>}
      </For>
      <Show when={lines().length > most}>
        <span class="hunk" data-line="">{`… ${lines().length - most} more lines\n`}</span>
      </Show>
    </pre>
  )
}
