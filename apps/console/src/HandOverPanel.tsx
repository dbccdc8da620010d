import type { ProviderInfo } from "@rejoin/contracts/Provider"
import type { Thread } from "@rejoin/contracts/Thread"
import { createSignal, For, Show } from "solid-js"
import { Panel } from "./Panel.tsx"
import type { Store } from "./Store.ts"

/** The agents that can go on with a thread. */
export const successorsOf = (thread: Thread, providers: ReadonlyArray<ProviderInfo>) =>
  providers.filter(
    ({ capabilities, driver, id, status }) =>
      id !== thread.provider && status === "ready" && (capabilities.compose || driver === thread.driver)
  )

/** Which agent goes on with the conversation: with this thread, or with a new one beside it. */
export const HandOverPanel = (props: {
  readonly thread: Thread
  readonly store: Store
  readonly onClose: () => void
  readonly onOpen: (id: string) => void
}) => {
  const { attempt } = props.store
  const [pending, setPending] = createSignal(false)
  const params = () => ({ id: props.thread.id })
  const once = async (body: () => Promise<unknown>) => {
    if (pending()) return
    setPending(true)
    const done = await body()
    setPending(false)
    if (done !== undefined) props.onClose()
  }
  const handOver = (provider: ProviderInfo["id"]) =>
    once(() => attempt((client) => client.sessions.handover({ params: params(), payload: { provider } })))
  const fork = (provider: ProviderInfo["id"]) =>
    once(async () => {
      const forked = await attempt((client) =>
        client.sessions.fork({ params: params(), payload: { provider } })
      )
      if (forked !== undefined) props.onOpen(forked.id)
      return forked
    })
  return (
    <Panel label="Hand over" onClose={props.onClose}>
      <p>
        Another agent goes on, in the same directory and mode. It has what was said and done as its own
        history; what only this agent understands, as its reasoning, is left out. The old session is kept
        where this agent keeps it.
      </p>
      <For each={successorsOf(props.thread, props.store.state.providers)}>
        {({ id }) => (
          <div class="row">
            <button disabled={pending()} onClick={() => void handOver(id)}>
              Hand over to {id}
            </button>
            <button disabled={pending()} onClick={() => void fork(id)}>
              As a new thread with {id}
            </button>
          </div>
        )}
      </For>
      <Show when={pending()}>
        <p role="status">Handing over, and reading back what arrived…</p>
      </Show>
    </Panel>
  )
}
