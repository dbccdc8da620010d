import type { UpdateTurn } from "@rejoin/contracts/api/Requests"
import { Match, Show, Switch } from "solid-js"
import type { Ended, Note } from "./Conversation.ts"
import { Queued } from "./Queued.tsx"
import { noteOf } from "./Receipts.tsx"
import { brief } from "@rejoin/shown/Visible"
import { limitEnd } from "@rejoin/shown/Words"
import { soonText, timeOf } from "./Text.ts"
import { Told } from "./Told.tsx"

const endings: Readonly<Record<Ended["state"], string>> = {
  failed: "failed",
  interrupted: "was interrupted",
  withdrawn: "was withdrawn"
}

/** When the limit is over that a turn met, where that is to come. */
const resetOf = ({ error }: Ended): string | undefined => {
  const end = limitEnd(error)
  return end !== undefined && Date.parse(end) > Date.now() ? end : undefined
}

/** Between the items: a start that changed the conversation, a turn that waits, or how one ended. */
export const NoteView = (props: {
  readonly note: Note
  readonly onAgain: ((turn: Ended) => void) | undefined
  /** Opens a thread that goes on from the turn before a failed one. */
  readonly onForkBefore: ((turn: Ended) => void) | undefined
  /** The agent is being started for what waits. */
  readonly starting: boolean
  /** Lets the thread go on at that time. */
  readonly onLater: ((notBefore: string) => void) | undefined
  readonly onWithdraw: (turnId: string) => void
  readonly onEdit: (turnId: string, change: UpdateTurn) => void
  /** The turn that waits before all others. */
  readonly firstQueued: string | undefined
}) => (
  <Switch>
    <Match when={"outcome" in props.note && props.note}>
      {(receipt) => (
        <p class={`turning ${receipt().outcome}`} role="separator" aria-label={noteOf(receipt())}>
          <strong>{noteOf(receipt())}</strong> <time dateTime={receipt().at}>{timeOf(receipt().at)}</time>
        </p>
      )}
    </Match>
    <Match when={"state" in props.note && props.note.state === "waiting" && props.note}>
      {(turn) => (
        <Queued
          turn={turn()}
          starting={props.starting}
          first={props.firstQueued}
          onEdit={props.onEdit}
          onWithdraw={props.onWithdraw}
        />
      )}
    </Match>
    <Match when={"error" in props.note && "state" in props.note && props.note}>
      {(ended) => (
        <p class={`ended ${ended().state}`}>
          “{brief(ended().input, 80)}” {endings[ended().state]}
          <Show when={ended().error}>
            {(error) => (
              <>
                : <Told text={error().message} />{" "}
                <Show when={limitEnd(error())}>{(at) => <>It is over at {soonText(at())}. </>}</Show>
                {/* What went on by itself may have been withdrawn since. */}
                <Show when={error()._tag !== "UsageLimited"}>
                  <Told text={error().hint ?? ""} />
                </Show>
              </>
            )}
          </Show>{" "}
          <Show when={props.onAgain}>
            {(again) => (
              <button class="small" onClick={() => again()(ended())}>
                Send again
              </button>
            )}
          </Show>{" "}
          <Show when={props.onAgain && props.onLater && resetOf(ended())}>
            {(at) => (
              <button class="small" onClick={() => props.onLater?.(at())}>
                Go on at {soonText(at())}
              </button>
            )}
          </Show>{" "}
          <Show when={ended().state === "failed" && props.onForkBefore}>
            {(fork) => (
              <button
                class="small"
                title="A new thread that goes on from the turn before this one; this thread stays as it is"
                onClick={() => fork()(ended())}
              >
                Fork from before it
              </button>
            )}
          </Show>
        </p>
      )}
    </Match>
  </Switch>
)
