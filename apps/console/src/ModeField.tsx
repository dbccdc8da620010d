import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Thread } from "@rejoin/contracts/Thread"
import { modes } from "@rejoin/shown/Words"
import { For } from "solid-js"
import type { Store } from "./Store.ts"
import { allows, isWorking } from "./Text.ts"

/** What the agent may do without asking; switched at once, and read back. */
export const ModeField = (props: { readonly thread: Thread; readonly store: Store }) => (
  <>
    <label class="hidden" for="mode">
      Mode
    </label>
    <select
      id="mode"
      class={`chip ${props.thread.runtimeMode}`}
      title={isWorking(props.thread) ? "Not while it works: stop it first" : modes[props.thread.runtimeMode]}
      disabled={isWorking(props.thread)}
      value={props.thread.runtimeMode}
      onChange={(event) => {
        const runtimeMode = event.currentTarget.value as RuntimeMode
        const params = { id: props.thread.id }
        void props.store
          .attempt((client) => client.threads.update({ params, payload: { runtimeMode } }))
          .then((thread) => {
            // What was refused is not shown as if it were so.
            if (thread === undefined) event.target.value = props.thread.runtimeMode
          })
      }}
    >
      <For each={RuntimeMode.literals}>
        {(mode) => (
          <option value={mode} disabled={!allows(props.store.state.device, mode)}>
            {mode}
          </option>
        )}
      </For>
    </select>
  </>
)
