import { visible } from "@rejoin/shown/Visible"
import { For } from "solid-js"

/** Words of the server's: what stands between backticks in them is to be typed as it is. */
export const Told = (props: { readonly text: string }) => (
  <For each={visible(props.text).split("`")}>
    {(part, at) => (at() % 2 === 1 ? <code>{part}</code> : <>{part}</>)}
  </For>
)
