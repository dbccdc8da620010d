import type { SearchHit } from "@rejoin/contracts/Search"
import type { Thread } from "@rejoin/contracts/Thread"
import { createEffect, createMemo, createResource, createSignal, For, onCleanup, Show } from "solid-js"
import type { Store } from "./Store.ts"
import { visible } from "@rejoin/shown/Visible"
import { nameOf, stateOf } from "@rejoin/shown/Words"
import { ago } from "@rejoin/shown/Ago"
import { allowNotifications, canNotify, notifies } from "./Notifying.ts"
import { baseOf, groupOf } from "./Text.ts"

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
        <Show when={props.thread.pendingRequests > 0}> · {props.thread.pendingRequests} waiting</Show>
        <Show when={groupOf(props.thread) !== props.thread.cwd}> · {baseOf(props.thread.cwd)}</Show> ·{" "}
        {props.thread.runtimeMode} · {ago(props.thread.lastActivityAt, props.now)}
      </span>
    </a>
  </li>
)

/** A piece of what was said, with the words that were looked for. */
const Snippet = (props: Pick<SearchHit, "marks" | "snippet">) => {
  const parts = () => {
    let at = 0
    const cut: Array<readonly [string, boolean]> = []
    for (const [from, to] of props.marks) {
      if (from < at) continue
      cut.push([props.snippet.slice(at, from), false], [props.snippet.slice(from, to), true])
      at = to
    }
    return [...cut, [props.snippet.slice(at), false] as const]
  }
  return (
    <For each={parts()}>
      {([text, marked]) => (marked ? <mark>{visible(text)}</mark> : <>{visible(text)}</>)}
    </For>
  )
}

/** Every thread, by project, the latest first; found by what is typed. */
export const Sidebar = (props: {
  readonly store: Store
  readonly selected: string | undefined
  readonly onOpen: (id: string | undefined) => void
}) => {
  const [wanted, setWanted] = createSignal("")
  const [offers, setOffers] = createSignal(canNotify() && !notifies())
  const [now, setNow] = createSignal(Date.now())
  const ticking = setInterval(() => setNow(Date.now()), 30_000)
  onCleanup(() => clearInterval(ticking))

  // What was said is asked for when nothing more was typed for a moment.
  const [asked, setAsked] = createSignal("")
  createEffect(() => {
    const text = wanted().trim()
    const waiting = setTimeout(() => setAsked(text), text === "" ? 0 : 250)
    onCleanup(() => clearTimeout(waiting))
  })
  const [found] = createResource(
    () => asked() || undefined,
    (text) => props.store.search(text)
  )
  const hits = () => (asked() === "" ? undefined : found.latest?.items)

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
        Search threads by name, directory, agent or mode, and by what was said in them
      </label>
      <input
        id="search"
        type="search"
        placeholder="Name, directory, agent; what was said"
        value={wanted()}
        onInput={(event) => setWanted(event.currentTarget.value)}
      />
      <Show when={offers()}>
        <button
          class="small"
          onClick={() => void allowNotifications().then(() => setOffers(canNotify() && !notifies()))}
        >
          Notify me when an agent waits or is done
        </button>
      </Show>
      <For
        each={groups()}
        fallback={
          <p class="mark">{wanted() === "" ? "There are no threads yet." : "No thread is called so."}</p>
        }
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
      <Show when={hits()}>
        {(found) => (
          <section aria-live="polite">
            <h2>Said or done</h2>
            <ul>
              <For each={found()} fallback={<li class="mark">Nothing was said that has all of it.</li>}>
                {(hit) => (
                  <li>
                    <a
                      href={`#/${hit.threadId}`}
                      class="hit"
                      onClick={(event) => {
                        // Another tab is the browser's to open.
                        if (event.ctrlKey || event.metaKey || event.shiftKey) return
                        event.preventDefault()
                        props.onOpen(hit.threadId)
                        void props.store.seek(hit.threadId, hit.itemId)
                      }}
                    >
                      <span class="name">{nameOf({ id: hit.threadId, title: hit.title })}</span>
                      <span class="about">
                        <Snippet snippet={hit.snippet} marks={hit.marks} />
                      </span>
                    </a>
                  </li>
                )}
              </For>
            </ul>
          </section>
        )}
      </Show>
    </nav>
  )
}
