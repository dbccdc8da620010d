import { brief } from "@rejoin/shown/Visible"
import { createEffect, createResource, createSignal, For, onCleanup, Show } from "solid-js"
import { Panel } from "./Panel.tsx"
import { Snippet } from "./Snippet.tsx"
import type { Store } from "./Store.ts"

/** Where something was said or done in this thread, however far back; the page shows that place. */
export const FindPanel = (props: {
  readonly threadId: string
  readonly store: Store
  readonly onClose: () => void
}) => {
  const [typed, setTyped] = createSignal("")
  const [asked, setAsked] = createSignal("")
  createEffect(() => {
    const text = typed().trim()
    const waiting = setTimeout(() => setAsked(text), text === "" ? 0 : 200)
    onCleanup(() => clearTimeout(waiting))
  })
  const [found] = createResource(
    () => asked() || undefined,
    (text) => props.store.search(text, props.threadId)
  )
  /** What a fork goes on from belongs to another thread, and is shown in this one: that much of it is looked through here. */
  const inherited = () => {
    const words = asked()
      .toLowerCase()
      .split(/[\s"*]+/)
      .filter((word) => word !== "")
    return (props.store.state.open?.inherited ?? []).flatMap(
      ({ command = "", id, output = "", text = "" }) => {
        const said = [text, command, output].filter((part) => part !== "").join("\n")
        const lower = said.toLowerCase()
        if (words.length === 0 || !words.every((word) => lower.includes(word))) return []
        const at = Math.max(0, lower.indexOf(words[0] ?? "") - 40)
        return [{ itemId: id, snippet: said.slice(at, at + 160), marks: [] }]
      }
    )
  }
  const hits = () => [...(found.latest?.items ?? []), ...inherited()]
  return (
    <Panel label="Find in this thread" onClose={props.onClose}>
      <div class="row">
        <label class="hidden" for="find">
          What was said or done here
        </label>
        <input
          id="find"
          type="search"
          placeholder="What was said or done here"
          value={typed()}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </div>
      <Show when={asked() !== "" && found.latest}>
        <ul class="found" aria-live="polite">
          <For each={hits()} fallback={<li class="mark">Nothing here has all of it.</li>}>
            {(hit) => (
              <li>
                <button
                  type="button"
                  class="plain"
                  aria-label={`Show: ${brief(hit.snippet, 120)}`}
                  onClick={() => void props.store.seek(props.threadId, hit.itemId)}
                >
                  <Snippet snippet={hit.snippet} marks={hit.marks} />
                </button>
              </li>
            )}
          </For>
        </ul>
      </Show>
    </Panel>
  )
}
