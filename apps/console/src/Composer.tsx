import type { Thread } from "@rejoin/contracts/Thread"
import { createSignal, Show } from "solid-js"
import type { Store } from "./Store.ts"

const newKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-")

/** Where one says something: a turn of its own, or, while one runs, a word that joins it. */
export const Composer = (props: { readonly thread: Thread; readonly store: Store }) => {
  const [text, setText] = createSignal("")
  const [sending, setSending] = createSignal(false)
  const working = () => ["running", "waiting", "starting"].includes(props.thread.session.state)
  const params = () => ({ id: props.thread.id })

  // The same message under the same key, until it is known to have arrived: sent once more it is still one turn.
  let key = ""
  const send = async (delivery: "queue" | "steer") => {
    const input = text().trim()
    if (input === "" || sending()) return
    setSending(true)
    if (key === "") key = newKey()
    const idempotencyKey = key
    const turn = await props.store.attempt((client) =>
      client.turns.send({ params: params(), payload: { input, delivery, idempotencyKey } })
    )
    if (turn !== undefined) key = ""
    // What was refused is not lost.
    if (turn !== undefined) setText("")
    setSending(false)
  }
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
        placeholder="Say something. Enter sends, Shift+Enter begins a line."
        value={text()}
        onInput={(event) => {
          key = ""
          setText(event.currentTarget.value)
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
          event.preventDefault()
          void send("queue")
        }}
      />
      <div class="buttons">
        <button type="submit" class="primary" disabled={text().trim() === "" || sending()}>
          {working() ? "Send next" : "Send"}
        </button>
        <Show when={working()}>
          <button
            type="button"
            disabled={text().trim() === "" || sending()}
            onClick={() => void send("steer")}
          >
            Say now
          </button>
          <button
            type="button"
            onClick={() =>
              void props.store.attempt((client) => client.sessions.interrupt({ params: params() }))
            }
          >
            Interrupt
          </button>
        </Show>
      </div>
    </form>
  )
}
