import type { Item } from "@rejoin/contracts/Item"
import { createEffect, For, Match, Show, Switch } from "solid-js"
import { printed, visible } from "@rejoin/shown/Visible"
import { Diff } from "./Diff.tsx"
import { Markdown } from "./Markdown.tsx"

// More than is seen at once: only that is to be reached by keyboard, to be scrolled.
const isLong = (text: string) => text.length > 1500 || text.split("\n").length > 16

/** What was printed; while more comes its end is seen. */
const Output = (props: { readonly text: string | undefined; readonly grows?: boolean }) => {
  let box: HTMLPreElement | undefined
  createEffect(() => {
    if (props.text !== undefined && props.grows === true) box?.scrollTo({ top: box.scrollHeight })
  })
  return (
    <Show when={props.text?.trim()}>
      {(text) => (
        <pre
          class="output"
          tabindex={isLong(text()) ? 0 : undefined}
          ref={(element) => {
            box = element
          }}
        >
          {printed(text())}
        </pre>
      )}
    </Show>
  )
}

const mark = (item: Item, live: boolean) => {
  if (item.status === "started") return live ? "…" : "cut off"
  if (item.status === "failed") return "failed"
  return item.exitCode === undefined || item.exitCode === 0 ? "" : `exit ${item.exitCode}`
}

/** One unit of a conversation: what was said, thought, run, changed. `live` while its turn runs. */
export const ItemView = (props: {
  readonly item: Item
  readonly live: boolean
  /** Names of what was sent with it. */
  readonly files?: ReadonlyArray<string> | undefined
  /** It was looked for: it is brought into sight. */
  readonly sought?: boolean
  /** Opens a thread that goes on from the turn that this began. */
  readonly onFork?: (() => void) | undefined
}) => (
  <article
    class={`item ${props.item.kind} ${props.item.status}`}
    classList={{ undone: props.item.undone === true, sought: props.sought === true }}
    ref={(element) =>
      createEffect(() => {
        if (props.sought === true) element.scrollIntoView({ block: "center" })
      })
    }
  >
    <Switch>
      <Match when={props.item.kind === "user-message"}>
        <h2 class="hidden">You</h2>
        <p class="said">{visible(props.item.text ?? "")}</p>
        <Show when={props.files}>
          {(names) => <span class="mark">with {names().map(visible).join(", ")}</span>}
        </Show>
        <Show when={props.item.undone}>
          <span class="mark">undone</span>
        </Show>
        <Show when={props.item.elsewhere}>
          <span class="mark">in the agent's own interface</span>
        </Show>
        <Show when={props.onFork}>
          {(fork) => (
            <button
              class="small fork"
              title="A new thread, as this one was after that turn"
              onClick={() => fork()()}
            >
              Fork after this
            </button>
          )}
        </Show>
      </Match>
      <Match when={props.item.kind === "assistant-message"}>
        <h2 class="hidden">Agent</h2>
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
          <code>$ {visible(props.item.command ?? props.item.title ?? "")}</code>{" "}
          <span class="mark">{mark(props.item, props.live)}</span>
        </div>
        <Output text={props.item.output} grows={props.item.status === "started"} />
      </Match>
      <Match when={props.item.kind === "file-change"}>
        <For
          each={(props.item.changes ?? []).filter(({ diff, path }) => path !== "" || diff !== "")}
          fallback={<div class="head">{visible(props.item.title ?? "edits a file…")}</div>}
        >
          {(change) => (
            <details open={change.diff.length < 2000}>
              <summary>
                <code>{visible(change.path)}</code> <span class="mark">{mark(props.item, props.live)}</span>
              </summary>
              <Show when={change.diff !== ""}>
                <Diff text={change.diff} />
              </Show>
            </details>
          )}
        </For>
      </Match>
      <Match when={props.item.kind === "plan"}>
        <h2 class="hidden">Plan</h2>
        <Markdown text={props.item.text ?? ""} />
      </Match>
      <Match when={props.item.kind === "tool-call"}>
        <details>
          <summary>
            {visible(props.item.title ?? props.item.toolName ?? "tool")}{" "}
            <span class="mark">{mark(props.item, props.live)}</span>
          </summary>
          <Output text={JSON.stringify(props.item.toolInput, null, 2)} />
          <Output text={props.item.output} />
        </details>
      </Match>
      <Match when={props.item.kind === "error"}>
        <p class="error">{visible(props.item.text ?? "")}</p>
      </Match>
    </Switch>
  </article>
)
