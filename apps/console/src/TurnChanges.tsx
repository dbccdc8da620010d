import type { Item } from "@rejoin/contracts/Item"
import { countedText, filesChanged, within } from "@rejoin/shown/Changes"
import { visible } from "@rejoin/shown/Visible"
import { createMemo, For, Show } from "solid-js"
import { Icon } from "./Icon.tsx"

/** At the end of a turn: which files it changed. */
export const TurnChanges = (props: { readonly items: ReadonlyArray<Item>; readonly cwd: string }) => {
  // Its list is made anew with every item of the thread: what is in it is looked at where that is other than before.
  const items = createMemo(() => props.items, [], {
    equals: (a, b) => a.length === b.length && a.every((item, at) => item === b[at])
  })
  const files = createMemo(() => filesChanged(items()))
  const sum = () => ({
    added: files().reduce((sum, { added }) => sum + added, 0),
    removed: files().reduce((sum, { removed }) => sum + removed, 0)
  })
  return (
    <Show when={files().length > 0}>
      <details class="line changed">
        <summary>
          <Icon name="change" />
          <span class="what">
            {files().length === 1 ? "1 file changed" : `${files().length} files changed`}
          </span>
          <span class="mark">{countedText(sum())}</span>
        </summary>
        <ul>
          <For each={files()}>
            {(file) => (
              <li>
                <code>{visible(within(props.cwd, file.path))}</code>{" "}
                <span class="mark">{countedText(file)}</span>
              </li>
            )}
          </For>
        </ul>
      </details>
    </Show>
  )
}
