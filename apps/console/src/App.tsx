import { createSignal, onCleanup, onMount, Show } from "solid-js"
import { NewThread } from "./NewThread.tsx"
import { Sidebar } from "./Sidebar.tsx"
import type { Store } from "./Store.ts"
import { ThreadPane } from "./ThreadPane.tsx"

const selectedIn = (hash: string): string | undefined => /^#\/(thr_\w+)$/.exec(hash)?.[1]

/** The page: the threads, and the one that is looked at, which the address names. */
export const App = (props: { readonly store: Store }) => {
  const { connected, refusal, setRefusal, show, state } = props.store
  const [selected, setSelected] = createSignal(selectedIn(location.hash))
  const [creates, setCreates] = createSignal(false)

  const look = (id: string | undefined) => {
    setSelected(id)
    setRefusal(undefined)
    void show(id)
  }
  const open = (id: string | undefined) => {
    setCreates(id === undefined)
    history.pushState(null, "", id === undefined ? location.pathname : `#/${id}`)
    look(id)
  }
  const onAddress = () => look(selectedIn(location.hash))
  onMount(() => {
    addEventListener("popstate", onAddress)
    if (selected() !== undefined) void show(selected())
  })
  onCleanup(() => removeEventListener("popstate", onAddress))
  const thread = () => state.threads.find(({ id }) => id === selected())

  return (
    <div class="page" classList={{ detail: selected() !== undefined || creates() }}>
      <Sidebar store={props.store} selected={selected()} onOpen={open} />
      <div class="body">
        <Show when={!connected()}>
          <p class="away" role="status">
            The server is away. What happens is shown when it is back.
          </p>
        </Show>
        <Show when={refusal()}>
          {(told) => (
            <div class="refusal" role="alert">
              <span>
                {told().message} {told().hint}
              </span>
              <button onClick={() => setRefusal(undefined)} aria-label="Close">
                ×
              </button>
            </div>
          )}
        </Show>
        <Show
          when={state.open && thread() ? { conversation: state.open, thread: thread()! } : undefined}
          fallback={
            <Show when={selected() === undefined} fallback={<main class="loading" aria-busy="true" />}>
              <NewThread store={props.store} onOpen={open} />
            </Show>
          }
        >
          {(shown) => (
            <ThreadPane
              conversation={shown().conversation}
              thread={shown().thread}
              store={props.store}
              onOpen={open}
              onBack={() => {
                setCreates(false)
                history.pushState(null, "", location.pathname)
                look(undefined)
              }}
            />
          )}
        </Show>
      </div>
    </div>
  )
}
