import type { UpdateThread } from "@rejoin/contracts/api/Requests"
import type { Thread } from "@rejoin/contracts/Thread"
import type { OnLimit } from "@rejoin/contracts/Unattended"
import { createSignal } from "solid-js"
import { ModelField } from "./ModelField.tsx"
import { Panel } from "./Panel.tsx"
import { RuleList } from "./RuleList.tsx"
import type { Store } from "./Store.ts"
import { isWorking } from "./Text.ts"
import { UsageLimits } from "./UsageLimits.tsx"

/** What a thread is called, which model answers in it from the next turn on, and what becomes of it at a limit. */
export const DetailsPanel = (props: {
  readonly thread: Thread
  readonly store: Store
  readonly onClose: () => void
}) => {
  const [title, setTitle] = createSignal(props.thread.title)
  const [model, setModel] = createSignal(props.thread.model ?? "")
  const change = async (payload: UpdateThread) => {
    const params = { id: props.thread.id }
    const changed = await props.store.attempt((client) => client.threads.update({ params, payload }))
    if (changed !== undefined) props.onClose()
  }
  return (
    <Panel label="Name, model and rules" onClose={props.onClose}>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault()
          void change({ title: title().trim() })
        }}
      >
        <label for="name">Name</label>
        <input
          id="name"
          maxlength="500"
          value={title()}
          onInput={(event) => setTitle(event.currentTarget.value)}
        />
        <button type="submit">Rename</button>
      </form>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault()
          void change({ model: model().trim() })
        }}
      >
        <label for="own-model">Model, as the agent calls it</label>
        <ModelField
          id="own-model"
          store={props.store}
          provider={props.thread.provider}
          required
          disabled={isWorking(props.thread)}
          value={model()}
          onChange={setModel}
        />
        <button type="submit" disabled={isWorking(props.thread)}>
          Switch
        </button>
      </form>
      <p class="row">
        <label for="on-limit">When a usage limit is reached</label>
        <select
          id="on-limit"
          onChange={(event) => {
            const chosen = event.currentTarget.value
            void change({ onLimit: chosen === "" ? null : (chosen as OnLimit) })
          }}
        >
          <option value="" selected={props.thread.onLimit === undefined}>
            as the server does
          </option>
          <option value="fail" selected={props.thread.onLimit === "fail"}>
            stop, and tell me
          </option>
          <option value="wait" selected={props.thread.onLimit === "wait"}>
            wait for its end, then go on
          </option>
        </select>
      </p>
      <UsageLimits provider={props.thread.provider} store={props.store} />
      <RuleList thread={props.thread} store={props.store} />
    </Panel>
  )
}
