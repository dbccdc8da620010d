import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Thread } from "@rejoin/contracts/Thread"
import { createSignal, For, Match, Switch } from "solid-js"
import { DetailsPanel } from "./DetailsPanel.tsx"
import { MovePanel } from "./MovePanel.tsx"
import { Panel } from "./Panel.tsx"
import type { Store } from "./Store.ts"
import { TrustPanel } from "./TrustPanel.tsx"
import { modes } from "@rejoin/shown/Words"
import { isWorking } from "./Text.ts"

export type PanelName = "accept" | "move" | "reset" | "details" | "delete" | "trust"

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
  const accept = () =>
    once(async () => {
      const receipt = await attempt((client) => client.sessions.acceptHistory({ params: params() }))
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
      <Opens panel="reset" text="Reset…" />
      <Opens panel="details" text="Name, model…" always />
      <Opens panel="trust" text="Trust…" always />
      <Opens panel="delete" text="Delete…" />
      <Switch>
        <Match when={props.panel === "move"}>
          <MovePanel thread={props.thread} store={props.store} onClose={close} />
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
              <button disabled={pending()} onClick={() => void accept()}>
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
