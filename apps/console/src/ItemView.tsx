import type { Item } from "@rejoin/contracts/Item"
import { For, Match, Show, Switch } from "solid-js"
import { Diff } from "./Diff.tsx"
import { Markdown } from "./Markdown.tsx"

const Output = (props: { readonly text: string | undefined }) => (
  <Show when={props.text?.trim()}>
    {(text) => (
      <pre class="output" tabindex="0">
        {text()}
      </pre>
    )}
  </Show>
)

const mark = (item: Item) => {
  if (item.status === "started") return "…"
  if (item.status === "failed") return "failed"
  return item.exitCode === undefined || item.exitCode === 0 ? "" : `exit ${item.exitCode}`
}

/** One unit of a conversation: what was said, thought, run, changed. */
export const ItemView = (props: { readonly item: Item }) => (
  <article class={`item ${props.item.kind} ${props.item.status}`}>
    <Switch>
      <Match when={props.item.kind === "user-message"}>
        <h3 class="hidden">You</h3>
        <p class="said">{props.item.text}</p>
      </Match>
      <Match when={props.item.kind === "assistant-message"}>
        <h3 class="hidden">Agent</h3>
        <Markdown text={props.item.text ?? ""} />
      </Match>
      <Match when={props.item.kind === "reasoning"}>
        <details>
          <summary>Thoughts</summary>
          <Markdown text={props.item.text ?? ""} />
        </details>
      </Match>
      <Match when={props.item.kind === "command"}>
        <div class="head">
          <code>$ {props.item.command ?? props.item.title}</code> <span class="mark">{mark(props.item)}</span>
        </div>
        <Output text={props.item.output} />
      </Match>
      <Match when={props.item.kind === "file-change"}>
        <For each={props.item.changes ?? []} fallback={<div class="head">{props.item.title}</div>}>
          {(change) => (
            <details open={change.diff.length < 2000}>
              <summary>
                <code>{change.path}</code> <span class="mark">{mark(props.item)}</span>
              </summary>
              <Diff text={change.diff} />
            </details>
          )}
        </For>
      </Match>
      <Match when={props.item.kind === "plan"}>
        <h3 class="hidden">Plan</h3>
        <Markdown text={props.item.text ?? ""} />
      </Match>
      <Match when={props.item.kind === "tool-call"}>
        <details>
          <summary>
            {props.item.title ?? props.item.toolName ?? "tool"} <span class="mark">{mark(props.item)}</span>
          </summary>
          <Output text={JSON.stringify(props.item.toolInput, null, 2)} />
          <Output text={props.item.output} />
        </details>
      </Match>
      <Match when={props.item.kind === "error"}>
        <p class="error">{props.item.text}</p>
      </Match>
    </Switch>
  </article>
)
