import type { UpdateTurn } from "@rejoin/contracts/api/Requests"
import { brief } from "@rejoin/shown/Visible"
import { createSignal, Show } from "solid-js"
import { sendsWith } from "./SendKey.ts"

/** A message that waits for its turn: it can be rewritten, put first, and taken back. */
export const Queued = (props: {
  readonly turn: { readonly id: string; readonly input: string }
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
            {props.starting ? "The agent is starting…" : "Queued"}{" "}
            <button class="small" onClick={() => setEdited(props.turn.input)}>
              Edit
            </button>{" "}
            <Show when={props.first !== undefined && props.first !== props.turn.id && props.first}>
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
