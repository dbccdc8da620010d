import type { Thread } from "@rejoin/contracts/Thread"
import { visible } from "@rejoin/shown/Visible"
import { createSignal, For, type JSX, onMount, Show, untrack } from "solid-js"
import { namesOf, read, sizeOf } from "./Attaching.ts"
import { type Draft, draft, draftOf, keepDraft } from "./Drafts.ts"
import { focusMessage } from "./Focus.ts"
import { Icon } from "./Icon.tsx"
import { MessageBox } from "./MessageBox.tsx"
import { hasKeyboard } from "./SendKey.ts"
import type { Store } from "./Store.ts"
import { isWorking } from "./Text.ts"

/** Where one says something: a turn of its own, or, while one runs, a word that joins it. */
export const Composer = (props: {
  readonly thread: Thread
  /** The turn that runs. */
  readonly turnId: string | undefined
  readonly store: Store
  readonly onSent: () => void
  /** How it is said: with which powers, by which model. */
  readonly how: JSX.Element
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
      class="composer box"
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
                  class="plain small"
                  aria-label={`Remove ${visible(file.name)}`}
                  onClick={() => setAttached(attached().filter((other) => other !== file))}
                >
                  <Icon name="close" />
                </button>
              </li>
            )}
          </For>
        </ul>
      </Show>
      <MessageBox
        store={props.store}
        cwd={props.thread.cwd}
        rows={2}
        text={text()}
        placeholder={
          working()
            ? `Say something more.${hasKeyboard() ? " Escape stops the turn." : ""}`
            : `Say something; @ names a file.${hasKeyboard() ? " Shift+Enter begins a line." : ""}`
        }
        onText={(next) => write(draft(next))}
        onSend={() => void send("queue")}
        onEscape={working() ? interrupt : undefined}
        onPaste={(event) => {
          // A picture in the clipboard; text that comes with it is what was meant.
          const pasted = event.clipboardData
          if (pasted !== null && pasted.types.includes("text/plain")) return
          if (attach(pasted?.files ?? [])) event.preventDefault()
        }}
      />
      <div class="controls">
        {props.how}
        <button type="button" class="plain" title="Attach files" onClick={() => picker?.click()}>
          <Icon name="attach" />
          <span class="hidden">Attach</span>
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
        <span class="gap" />
        <Show
          when={working()}
          fallback={
            <button type="submit" class="primary round" title="Send" disabled={isEmpty() || sending()}>
              <Icon name="send" />
              <span class="hidden">{sending() ? "Sending…" : "Send"}</span>
            </button>
          }
        >
          <Show when={!isEmpty()}>
            <button
              type="button"
              disabled={sending()}
              title="It joins the turn that runs"
              onClick={() => void send("steer")}
            >
              Steer
            </button>
            <button
              type="submit"
              disabled={sending()}
              title="A turn of its own, when the one that runs has ended"
            >
              {sending() ? "Sending…" : "Queue"}
            </button>
          </Show>
          <button type="button" class="primary round" title="Stop this turn" onClick={interrupt}>
            <Icon name="stop" />
            <span class="hidden">Stop</span>
          </button>
        </Show>
      </div>
    </form>
  )
}
