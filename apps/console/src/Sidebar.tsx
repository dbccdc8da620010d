import type { Thread } from "@rejoin/contracts/Thread"
import { createMemo, createSignal, For, onCleanup, Show } from "solid-js"
import type { Store } from "./Store.ts"
import { ago, baseOf, groupOf, nameOf, stateOf } from "./Text.ts"

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
      .filter((thread) =>
        [thread.title, thread.id, thread.cwd, thread.provider, thread.project ?? ""].some((field) =>
          field.toLowerCase().includes(text)
        )
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
        Search threads
      </label>
      <input
        id="search"
        type="search"
        placeholder="Search threads"
        value={wanted()}
        onInput={(event) => setWanted(event.currentTarget.value)}
      />
      <For each={groups()}>
        {([group, threads]) => (
          <section>
            <h2 title={group}>{baseOf(group)}</h2>
            <ul>
              <For each={threads}>
                {(thread) => (
                  <li>
                    <a
                      href={`#/${thread.id}`}
                      aria-current={props.selected === thread.id ? "page" : undefined}
                      onClick={(event) => {
                        event.preventDefault()
                        props.onOpen(thread.id)
                      }}
                    >
                      <span class="name">
                        {nameOf(thread)}
                        <Show when={props.store.state.unread[thread.id]}>
                          <span class="unread" role="img" aria-label="unread" />
                        </Show>
                      </span>
                      <span class="about">
                        <span class={`state ${thread.session.state}`}>{stateOf(thread)}</span>
                        <Show when={thread.pendingRequests > 0}>
                          {" "}
                          · {thread.pendingRequests} to answer
                        </Show> ·{" "}
                        {thread.provider} · {thread.runtimeMode} · {ago(thread.lastActivityAt, now())}
                      </span>
                    </a>
                  </li>
                )}
              </For>
            </ul>
          </section>
        )}
      </For>
    </nav>
  )
}
