import type { Item } from "@rejoin/contracts/Item"
import { counted, countedText, within } from "@rejoin/shown/Changes"
import { printed, visible } from "@rejoin/shown/Visible"
import { createEffect, createSignal, For, Match, type ParentProps, Show, Switch } from "solid-js"
import { Diff } from "./Diff.tsx"
import { Icon, type IconName } from "./Icon.tsx"
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

/** One line, and what it came to beneath it. What runs is open for as long as nobody has closed it. */
const Line = (
  props: ParentProps<{
    readonly icon: IconName
    readonly what: string
    readonly isCode?: boolean
    readonly result: string
    readonly runs: boolean
    readonly bad?: boolean
  }>
) => {
  const [chosen, setChosen] = createSignal<boolean>()
  return (
    <details
      class="line"
      open={chosen() ?? props.runs}
      onToggle={({ currentTarget: { open } }) => {
        if (open !== (chosen() ?? props.runs)) setChosen(open)
      }}
    >
      <summary title={props.what}>
        <Icon name={props.icon} />
        <Show when={props.isCode} fallback={<span class="what">{props.what}</span>}>
          <code class="what">{props.what}</code>
        </Show>
        <span class="mark" classList={{ error: props.bad === true }}>
          {props.result}
        </span>
      </summary>
      <Show when={chosen() ?? props.runs}>{props.children}</Show>
    </details>
  )
}

/** What an agent thought, ran, changed: a line each, that opens. `live` while its turn runs. */
export const Work = (props: { readonly item: Item; readonly live: boolean; readonly cwd: string }) => {
  const result = () => mark(props.item, props.live)
  const runs = () => props.live && props.item.status === "started"
  const isBad = () => props.item.status === "failed" || (props.item.exitCode ?? 0) !== 0
  return (
    <Switch>
      <Match when={props.item.kind === "reasoning"}>
        <Line icon="thought" what="Thoughts" result={result()} runs={false}>
          <Markdown text={props.item.text ?? ""} />
        </Line>
      </Match>
      <Match when={props.item.kind === "command"}>
        <Line
          icon="command"
          isCode
          what={visible(props.item.command ?? props.item.title ?? "")}
          result={result()}
          runs={runs()}
          bad={isBad()}
        >
          <Show when={(props.item.command ?? "").includes("\n")}>
            <pre class="asked">{visible(props.item.command ?? "")}</pre>
          </Show>
          <Output text={props.item.output} grows={props.item.status === "started"} />
        </Line>
      </Match>
      <Match when={props.item.kind === "file-change"}>
        <For
          each={(props.item.changes ?? []).filter(({ diff, path }) => path !== "" || diff !== "")}
          fallback={
            <Line
              icon="change"
              what={visible(props.item.title ?? "edits a file…")}
              result={result()}
              runs={false}
              bad={isBad()}
            />
          }
        >
          {(change) => (
            <Line
              icon="change"
              isCode
              what={visible(within(props.cwd, change.path))}
              result={result() || countedText(counted(change.diff))}
              runs={change.diff !== "" && change.diff.length < 2000}
              bad={isBad()}
            >
              <Show when={change.diff !== ""}>
                <Diff text={change.diff} />
              </Show>
            </Line>
          )}
        </For>
      </Match>
      <Match when={props.item.kind === "tool-call"}>
        <Line
          icon="tool"
          what={visible(props.item.title ?? props.item.toolName ?? "tool")}
          result={result()}
          runs={false}
          bad={isBad()}
        >
          <Output text={JSON.stringify(props.item.toolInput, null, 2)} />
          <Output text={props.item.output} />
        </Line>
      </Match>
    </Switch>
  )
}
