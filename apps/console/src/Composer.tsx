import type { Thread } from "@rejoin/contracts/Thread"
import { createSignal, onMount, Show, untrack } from "solid-js"
import { type Draft, draft, draftOf, keepDraft } from "./Drafts.ts"
import { focusMessage } from "./Focus.ts"
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
  const working = () => isWorking(props.thread)
  const write = (next: Draft) => {
    setTyped(next)
    keepDraft(id, next)
  }
  onMount(focusMessage)

  const send = async (delivery: "queue" | "steer") => {
    const { key: idempotencyKey, text: sent } = typed()
    const input = sent.trim()
    if (input === "" || sending()) return
    setSending(true)
    const turn = await props.store.attempt((client) =>
      client.turns.send({ params, payload: { input, delivery, idempotencyKey } })
    )
    setSending(false)
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
        onInput={(event) => write(draft(event.currentTarget.value))}
        onKeyDown={(event) => {
          if (event.isComposing) return
          if (event.key === "Escape" && working()) return interrupt()
          // A keyboard on a screen has no other way to begin a line; one that has Ctrl or ⌘ sends with it everywhere.
          const fine = matchMedia("(pointer: fine)").matches
          const sends = event.ctrlKey || event.metaKey || (fine && !event.shiftKey)
          if (event.key !== "Enter" || !sends) return
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
