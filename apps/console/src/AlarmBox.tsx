import { Match, Show, Switch } from "solid-js"
import { timeOf } from "./Text.ts"
import { Told } from "./Told.tsx"
import type { Alarm, Remedy } from "./Conversation.ts"

const remedies: Readonly<Record<Remedy, string>> = {
  accept: "Go on from here…",
  claim: "Take it back…",
  move: "Move…",
  reset: "Reset…",
  restore: "Restore it here…",
  trust: "Look at it…"
}

/** Above everything: that the conversation will begin anew, did, or did not go on; and what helps. */
export const AlarmBox = (props: { readonly alarm: Alarm; readonly onRemedy: (remedy: Remedy) => void }) => (
  <div class={`alarm ${props.alarm.kind}`} role="alert">
    <Switch>
      <Match when={props.alarm.kind === "reset"}>
        <strong>The next message begins anew: the agent will not know what was said before.</strong>
      </Match>
      <Match when={props.alarm.kind === "moved" && props.alarm}>
        {(alarm) => (
          <>
            <strong>
              This conversation goes on elsewhere{alarm().moved.to === null ? "" : `: ${alarm().moved.to}`}.
            </strong>
            <p>It was exported on {timeOf(alarm().moved.at)}. Nothing is sent here until you take it back.</p>
            <button onClick={() => props.onRemedy("claim")}>{remedies.claim}</button>
          </>
        )}
      </Match>
      <Match when={props.alarm.kind === "replaced" && props.alarm}>
        {(alarm) => (
          <>
            <strong>This conversation began anew: the agent no longer knows what was said before.</strong>
            <p>
              <Told text={alarm().receipt.reason ?? ""} />
            </p>
          </>
        )}
      </Match>
      <Match when={props.alarm.kind === "refused" && props.alarm}>
        {(alarm) => (
          <>
            <strong>The conversation did not go on.</strong>
            <p>
              <Told text={alarm().receipt.reason ?? ""} /> <Told text={alarm().receipt.error?.hint ?? ""} />
            </p>
            <Show when={alarm().remedy}>
              {(remedy) => <button onClick={() => props.onRemedy(remedy())}>{remedies[remedy()]}</button>}
            </Show>
          </>
        )}
      </Match>
    </Switch>
  </div>
)
