import type { UpdateTurn } from "@rejoin/contracts/api/Requests"
import type { Thread } from "@rejoin/contracts/Thread"
import { createMemo, createResource, createSignal, For, onCleanup, onMount, Show } from "solid-js"
import { Actions, type PanelName } from "./Actions.tsx"
import { AlarmBox } from "./AlarmBox.tsx"
import { Composer } from "./Composer.tsx"
import { alarmOf, type Conversation, type Ended, inOrder, turnBefore, turningPoints } from "./Conversation.ts"
import { draft } from "./Drafts.ts"
import { focusMessage } from "./Focus.ts"
import { ItemView } from "./ItemView.tsx"
import { NoteView } from "./NoteView.tsx"
import { Receipts } from "./Receipts.tsx"
import { Requests } from "./Requests.tsx"
import type { Store } from "./Store.ts"
import { nameOf, stateOf } from "@rejoin/shown/Words"
import { visible } from "@rejoin/shown/Visible"
import { keepPlace } from "./Reading.ts"
import { isWorking } from "./Text.ts"

/** Which thread it is, what it is at, and where. */
const Heading = (props: { readonly thread: Thread; readonly store: Store }) => {
  const [here] = createResource(() => props.thread.cwd, props.store.look)
  const branch = () => here.latest?.worktrees.find(({ path }) => path === props.thread.cwd)?.branch
  const usage = () => props.thread.usage
  return (
    <div class="title">
      <h1 title={nameOf(props.thread)}>{nameOf(props.thread)}</h1>
      <p>
        <span class={`state ${props.thread.session.state}`}>{stateOf(props.thread)}</span> ·{" "}
        {props.thread.provider}
        <Show when={props.thread.model}>{(model) => <> · {model()}</>}</Show> ·{" "}
        <code>{props.thread.cwd}</code>
        <Show when={branch()}>
          {(name) => (
            <>
              {" "}
              · <code>{name()}</code>
            </>
          )}
        </Show>
        <Show when={usage().inputTokens + usage().outputTokens > 0}>
          {" "}
          <span class="minor" title="Tokens in and out, as the agent reckons them">
            · {(usage().inputTokens + usage().outputTokens).toLocaleString()} tokens
            <Show when={usage().costUsd > 0}>, ${usage().costUsd.toFixed(2)}</Show>
          </span>
        </Show>
        <Show when={props.thread.session.runningTool}>
          {(tool) => (
            <span class="minor">
              {" "}
              · <code>{tool()}</code>
            </span>
          )}
        </Show>
      </p>
    </div>
  )
}

