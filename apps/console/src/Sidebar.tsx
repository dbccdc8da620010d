import type { Thread } from "@rejoin/contracts/Thread"
import { createMemo, createSignal, For, onCleanup, Show } from "solid-js"
import type { Store } from "./Store.ts"
import { visible } from "@rejoin/shown/Visible"
import { nameOf, stateOf } from "@rejoin/shown/Words"
import { ago, baseOf, groupOf } from "./Text.ts"

const Row = (props: {
  readonly thread: Thread
  readonly unread: boolean
  readonly selected: boolean
  readonly now: number
  readonly onOpen: () => void
}) => (
  <li>
    <a
      href={`#/${props.thread.id}`}
      aria-current={props.selected ? "page" : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        props.onOpen()
      }}
    >
      <span class="name">
        {nameOf(props.thread)}
        <Show when={props.unread}>
          <span class="unread" role="img" aria-label="unread" />
        </Show>
      </span>
      <span class="about">
        <span class={`state ${props.thread.session.state}`}>{stateOf(props.thread)}</span>
        <Show when={props.thread.pendingRequests > 0}> · {props.thread.pendingRequests} to answer</Show>
        <Show when={groupOf(props.thread) !== props.thread.cwd}> · {baseOf(props.thread.cwd)}</Show> ·{" "}
        {props.thread.runtimeMode} · {ago(props.thread.lastActivityAt, props.now)}
      </span>
    </a>
  </li>
)

/** Every thread, by project, the latest first; found by what is typed. */
export const Sidebar = (props: {
  readonly store: Store
  readonly selected: string | undefined
  readonly onOpen: (id: string | undefined) => void
}) => {
  const [wanted, setWanted] = createSignal("")
  const [now, setNow] = createSignal(Date.now())
  const ticking = setInterval(() => setNow(Date.now()), 30_000)
  onCleanup(() => clearInterval(ticking))

  const groups = createMemo(() => {
    const text = wanted().trim().toLowerCase()
    const found = props.store.state.threads
      .filter(({ cwd, id, project = "", provider, runtimeMode, title }) =>
        [title, id, cwd, provider, runtimeMode, project].some((field) => field.toLowerCase().includes(text))
      )
      .toSorted((a, b) => (a.lastActivityAt < b.lastActivityAt ? 1 : -1))
    const byGroup = new Map<string, Array<Thread>>()
    for (const thread of found)
      byGroup.set(groupOf(thread), [...(byGroup.get(groupOf(thread)) ?? []), thread])
    return [...byGroup]
  })
  return (
    <nav aria-label="Threads">
      <div class="top">
        <span class="brand">Rejoin</span>
        <button class="primary" onClick={() => props.onOpen(undefined)}>
          New thread
        </button>
      </div>
      <label class="hidden" for="search">
        Search threads by name, directory, agent or mode
      </label>
      <input
        id="search"
        type="search"
        placeholder="Name, directory, agent, mode"
        value={wanted()}
        onInput={(event) => setWanted(event.currentTarget.value)}
      />
      <For
        each={groups()}
        fallback={<p class="mark">{wanted() === "" ? "There are no threads yet." : "No thread has that."}</p>}
      >
        {([group, threads]) => (
          <section>
            <h2 title={visible(group)}>{baseOf(group)}</h2>
            <ul>
              <For each={threads}>
                {(thread) => (
                  <Row
                    thread={thread}
                    unread={props.store.state.unread[thread.id] === true}
                    selected={props.selected === thread.id}
                    now={now()}
                    onOpen={() => props.onOpen(thread.id)}
                  />
                )}
              </For>
            </ul>
          </section>
        )}
      </For>
    </nav>
  )
}
