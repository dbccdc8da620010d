import type { Thread } from "@rejoin/contracts/Thread"
import { visible } from "@rejoin/shown/Visible"
import { createSignal, For, onMount, Show, untrack } from "solid-js"
import { namesOf, read, sizeOf } from "./Attaching.ts"
import { type Draft, draft, draftOf, keepDraft } from "./Drafts.ts"
import { focusMessage } from "./Focus.ts"
import { hasKeyboard, sendsWith } from "./SendKey.ts"
import type { Store } from "./Store.ts"
import { isWorking } from "./Text.ts"

/** Where one says something: a turn of its own, or, while one runs, a word that joins it. */
export const Composer = (props: {
  readonly thread: Thread
  /** The turn that runs. */
  readonly turnId: string | undefined
  readonly store: Store
  readonly onSent: () => void
}) => {
  // A composer is one thread's, whatever is shown when an answer comes.
  const id = untrack(() => props.thread.id)
  const params = { id }
  const [typed, setTyped] = createSignal(draftOf(id))
  const text = () => typed().text
  const [sending, setSending] = createSignal(false)
  // Files are not kept over a reload, as what is typed is: another choice of them is another message.
  const [attached, setAttached] = createSignal<ReadonlyArray<File>>([])
  const attach = (files: Iterable<File>) => {
    const more = [...files]
    if (more.length === 0) return false
    setAttached([...attached(), ...more])
    write(draft(text()))
    return true
  }
  let picker: HTMLInputElement | undefined
  const working = () => isWorking(props.thread)
  const isEmpty = () => text().trim() === "" && attached().length === 0
  const write = (next: Draft) => {
    setTyped(next)
    keepDraft(id, next)
  }
  onMount(focusMessage)

  const send = async (delivery: "queue" | "steer") => {
    const { key: idempotencyKey, text: sent } = typed()
    const files = attached()
    const input = sent.trim() === "" && files.length > 0 ? namesOf(files) : sent.trim()
    if (input === "" || sending()) return
    setSending(true)
    const attachments = files.length === 0 ? {} : { attachments: await Promise.all(files.map(read)) }
    const turn = await props.store.attempt((client) =>
      client.turns.send({ params, payload: { input, delivery, idempotencyKey, ...attachments } })
    )
    setSending(false)
    if (turn !== undefined) setAttached(attached().filter((file) => !files.includes(file)))
    // What was refused is not lost, nor what was typed meanwhile.
    if (turn === undefined) return
    write(draft(text().startsWith(sent) ? text().slice(sent.length) : text()))
    props.onSent()
  }
  /** The turn that is seen to run, and not one that has begun since. */
  const interrupt = () =>
    void props.store
      .attempt((client) =>
        props.turnId === undefined
          ? client.sessions.interrupt({ params })
          : client.turns.interrupt({ params: { id, turnId: props.turnId } })
      )
      .then(focusMessage)

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault()
        void send("queue")
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault()
        attach(event.dataTransfer?.files ?? [])
      }}
    >
      <Show when={attached().length > 0}>
        <ul class="attached" aria-label="Attached">
          <For each={attached()}>
            {(file) => (
              <li>
                {visible(file.name)} <span class="mark">{sizeOf(file.size)}</span>{" "}
                <button
                  type="button"
                  class="small"
                  aria-label={`Remove ${visible(file.name)}`}
                  onClick={() => setAttached(attached().filter((other) => other !== file))}
                >
                  ×
                </button>
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
        rows="2"
        placeholder={
          working()
            ? "Say something more. Escape interrupts."
            : `Say something. ${hasKeyboard() ? "Shift+Enter begins a line." : "Ctrl+Enter sends."}`
        }
        value={text()}
        onInput={(event) => write(draft(event.currentTarget.value))}
        onPaste={(event) => {
          // A picture in the clipboard; text that comes with it is what was meant.
          const pasted = event.clipboardData
          if (pasted !== null && pasted.types.includes("text/plain")) return
          if (attach(pasted?.files ?? [])) event.preventDefault()
        }}
        onKeyDown={(event) => {
          if (event.isComposing) return
          if (event.key === "Escape" && working()) return interrupt()
          if (!sendsWith(event)) return
          event.preventDefault()
          void send("queue")
        }}
      />
      <div class="buttons">
        <button
          type="submit"
          class="primary"
          disabled={isEmpty() || sending()}
          title={working() ? "A turn of its own, when the one that runs has ended" : ""}
        >
          {sending() ? "Sending…" : working() ? "Queue" : "Send"}
        </button>
        <button type="button" onClick={() => picker?.click()}>
          Attach
        </button>
        <input
          class="hidden"
          type="file"
          multiple
          tabindex={-1}
          aria-label="Files to attach"
          ref={(element) => {
            picker = element
          }}
          onChange={(event) => {
            attach(event.currentTarget.files ?? [])
            event.currentTarget.value = ""
            focusMessage()
          }}
        />
        <Show when={working()}>
          <button
            type="button"
            disabled={isEmpty() || sending()}
            title="It joins the turn that runs"
            onClick={() => void send("steer")}
          >
            Steer
          </button>
          <button type="button" onClick={interrupt}>
            Interrupt
          </button>
        </Show>
      </div>
    </form>
  )
}
