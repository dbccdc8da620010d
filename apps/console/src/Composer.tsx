import type { Thread } from "@rejoin/contracts/Thread"
import { createSignal, onMount, Show } from "solid-js"
import { draftOf, keepDraft } from "./Drafts.ts"
import { focusMessage } from "./Focus.ts"
import type { Store } from "./Store.ts"
import { isWorking } from "./Text.ts"

export const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-")

/** Where one says something: a turn of its own, or, while one runs, a word that joins it. */
export const Composer = (props: {
  readonly thread: Thread
  readonly store: Store
  readonly onSent: () => void
}) => {
  // A pane is one thread's: another thread has another composer.
  const [text, setText] = createSignal(draftOf(props.thread.id))
  const [sending, setSending] = createSignal(false)
  const working = () => isWorking(props.thread)
  const params = () => ({ id: props.thread.id })
  const write = (next: string) => {
    setText(next)
    keepDraft(props.thread.id, next)
  }
  onMount(focusMessage)

  // The same message under the same key, until it is known to have arrived: sent once more it is still one turn.
  let key = ""
  const send = async (delivery: "queue" | "steer") => {
    const typed = text()
    const input = typed.trim()
    if (input === "" || sending()) return
    setSending(true)
    if (key === "") key = newKey()
    const idempotencyKey = key
    const turn = await props.store.attempt((client) =>
      client.turns.send({ params: params(), payload: { input, delivery, idempotencyKey } })
    )
    setSending(false)
    // What was refused is not lost, nor what was typed meanwhile.
    if (turn === undefined) return
    key = ""
    write(text().startsWith(typed) ? text().slice(typed.length) : text())
    props.onSent()
  }
  const interrupt = () =>
    void props.store.attempt((client) => client.sessions.interrupt({ params: params() })).then(focusMessage)

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault()
        void send("queue")
      }}
    >
      <label class="hidden" for="input">
        Message
      </label>
      <textarea
        id="input"
        rows="2"
        placeholder={
          working() ? "Say something more. Escape interrupts." : "Say something. Shift+Enter begins a line."
        }
        value={text()}
        onInput={(event) => {
          key = ""
          write(event.currentTarget.value)
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape" && working()) return interrupt()
          // A keyboard on a screen has no other way to begin a line.
          const fine = matchMedia("(pointer: fine)").matches
          if (event.key !== "Enter" || event.shiftKey || event.isComposing || !fine) return
          event.preventDefault()
          void send("queue")
        }}
      />
      <div class="buttons">
        <button
          type="submit"
          class="primary"
          disabled={text().trim() === "" || sending()}
          title={working() ? "A turn of its own, when the one that runs has ended" : ""}
        >
          {sending() ? "Sending…" : working() ? "Send next" : "Send"}
        </button>
        <Show when={working()}>
          <button
            type="button"
            disabled={text().trim() === "" || sending()}
            title="It joins the turn that runs"
            onClick={() => void send("steer")}
          >
            Say now
          </button>
          <button type="button" onClick={interrupt}>
            Interrupt
          </button>
        </Show>
      </div>
    </form>
  )
}
