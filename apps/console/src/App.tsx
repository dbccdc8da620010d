import type { Thread } from "@rejoin/contracts/Thread"
import { batch, createEffect, createSignal, onCleanup, onMount, Show } from "solid-js"
import { keepWanted } from "./Access.ts"
import { focusMessage } from "./Focus.ts"
import { Icon } from "./Icon.tsx"
import { NewThread } from "./NewThread.tsx"
import { news, notify } from "./Notifying.ts"
import { Sidebar } from "./Sidebar.tsx"
import type { Store } from "./Store.ts"
import { nameOf } from "@rejoin/shown/Words"
import { onPressed } from "./Worker.ts"
import { Told } from "./Told.tsx"
import { ThreadPane } from "./ThreadPane.tsx"

/** What the address names: a thread, a new one, or the list, beside which a new one is offered where there is room. */
type View = { readonly at: "thread"; readonly id: string } | { readonly at: "new" | "list" }

const viewOf = (hash: string): View => {
  const id = /^#\/(thr_\w+)$/.exec(hash)?.[1]
  return id === undefined ? { at: hash === "#/new" ? "new" : "list" } : { at: "thread", id }
}

/** The page: the threads, and the one that is looked at. */
export const App = (props: { readonly store: Store }) => {
  const { connected, refusal, setRefusal, show, state } = props.store
  const [view, setView] = createSignal(viewOf(location.hash))
  const selected = () => {
    const shown = view()
    return shown.at === "thread" ? shown.id : undefined
  }
  const thread = () => state.threads.find(({ id }) => id === selected())
  const [from, setFrom] = createSignal<string>()
  /** A thread that a new one is to be like, until something else is looked at. */
  const [like, setLike] = createSignal<Thread>()

  const onAddress = () => {
    const next = viewOf(location.hash)
    if (next.at === "thread" && next.id === selected()) return
    keepWanted(location.hash)
    batch(() => {
      setFrom(thread()?.cwd)
      if (next.at !== "new") setLike(undefined)
      setView(next)
      void show(selected())
    })
  }
  const go = (hash: string) => {
    if (location.hash !== hash) history.pushState(null, "", `${location.pathname}${hash}`)
    onAddress()
    focusMessage()
  }
  /** What was refused before is past, when its reader goes elsewhere. */
  const leave = (hash: string) => {
    setRefusal(undefined)
    go(hash)
  }
  const open = (id: string | undefined) => leave(id === undefined ? "#/new" : `#/${id}`)
  const openAlike = (thread: Thread) => {
    setLike(thread)
    open(undefined)
  }
  const back = () => leave("")
  onMount(() => {
    addEventListener("popstate", onAddress)
    onCleanup(onPressed((address) => leave(address.slice(1))))
    if (selected() !== undefined) void show(selected())
  })
  onCleanup(() => removeEventListener("popstate", onAddress))
  // Beside the page, where its user wants that and looks at something else.
  let known = [...state.threads]
  createEffect(() => {
    const now = state.threads.map((thread) => ({ ...thread, session: { ...thread.session } }))
    for (const told of news(known, now)) notify(told, open)
    known = now
  })
  // In the tab too: who waits for an answer, and what is looked at.
  createEffect(() => {
    const asking = state.threads.filter(({ pendingRequests }) => pendingRequests > 0).length
    const shown = thread()
    document.title = `${asking > 0 ? `(${asking} to answer) ` : ""}${shown ? `${nameOf(shown)} · ` : ""}Rejoin`
  })

  return (
    <div class="page" classList={{ detail: view().at !== "list" }}>
      <a
        class="skip"
        href="#input"
        onClick={(event) => {
          event.preventDefault()
          document.getElementById("input")?.focus()
        }}
      >
        To the message
      </a>
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
                <Told text={told().message} /> <Told text={told().hint ?? ""} />
              </span>
              <button class="plain" onClick={() => setRefusal(undefined)} aria-label="Close">
                <Icon name="close" />
              </button>
            </div>
          )}
        </Show>
        <Show
          when={state.open && thread() ? { conversation: state.open, thread: thread()! } : undefined}
          fallback={
            <Show
              when={selected() !== undefined}
              fallback={
                <NewThread
                  store={props.store}
                  from={from()}
                  like={like()}
                  onOpen={(id) => go(`#/${id}`)}
                  onBack={back}
                />
              }
            >
              <main class="loading" aria-busy={!state.missing}>
                <Show when={state.missing} fallback={<p class="mark">Opening…</p>}>
                  <p>This thread cannot be shown: it was deleted, or never was.</p>
                  <button onClick={back}>All threads</button>
                </Show>
              </main>
            </Show>
          }
        >
          {(shown) => (
            <ThreadPane
              conversation={shown().conversation}
              thread={shown().thread}
              store={props.store}
              onOpen={open}
              onAlike={openAlike}
              onBack={back}
            />
          )}
        </Show>
      </div>
    </div>
  )
}
