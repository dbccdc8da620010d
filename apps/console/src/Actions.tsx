import type { RejoinClient } from "@rejoin/client/Client"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Thread } from "@rejoin/contracts/Thread"
import { createSignal, For, Match, Show, Switch } from "solid-js"
import type { Remedy } from "./Conversation.ts"
import { DetailsPanel } from "./DetailsPanel.tsx"
import { HandOverPanel, successorsOf } from "./HandOverPanel.tsx"
import { MovePanel } from "./MovePanel.tsx"
import { Panel } from "./Panel.tsx"
import type { Store } from "./Store.ts"
import { TrustPanel } from "./TrustPanel.tsx"
import { modes } from "@rejoin/shown/Words"
import { isWorking } from "./Text.ts"

export type PanelName = Remedy | "handover" | "details" | "delete"

const busy = "Not while it works: interrupt it first"

/** What can be done with a thread beside saying something in it. */
export const Actions = (props: {
  readonly thread: Thread
  readonly store: Store
  readonly panel: PanelName | undefined
  readonly onPanel: (panel: PanelName | undefined) => void
  readonly onOpen: (id: string | undefined) => void
}) => {
  const params = () => ({ id: props.thread.id })
  const { attempt } = props.store
  const [pending, setPending] = createSignal(false)
  const working = () => isWorking(props.thread)
  const close = () => props.onPanel(undefined)
  const once = async (body: () => Promise<unknown>) => {
    setPending(true)
    await body()
    setPending(false)
  }
  const fork = () =>
    once(async () => {
      const forked = await attempt((client) => client.sessions.fork({ params: params(), payload: {} }))
      if (forked !== undefined) props.onOpen(forked.id)
    })
  const stop = () => once(() => attempt((client) => client.sessions.stop({ params: params() })))
  const reset = async () => {
    await attempt((client) => client.sessions.reset({ params: params() }))
    close()
  }
  /** One of the starts that bring the thread back to life. */
  const settle = (
    start: (client: RejoinClient) => RejoinClient["sessions"]["acceptHistory" | "claim" | "restore"]
  ) =>
    once(async () => {
      const receipt = await attempt((client) => start(client)({ params: params() }))
      if (receipt !== undefined) close()
    })
  const remove = async () => {
    if (await props.store.remove(props.thread.id)) props.onOpen(undefined)
  }

  const Opens = (own: { readonly panel: PanelName; readonly text: string; readonly always?: boolean }) => (
    <button
      disabled={working() && own.always !== true}
      title={working() && own.always !== true ? busy : undefined}
      aria-expanded={props.panel === own.panel}
      onClick={() => props.onPanel(props.panel === own.panel ? undefined : own.panel)}
    >
      {own.text}
    </button>
  )
  return (
    <div class="actions" role="toolbar" aria-label="This thread">
      <label title={working() ? busy : modes[props.thread.runtimeMode]}>
        <span class="hidden">Mode</span>
        <select
          class={props.thread.runtimeMode}
          disabled={working()}
          value={props.thread.runtimeMode}
          onChange={(event) => {
            const runtimeMode = event.currentTarget.value as RuntimeMode
            void attempt((client) =>
              client.threads.update({ params: params(), payload: { runtimeMode } })
            ).then((thread) => {
              // What was refused is not shown as if it were so.
              if (thread === undefined) event.target.value = props.thread.runtimeMode
            })
          }}
        >
          <For each={RuntimeMode.literals}>{(mode) => <option value={mode}>{mode}</option>}</For>
        </select>
      </label>
      <Opens panel="move" text="Move…" />
      <button
        disabled={working() || pending()}
        title={working() ? busy : "A new thread that goes on from here; this one stays as it is"}
        onClick={() => void fork()}
      >
        Fork
      </button>
      <button
        disabled={pending()}
        title="Ends the agent's process, and a turn that runs; the conversation stays"
        onClick={() => void stop()}
      >
        Stop
      </button>
      <Show when={successorsOf(props.thread, props.store.state.providers).length > 0}>
        <Opens panel="handover" text="Hand over…" />
      </Show>
      <Opens panel="reset" text="Reset…" />
      <Opens panel="details" text="Name, model, rules…" always />
      <Opens panel="trust" text="Trust…" always />
      <Opens panel="delete" text="Delete…" />
      <Switch>
        <Match when={props.panel === "move"}>
          <MovePanel thread={props.thread} store={props.store} onClose={close} />
        </Match>
        <Match when={props.panel === "handover"}>
          <HandOverPanel thread={props.thread} store={props.store} onClose={close} onOpen={props.onOpen} />
        </Match>
        <Match when={props.panel === "restore"}>
          <Panel label="Restore" onClose={close}>
            <p>
              The agent works on other data than this conversation is in. It is written there from our copy,
              and goes on from what that has.
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
              The conversation goes on here as it was when it went. What was said elsewhere since is not in
              it, and goes on there by itself.
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
    </div>
  )
}
