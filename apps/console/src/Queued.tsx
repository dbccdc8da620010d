import type { UpdateTurn } from "@rejoin/contracts/api/Requests"
import { brief } from "@rejoin/shown/Visible"
import { createSignal, Show } from "solid-js"
import type { Waiting } from "./Conversation.ts"
import { sendsWith } from "./SendKey.ts"
import { soonText } from "./Text.ts"

/** A message that waits for its turn, or for its time: it can be rewritten, put first, sent now, and taken back. */
export const Queued = (props: {
  readonly turn: Waiting
  readonly starting: boolean
  readonly first: string | undefined
  readonly onEdit: (turnId: string, change: UpdateTurn) => void
  readonly onWithdraw: (turnId: string) => void
}) => {
  const [edited, setEdited] = createSignal<string>()
  const save = () => {
    const input = edited()?.trim() ?? ""
    if (input !== "" && input !== props.turn.input) props.onEdit(props.turn.id, { input })
    setEdited(undefined)
  }
  return (
    <Show
      when={edited() !== undefined}
      fallback={
        <p class="queued">
          <span class="said">{brief(props.turn.input, 400)}</span>
          <span class="mark">
            <Show when={props.turn.until} fallback={props.starting ? "The agent is starting…" : "Queued"}>
              {(until) => (
                <>
                  {props.turn.goesOn === true ? "Goes on by itself at" : "Sent at"}{" "}
                  <time dateTime={until()}>{soonText(until())}</time>
                </>
              )}
            </Show>{" "}
            <button class="small" onClick={() => setEdited(props.turn.input)}>
              Edit
            </button>{" "}
            <Show when={props.turn.until !== undefined}>
              <button class="small" onClick={() => props.onEdit(props.turn.id, { notBefore: null })}>
                Send now
              </button>{" "}
            </Show>
            <Show
              when={
                props.turn.until === undefined &&
                props.first !== undefined &&
                props.first !== props.turn.id &&
                props.first
              }
            >
              {(before) => (
                <>
                  <button class="small" onClick={() => props.onEdit(props.turn.id, { before: before() })}>
                    Send first
                  </button>{" "}
                </>
              )}
            </Show>
            <button class="small" onClick={() => props.onWithdraw(props.turn.id)}>
              Cancel
            </button>
          </span>
        </p>
      }
    >
      <form
        class="queued"
        onSubmit={(event) => {
          event.preventDefault()
          save()
        }}
      >
        <textarea
          aria-label="The queued message"
          rows="3"
          value={edited() ?? ""}
          ref={(field) => queueMicrotask(() => field.focus())}
          onInput={(event) => setEdited(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") setEdited(undefined)
            if (!sendsWith(event)) return
            event.preventDefault()
            save()
          }}
        />
        <span class="mark">
          <button type="submit" class="small">
            Save
          </button>{" "}
          <button type="button" class="small" onClick={() => setEdited(undefined)}>
            Leave it
          </button>
        </span>
      </form>
    </Show>
  )
}
