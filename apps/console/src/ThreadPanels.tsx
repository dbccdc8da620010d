import type { RejoinClient } from "@rejoin/client/Client"
import type { Thread } from "@rejoin/contracts/Thread"
import { createSignal, Match, Switch } from "solid-js"
import { ChangesPanel } from "./ChangesPanel.tsx"
import type { Remedy } from "./Conversation.ts"
import { DetailsPanel } from "./DetailsPanel.tsx"
import { FindPanel } from "./FindPanel.tsx"
import { HandOverPanel } from "./HandOverPanel.tsx"
import { MovePanel } from "./MovePanel.tsx"
import { Panel } from "./Panel.tsx"
import type { Store } from "./Store.ts"
import { TrustPanel } from "./TrustPanel.tsx"

export type PanelName = Remedy | "changes" | "delete" | "details" | "find" | "handover"

/** What a choice of the thread's menu asks for before it is done. */
export const ThreadPanels = (props: {
  readonly thread: Thread
  readonly store: Store
  readonly panel: PanelName | undefined
  readonly onPanel: (panel: PanelName | undefined) => void
  readonly onOpen: (id: string | undefined) => void
}) => {
  const params = () => ({ id: props.thread.id })
  const { attempt } = props.store
  const [pending, setPending] = createSignal(false)
  const close = () => props.onPanel(undefined)
  const reset = async () => {
    await attempt((client) => client.sessions.reset({ params: params() }))
    close()
  }
  /** One of the starts that bring the thread back to life. */
  const settle = async (
    start: (client: RejoinClient) => RejoinClient["sessions"]["acceptHistory" | "claim" | "restore"]
  ) => {
    setPending(true)
    const receipt = await attempt((client) => start(client)({ params: params() }))
    setPending(false)
    if (receipt !== undefined) close()
  }
  const remove = async () => {
    if (await props.store.remove(props.thread.id)) props.onOpen(undefined)
  }
  return (
    <Switch>
      <Match when={props.panel === "move"}>
        <MovePanel thread={props.thread} store={props.store} onClose={close} />
      </Match>
      <Match when={props.panel === "handover"}>
        <HandOverPanel thread={props.thread} store={props.store} onClose={close} onOpen={props.onOpen} />
      </Match>
      <Match when={props.panel === "changes"}>
        <ChangesPanel cwd={props.thread.cwd} store={props.store} onClose={close} />
      </Match>
      <Match when={props.panel === "find"}>
        <FindPanel threadId={props.thread.id} store={props.store} onClose={close} />
      </Match>
      <Match when={props.panel === "restore"}>
        <Panel label="Restore" onClose={close}>
          <p>
            The agent works on other data than this conversation is in. It is written there from our copy, and
            goes on from what that has.
          </p>
          <div class="row">
            <button disabled={pending()} onClick={() => void settle((client) => client.sessions.restore)}>
              Restore it here
            </button>
            <button onClick={() => props.onPanel("reset")}>Reset instead…</button>
            <button onClick={close}>Cancel</button>
          </div>
        </Panel>
      </Match>
      <Match when={props.panel === "claim"}>
        <Panel label="Take it back" onClose={close}>
          <p>
            The conversation goes on here as it was when it went. What was said elsewhere since is not in it,
            and goes on there by itself.
          </p>
          <div class="row">
            <button disabled={pending()} onClick={() => void settle((client) => client.sessions.claim)}>
              Take it back
            </button>
            <button onClick={close}>Cancel</button>
          </div>
        </Panel>
      </Match>
      <Match when={props.panel === "trust"}>
        <TrustPanel cwd={props.thread.cwd} store={props.store} onClose={close} />
      </Match>
      <Match when={props.panel === "reset"}>
        <Panel label="Reset" onClose={close}>
          <p>
            The next message begins anew: the agent will know nothing of what was said here. The old session
            is kept where the agent keeps it.
          </p>
          <div class="row">
            <button class="danger" onClick={() => void reset()}>
              Reset
            </button>
            <button onClick={close}>Cancel</button>
          </div>
        </Panel>
      </Match>
      <Match when={props.panel === "accept"}>
        <Panel label="Go on from here" onClose={close}>
          <p>
            What was undone in the agent's own interface is marked here as undone, and the next message goes
            on from what the agent has now.
          </p>
          <div class="row">
            <button
              disabled={pending()}
              onClick={() => void settle((client) => client.sessions.acceptHistory)}
            >
              Go on from here
            </button>
            <button onClick={() => props.onPanel("reset")}>Reset instead…</button>
            <button onClick={close}>Cancel</button>
          </div>
        </Panel>
      </Match>
      <Match when={props.panel === "details"}>
        <DetailsPanel thread={props.thread} store={props.store} onClose={close} />
      </Match>
      <Match when={props.panel === "delete"}>
        <Panel label="Delete" onClose={close}>
          <p>The thread is forgotten here, with its receipts. The agent keeps its own session.</p>
          <div class="row">
            <button class="danger" onClick={() => void remove()}>
              Delete
            </button>
            <button onClick={close}>Cancel</button>
          </div>
        </Panel>
      </Match>
    </Switch>
  )
}