/** One thread: its conversation as it streams, what it asks, and what became of it. */
export const ThreadPane = (props: {
  readonly thread: Thread
  readonly conversation: Conversation
  readonly store: Store
  readonly onOpen: (id: string | undefined) => void
  readonly onBack: () => void
}) => {
  const [showsReceipts, setShowsReceipts] = createSignal(false)
  const [panel, setPanel] = createSignal<PanelName>()
  const [isAway, setAway] = createSignal(false)
  const params = () => ({ id: props.thread.id })
  const alarm = createMemo(() => alarmOf(props.thread, props.conversation.receipts))
  const entries = createMemo(() =>
    inOrder(props.conversation.items, [
      ...turningPoints(props.conversation.receipts),
      ...props.conversation.turns
    ])
  )
  const running = createMemo(
    () => new Set(props.conversation.turns.filter(({ state }) => state === "running").map(({ id }) => id))
  )
  let scrolled: HTMLDivElement | undefined
  let reading: ReturnType<typeof keepPlace> | undefined
  // Turned over, its end is where it begins.
  const toEnd = () => scrolled?.scrollTo({ top: 0 })
  const again = ({ input }: Ended) =>
    void props.store
      .attempt((client) =>
        client.turns.send({ params: params(), payload: { input, idempotencyKey: draft(input).key } })
      )
      .then(toEnd)
  const forks = () =>
    !isWorking(props.thread) &&
    props.store.state.providers
      .find(({ id }) => id === props.thread.provider)
      ?.capabilities.fork.includes("turn") === true
  const forkAfter = (turnId: string) =>
    void props.store
      .attempt((client) => client.sessions.fork({ params: params(), payload: { turnId } }))
      .then((forked) => forked && props.onOpen(forked.id))
  /** Where nothing was said before it there is nothing to fork. */
  const forkBefore = (at: number) => {
    const before = forks() ? turnBefore(entries(), at) : undefined
    return before === undefined ? undefined : () => forkAfter(before)
  }
  const edit = (turnId: string, payload: UpdateTurn) =>
    void props.store.attempt((client) =>
      client.turns.update({ params: { id: props.thread.id, turnId }, payload })
    )
  const withdraw = (turnId: string) =>
    void props.store.attempt((client) => client.turns.interrupt({ params: { id: props.thread.id, turnId } }))
  return (
    <main class="thread" classList={{ "with-receipts": showsReceipts() }}>
      <header>
        <button class="back" onClick={() => props.onBack()} aria-label="All threads">
          ‹
        </button>
        <Heading thread={props.thread} store={props.store} />
        <button
          class="toggle"
          aria-pressed={showsReceipts()}
          onClick={() => setShowsReceipts((shows) => !shows)}
        >
          Continuity
        </button>
      </header>
      <Actions
        thread={props.thread}
        store={props.store}
        panel={panel()}
        onPanel={setPanel}
        onOpen={props.onOpen}
      />
      <Show when={alarm()}>{(alarm) => <AlarmBox alarm={alarm()} onRemedy={setPanel} />}</Show>
      <div
        class="scroll"
        tabindex="0"
        role="region"
        aria-label="Conversation"
        ref={(element) => {
          scrolled = element
          reading = keepPlace(element)
          onCleanup(reading.end)
        }}
        onScroll={(event) => {
          setAway(event.currentTarget.scrollTop < -300)
          reading?.moved()
        }}
      >
        <div
          class="items"
          role="log"
          aria-live="polite"
          ref={(element) => onMount(() => reading?.watch(element))}
        >
          <Show when={props.conversation.inherited.length > 0}>
            <div class="inherited">
              <For each={props.conversation.inherited}>{(item) => <ItemView item={item} live={false} />}</For>
              <p class="turning">
                <strong>Forked here</strong> from{" "}
                <a href={`#/${props.thread.forkedFrom?.threadId}`}>another thread</a>: the agent knows what
                was said above
              </p>
            </div>
          </Show>
          <Show when={props.store.state.older}>
            <button onClick={() => void props.store.showOlder()}>Show what was before</button>
          </Show>
          <For each={entries()}>
            {(entry, at) =>
              "kind" in entry ? (
                <ItemView
                  item={entry}
                  live={running().has(entry.turnId)}
                  files={props.conversation.files[entry.turnId]}
                  sought={props.store.state.sought === entry.id}
                  onFork={forks() ? () => forkAfter(entry.turnId) : undefined}
                />
              ) : (
                <NoteView
                  note={entry}
                  onAgain={at() === entries().length - 1 ? again : undefined}
                  onForkBefore={forkBefore(at())}
                  starting={props.thread.session.state === "starting"}
                  onWithdraw={withdraw}
                  onEdit={edit}
                  firstQueued={props.conversation.turns.find(({ state }) => state === "waiting")?.id}
                />
              )
            }
          </For>
          <For each={props.conversation.notices}>
            {(notice) => <p class="notice">{visible(notice.text)}</p>}
          </For>
          <Requests
            requests={props.conversation.requests}
            onAnswer={(requestId, payload) =>
              void props.store
                .attempt((client) => client.threads.answer({ params: { ...params(), requestId }, payload }))
                .then(focusMessage)
            }
          />
        </div>
      </div>
      <div class="below">
        <Show when={isAway()}>
          <button class="latest small" onClick={toEnd}>
            ↓ To the latest
          </button>
        </Show>
        <Composer
          thread={props.thread}
          turnId={props.conversation.turns.find(({ state }) => state === "running")?.id}
          store={props.store}
          onSent={toEnd}
        />
      </div>
      <Show when={showsReceipts()}>
        <Receipts
          receipts={props.conversation.receipts}
          forkedFrom={props.thread.forkedFrom}
          onClose={() => setShowsReceipts(false)}
        />
      </Show>
    </main>
  )
}
