import type { Thread } from "@rejoin/contracts/Thread"
import { createMemo, createResource, createSignal, For, Show } from "solid-js"
import { Actions } from "./Actions.tsx"
import { Composer } from "./Composer.tsx"
import { type Conversation, type Ended, inOrder, type Waiting } from "./Conversation.ts"
import { ItemView } from "./ItemView.tsx"
import { isAlarming, Receipts } from "./Receipts.tsx"
import { Requests } from "./Requests.tsx"
import type { Store } from "./Store.ts"
import { nameOf, stateOf } from "./Text.ts"

/** What a reader must not miss: the last start began anew, or was refused; and what to do about it. */
const Alarm = (props: { readonly conversation: Conversation; readonly onReset: () => void }) => {
  const last = createMemo(() => props.conversation.receipts[0])
  return (
    <Show when={last() && isAlarming(last()!) ? last() : undefined}>
      {(receipt) => (
        <div class={`alarm ${receipt().outcome}`} role="alert">
          <strong>
            {receipt().outcome === "replaced"
              ? "This conversation began anew: the agent no longer knows what was said before."
              : "The conversation did not go on."}
          </strong>
          <p>
            {receipt().reason} {receipt().error?.hint}
          </p>
          <Show when={receipt().outcome === "refused"}>
            <button onClick={() => props.onReset()}>Reset: start anew with the next message</button>
          </Show>
        </div>
      )}
    </Show>
  )
}

/** A turn that waits, or how one ended that did not complete. */
const TurnNote = (props: { readonly turn: Waiting | Ended }) => (
  <Show
    when={"error" in props.turn ? props.turn : undefined}
    fallback={
      <Show when={props.turn.state === "waiting"}>
        <p class="waiting">Waits: {props.turn.input}</p>
      </Show>
    }
  >
    {(ended) => (
      <p class={`ended ${ended().state}`}>
        “{ended().input}” {ended().state === "failed" ? "failed" : "was interrupted"}
        <Show when={ended().error}>
          {(error) => (
            <>
              : {error().message} {error().hint}
            </>
          )}
        </Show>
      </p>
    )}
  </Show>
)

/** One thread: its conversation as it streams, what it asks, and what became of it. */
export const ThreadPane = (props: {
  readonly thread: Thread
  readonly conversation: Conversation
  readonly store: Store
  readonly onOpen: (id: string) => void
  readonly onBack: () => void
}) => {
  const [showsReceipts, setShowsReceipts] = createSignal(false)
  const params = () => ({ id: props.thread.id })
  const [here] = createResource(() => props.thread.cwd, props.store.look)
  const branch = () => here.latest?.worktrees.find(({ path }) => path === props.thread.cwd)?.branch
  const reset = () => void props.store.attempt((client) => client.sessions.reset({ params: params() }))
  return (
    <main class="thread" classList={{ "with-receipts": showsReceipts() }}>
      <header>
        <button class="back" onClick={() => props.onBack()} aria-label="All threads">
          ‹
        </button>
        <div class="title">
          <h1>{nameOf(props.thread)}</h1>
          <p>
            <span class={`state ${props.thread.session.state}`}>{stateOf(props.thread)}</span> ·{" "}
            {props.thread.provider} · <code>{props.thread.cwd}</code>
            <Show when={branch()}>
              {(name) => (
                <>
                  {" "}
                  · <code>{name()}</code>
                </>
              )}
            </Show>
            <Show when={props.thread.session.runningTool}>
              {(tool) => (
                <>
                  {" "}
                  · <code>{tool()}</code>
                </>
              )}
            </Show>
          </p>
        </div>
        <button
          class="toggle"
          aria-pressed={showsReceipts()}
          onClick={() => setShowsReceipts((shows) => !shows)}
        >
          Continuity
        </button>
      </header>
      <Actions thread={props.thread} store={props.store} onOpen={props.onOpen} />
      <Alarm conversation={props.conversation} onReset={reset} />
      <div class="scroll" tabindex="0" role="region" aria-label="Conversation">
        <div class="items" role="log" aria-live="polite">
          <Show when={props.store.state.older}>
            <button onClick={() => void props.store.showOlder()}>Show what was before</button>
          </Show>
          <For each={inOrder(props.conversation.items, props.conversation.turns)}>
            {(entry) => ("kind" in entry ? <ItemView item={entry} /> : <TurnNote turn={entry} />)}
          </For>
          <For each={props.conversation.notices}>{(notice) => <p class="notice">{notice.text}</p>}</For>
          <Requests
            requests={props.conversation.requests}
            onAnswer={(requestId, payload) =>
              void props.store.attempt((client) =>
                client.threads.answer({ params: { ...params(), requestId }, payload })
              )
            }
          />
        </div>
      </div>
      <Composer thread={props.thread} store={props.store} />
      <Show when={showsReceipts()}>
        <Receipts receipts={props.conversation.receipts} />
      </Show>
    </main>
  )
}
