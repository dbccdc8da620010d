import type { UpdateTurn } from "@rejoin/contracts/api/Requests"
import type { Item } from "@rejoin/contracts/Item"
import type { Thread } from "@rejoin/contracts/Thread"
import { visible } from "@rejoin/shown/Visible"
import { modes } from "@rejoin/shown/Words"
import { createMemo, For, Show } from "solid-js"
import { type Conversation, type Ended, inOrder, isItem, turnBefore, turningPoints } from "./Conversation.ts"
import { draft, keepDraft } from "./Drafts.ts"
import { focusMessage } from "./Focus.ts"
import { ItemView } from "./ItemView.tsx"
import { NoteView } from "./NoteView.tsx"
import { Requests } from "./Requests.tsx"
import type { Store } from "./Store.ts"
import { isWorking } from "./Text.ts"
import { TurnChanges } from "./TurnChanges.tsx"

/** What was said and done, from what a fork goes on from to what waits, and what can be done about each. */
export const Timeline = (props: {
  readonly thread: Thread
  readonly conversation: Conversation
  readonly store: Store
  readonly onOpen: (id: string | undefined) => void
  readonly onAlike: (thread: Thread) => void
  readonly onSent: () => void
}) => {
  const params = () => ({ id: props.thread.id })
  const entries = createMemo(() =>
    inOrder(props.conversation.items, [
      ...turningPoints(props.conversation.receipts, props.thread.forkedFrom !== undefined),
      ...props.conversation.turns
    ])
  )
  const running = createMemo(
    () => new Set(props.conversation.turns.filter(({ state }) => state === "running").map(({ id }) => id))
  )
  const again = ({ input }: Ended) =>
    void props.store
      .attempt((client) =>
        client.turns.send({ params: params(), payload: { input, idempotencyKey: draft(input).key } })
      )
      .then(props.onSent)
  const forks = () =>
    !isWorking(props.thread) &&
    props.store.state.providers
      .find(({ id }) => id === props.thread.provider)
      ?.capabilities.fork.includes("turn") === true
  const fork = (turnId: string) =>
    props.store.attempt((client) => client.sessions.fork({ params: params(), payload: { turnId } }))
  const forkAfter = (turnId: string) => void fork(turnId).then((forked) => forked && props.onOpen(forked.id))
  /** Where nothing was said before it there is nothing to fork. */
  const forkBefore = (at: number) => {
    const before = forks() ? turnBefore(entries(), at) : undefined
    return before === undefined ? undefined : () => forkAfter(before)
  }
  /** From where a message is said again: the turn before it, here or in the thread that this one is a fork of. */
  const pointBefore = (at: number) => {
    const before = turnBefore(entries(), at)
    return before === undefined
      ? props.conversation.inheritedLast
      : { threadId: props.thread.id, turnId: before }
  }
  /** This one stays as it is: what was said is written down in a new one, to be changed and sent there. */
  const editAgain = async (item: Item, at: number) => {
    const text = draft(item.text ?? "")
    const point = pointBefore(at)
    if (point === undefined) {
      keepDraft("new", text)
      return props.onAlike(props.thread)
    }
    const { threadId, turnId } = point
    const forked = await props.store.attempt((client) =>
      client.sessions.fork({ params: { id: threadId }, payload: { turnId } })
    )
    if (forked === undefined) return
    keepDraft(forked.id, text)
    props.onOpen(forked.id)
  }
  // What was sent with it cannot be sent again from here. What is above the items that are loaded is not known, nor is what
  // a fork knows whose origin is gone.
  const edits = (item: Item, at: number) =>
    item.kind === "user-message" &&
    forks() &&
    item.elsewhere !== true &&
    props.conversation.files[item.turnId] === undefined &&
    (pointBefore(at) !== undefined || (!props.store.state.older && props.thread.forkedFrom === undefined))
  /** A turn that has ended, behind the last thing of it. */
  const endsTurn = (item: Item, at: number) => {
    const next = entries()[at + 1]
    return !running().has(item.turnId) && !(next !== undefined && isItem(next) && next.turnId === item.turnId)
  }
  const changes = createMemo(() =>
    Map.groupBy(
      props.conversation.items.filter(({ kind }) => kind === "file-change"),
      ({ turnId }) => turnId
    )
  )
  const edit = (turnId: string, payload: UpdateTurn) =>
    void props.store.attempt((client) =>
      client.turns.update({ params: { id: props.thread.id, turnId }, payload })
    )
  const firstQueued = () =>
    props.conversation.turns.find((turn) => turn.state === "waiting" && turn.until === undefined)?.id
  /** Where nothing waits for its end yet, the work can go on by itself then. */
  const goOnAt = (notBefore: string) =>
    void props.store.attempt((client) =>
      client.turns.send({ params: params(), payload: { input: "Go on.", notBefore } })
    )
  const waitsAlready = () =>
    props.conversation.turns.some((turn) => turn.state === "waiting" && turn.until !== undefined)
  const withdraw = (turnId: string) =>
    void props.store.attempt((client) => client.turns.interrupt({ params: { id: props.thread.id, turnId } }))
  return (
    <>
      <Show when={props.conversation.inherited.length > 0}>
        <div class="inherited">
          <For each={props.conversation.inherited}>
            {(item) => (
              <ItemView
                item={item}
                live={false}
                cwd={props.thread.cwd}
                sought={props.store.state.sought === item.id}
              />
            )}
          </For>
          <p class="turning">
            <span>
              <strong>Forked here</strong> from{" "}
              <a href={`#/${props.thread.forkedFrom?.threadId}`}>another thread</a>: the agent knows what was
              said above
            </span>
          </p>
        </div>
      </Show>
      <Show when={props.store.state.older}>
        <button onClick={() => void props.store.showOlder()}>Show what was before</button>
      </Show>
      <Show when={entries().length === 0 && props.conversation.inherited.length === 0}>
        <p class="empty">
          Nothing was said here yet. {props.thread.provider} works in <code>{visible(props.thread.cwd)}</code>
          . {modes[props.thread.runtimeMode]}
        </p>
      </Show>
      <For each={entries()}>
        {(entry, at) =>
          isItem(entry) ? (
            <>
              <ItemView
                item={entry}
                live={running().has(entry.turnId)}
                cwd={props.thread.cwd}
                files={props.conversation.files[entry.turnId]}
                sought={props.store.state.sought === entry.id}
                onFork={entry.kind === "user-message" && forks() ? () => forkAfter(entry.turnId) : undefined}
                onEdit={edits(entry, at()) ? () => void editAgain(entry, at()) : undefined}
              />
              <Show when={endsTurn(entry, at())}>
                <TurnChanges items={changes().get(entry.turnId) ?? []} cwd={props.thread.cwd} />
              </Show>
            </>
          ) : (
            <NoteView
              note={entry}
              onAgain={at() === entries().length - 1 ? again : undefined}
              onForkBefore={forkBefore(at())}
              starting={props.thread.session.state === "starting"}
              onWithdraw={withdraw}
              onLater={waitsAlready() ? undefined : goOnAt}
              onEdit={edit}
              firstQueued={firstQueued()}
            />
          )
        }
      </For>
      <For each={props.conversation.notices}>{(notice) => <p class="notice">{visible(notice.text)}</p>}</For>
      <Requests
        requests={props.conversation.requests}
        remembers={props.store.state.device === undefined}
        onAnswer={(requestId, payload) =>
          void props.store
            .attempt((client) => client.threads.answer({ params: { ...params(), requestId }, payload }))
            .then(focusMessage)
        }
      />
      <Show when={isWorking(props.thread) && props.conversation.requests.length === 0}>
        <p class="working" aria-hidden="true">
          <span class="dot" />
          {props.thread.session.state === "starting" ? "Starting the agent" : "Working"}
        </p>
      </Show>
    </>
  )
}
