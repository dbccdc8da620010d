import type { UpdateThread } from "@rejoin/contracts/api/Requests"
import type { Thread } from "@rejoin/contracts/Thread"
import { createSignal } from "solid-js"
import { ModelField } from "./ModelField.tsx"
import { Panel } from "./Panel.tsx"
import { RuleList } from "./RuleList.tsx"
import type { Store } from "./Store.ts"
import { isWorking } from "./Text.ts"

/** What a thread is called, and which model answers in it from the next turn on. */
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
      <RuleList thread={props.thread} store={props.store} />
    </Panel>
  )
}
