import type { Thread } from "@rejoin/contracts/Thread"
import { ago } from "@rejoin/shown/Ago"
import { visible } from "@rejoin/shown/Visible"
import { nameOf, stateOf } from "@rejoin/shown/Words"
import { createEffect, createMemo, createResource, createSignal, For, onCleanup, Show } from "solid-js"
import { AgentMark } from "./AgentMark.tsx"
import { ChannelsPanel } from "./ChannelsPanel.tsx"
import { DevicesPanel } from "./DevicesPanel.tsx"
import { Icon } from "./Icon.tsx"
import { allowNotifications, canNotify, notifies } from "./Notifying.ts"
import { Snippet } from "./Snippet.tsx"
import type { Store } from "./Store.ts"
import { baseOf, groupOf } from "./Text.ts"

/** Another tab is the browser's to open. */
const isOurs = (event: MouseEvent) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return false
  event.preventDefault()
  return true
}

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
      class="entry"
      aria-current={props.selected ? "page" : undefined}
      title={`${nameOf(props.thread)}\n${visible(props.thread.cwd)}\n${props.thread.runtimeMode}`}
      onClick={(event) => isOurs(event) && props.onOpen()}
    >
      <AgentMark driver={props.thread.driver} name={props.thread.provider} />
      <span class="name">{nameOf(props.thread)}</span>
      <Show when={props.unread}>
        <span class="unread" role="img" aria-label="unread" />
      </Show>
      <span class="time">{ago(props.thread.lastActivityAt, props.now)}</span>
      <span class="about">
        <span class={`state ${props.thread.session.state}`}>{stateOf(props.thread)}</span>
        <Show when={groupOf(props.thread) !== props.thread.cwd}>
          <span>{baseOf(props.thread.cwd)}</span>
        </Show>
      </span>
    </a>
  </li>
)

/** Every thread: those that wait for their user, then by project, the latest first; found by what is typed. */
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

  const shown = createMemo(() => {
    const text = wanted().trim().toLowerCase()
    return props.store.state.threads
      .filter(({ cwd, provider, id, project = "", runtimeMode, title }) =>
        [title, id, cwd, provider, runtimeMode, project].some((field) => field.toLowerCase().includes(text))
      )
      .toSorted((a, b) => (a.lastActivityAt < b.lastActivityAt ? 1 : -1))
  })
  const waiting = () => shown().filter(({ pendingRequests }) => pendingRequests > 0)
  const groups = createMemo(() =>
    Map.groupBy(
      shown().filter(({ pendingRequests }) => pendingRequests === 0),
      groupOf
    )
  )
  const Rows = (own: { readonly threads: ReadonlyArray<Thread> }) => (
    <ul>
      <For each={own.threads}>
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
  )
  return (
    <nav aria-label="Threads">
      <div class="top">
        <span class="brand">Rejoin</span>
        <button class="primary" onClick={() => props.onOpen(undefined)}>
          <Icon name="new" /> New thread
        </button>
      </div>
      <label class="hidden" for="search">
        Search threads by name, directory, agent or mode, and by what was said in them
      </label>
      <input
        id="search"
        type="search"
        placeholder="Search"
        value={wanted()}
        onInput={(event) => setWanted(event.currentTarget.value)}
      />
      <Show when={waiting().length > 0}>
        <section class="needs">
          <h2>Needs you</h2>
          <Rows threads={waiting()} />
        </section>
      </Show>
      <For each={[...groups().keys()]}>
        {(group) => (
          <details class="group" open>
            <summary title={visible(group)}>
              <h2>{baseOf(group)}</h2>
            </summary>
            <Rows threads={groups().get(group) ?? []} />
          </details>
        )}
      </For>
      <Show when={shown().length === 0}>
        <p class="mark">{wanted() === "" ? "There are no threads yet." : "No thread is called so."}</p>
      </Show>
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
                        if (!isOurs(event)) return
                        props.onOpen(hit.threadId)
                        void props.store.seek(hit.threadId, hit.itemId)
                      }}
                    >
                      <span class="name">{nameOf(hit)}</span>
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
      <ChannelsPanel store={props.store} />
      <DevicesPanel store={props.store} />
      <Show when={offers()}>
        <button
          class="small"
          title="When an agent waits or is done"
          onClick={() => void allowNotifications().then(() => setOffers(canNotify() && !notifies()))}
        >
          Notify me
        </button>
      </Show>
    </nav>
  )
}
