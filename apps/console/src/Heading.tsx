import type { Receipt } from "@rejoin/contracts/Receipt"
import type { Thread } from "@rejoin/contracts/Thread"
import { visible } from "@rejoin/shown/Visible"
import { nameOf, outcomes, stateOf } from "@rejoin/shown/Words"
import { createResource, type JSX, Show } from "solid-js"
import { AgentMark } from "./AgentMark.tsx"
import { Icon } from "./Icon.tsx"
import type { Store } from "./Store.ts"
import { baseOf } from "./Text.ts"

/** The last start in one sign: as it was, not quite, or not at all. */
const Tick = (props: {
  readonly last: Receipt | undefined
  readonly shown: boolean
  readonly onToggle: () => void
}) => {
  const kind = () => {
    const outcome = props.last?.outcome
    if (outcome === "refused") return "refused"
    return outcome === "replaced" ? "warned" : "proved"
  }
  return (
    <button
      class={`plain toggle ${props.last === undefined ? "" : kind()}`}
      aria-pressed={props.shown}
      title={props.last === undefined ? "It was not started yet" : outcomes[props.last.outcome]}
      onClick={() => props.onToggle()}
    >
      <Icon name={kind()} />
      <span class="wide">Continuity</span>
    </button>
  )
}

/** Which thread it is, what it is at, where, and whether it is what it was. */
export const Heading = (props: {
  readonly thread: Thread
  readonly store: Store
  readonly last: Receipt | undefined
  readonly showsReceipts: boolean
  readonly onReceipts: () => void
  readonly onBack: () => void
  readonly menu: JSX.Element
}) => {
  const [here] = createResource(() => props.thread.cwd, props.store.look)
  const branch = () => here.latest?.worktrees.find(({ path }) => path === props.thread.cwd)?.branch
  return (
    <header>
      <button class="back plain" onClick={() => props.onBack()} aria-label="All threads">
        <Icon name="back" />
      </button>
      <AgentMark driver={props.thread.driver} name={props.thread.provider} />
      <div class="title">
        <h1 title={nameOf(props.thread)}>{nameOf(props.thread)}</h1>
        <p>
          <span class={`state ${props.thread.session.state}`}>{stateOf(props.thread)}</span>
          <Show when={props.thread.session.runningTool}>{(tool) => <code>{visible(tool())}</code>}</Show>
          <span class="where" title={visible(props.thread.cwd)}>
            <Icon name="folder" />
            {baseOf(props.thread.cwd)}
          </span>
          <Show when={branch()}>
            {(name) => (
              <span class="where">
                <Icon name="branch" />
                <code>{visible(name())}</code>
              </span>
            )}
          </Show>
        </p>
      </div>
      <Tick last={props.last} shown={props.showsReceipts} onToggle={props.onReceipts} />
      {props.menu}
    </header>
  )
}
