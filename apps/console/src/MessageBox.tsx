import { visible } from "@rejoin/shown/Visible"
import { createResource, createSignal, For, Show } from "solid-js"
import { type Mention, mentionAt, mentioned } from "./Mention.ts"
import { sendsWith } from "./SendKey.ts"
import type { Store } from "./Store.ts"

/** Where a message is written. `@` offers the files of the directory; what sends is the page's own Enter. */
export const MessageBox = (props: {
  readonly store: Store
  readonly cwd: string
  readonly text: string
  readonly placeholder: string
  readonly rows: number
  readonly onText: (text: string) => void
  readonly onSend: () => void
  readonly onEscape?: (() => void) | undefined
  readonly onPaste?: ((event: ClipboardEvent) => void) | undefined
}) => {
  let field: HTMLTextAreaElement | undefined
  const [mention, setMention] = createSignal<Mention>()
  const [at, setAt] = createSignal(0)
  const [found] = createResource(
    () => mention()?.q,
    async (q) => ({ q, files: await props.store.files(props.cwd, q) })
  )
  // What was found for other words is no answer to these.
  const offered = () => {
    const named = mention()
    return named !== undefined && found.latest?.q === named.q ? found.latest.files.slice(0, 8) : []
  }
  const look = () => {
    const caret = field?.selectionStart ?? 0
    setMention(mentionAt(field?.value ?? "", caret))
    setAt(0)
  }
  const pick = (path: string | undefined) => {
    const named = mention()
    if (named === undefined || path === undefined || field === undefined) return
    const { caret, text } = mentioned(props.text, named, path)
    props.onText(text)
    setMention(undefined)
    field.focus()
    field.setSelectionRange(caret, caret)
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing) return
    const many = offered().length
    if (many > 0 && !event.ctrlKey && !event.metaKey) {
      const act = {
        ArrowDown: () => setAt((at() + 1) % many),
        ArrowUp: () => setAt((at() + many - 1) % many),
        Enter: () => pick(offered()[at()]),
        Tab: () => pick(offered()[at()]),
        Escape: () => setMention(undefined)
      }[event.key]
      if (act !== undefined) {
        event.preventDefault()
        return act()
      }
    }
    if (event.key === "Escape") return props.onEscape?.()
    if (!sendsWith(event)) return
    event.preventDefault()
    props.onSend()
  }
  return (
    <div class="writing">
      <Show when={offered().length > 0}>
        <ul id="offered" role="listbox" aria-label="Files">
          <For each={offered()}>
            {(path, index) => (
              <li
                id={`offered-${index()}`}
                role="option"
                aria-selected={index() === at()}
                onMouseDown={(event) => {
                  event.preventDefault()
                  pick(path)
                }}
              >
                <code>{visible(path)}</code>
              </li>
            )}
          </For>
        </ul>
      </Show>
      <label class="hidden" for="input">
        Message
      </label>
      <textarea
        id="input"
        rows={props.rows}
        aria-autocomplete="list"
        aria-controls={offered().length > 0 ? "offered" : undefined}
        aria-activedescendant={offered().length > 0 ? `offered-${at()}` : undefined}
        placeholder={props.placeholder}
        value={props.text}
        ref={(element) => {
          field = element
        }}
        onInput={(event) => {
          props.onText(event.currentTarget.value)
          look()
        }}
        onSelect={look}
        onBlur={() => setMention(undefined)}
        onPaste={(event) => props.onPaste?.(event)}
        onKeyDown={onKey}
      />
    </div>
  )
}
