import type { Item } from "@rejoin/contracts/Item"
import { visible } from "@rejoin/shown/Visible"
import { createEffect, Match, Show, Switch } from "solid-js"
import { Icon } from "./Icon.tsx"
import { Markdown } from "./Markdown.tsx"
import { Work } from "./Work.tsx"

/** One unit of a conversation: what was said, and what was done. `live` while its turn runs. */
export const ItemView = (props: {
  readonly item: Item
  readonly live: boolean
  /** Where the thread works. */
  readonly cwd: string
  /** Names of what was sent with it. */
  readonly files?: ReadonlyArray<string> | undefined
  /** It was looked for: it is brought into sight. */
  readonly sought?: boolean
  /** Opens a thread that goes on from the turn that this began. */
  readonly onFork?: (() => void) | undefined
  /** Opens a thread that goes on from what was before it, with this to be said there in other words. */
  readonly onEdit?: (() => void) | undefined
}) => (
  <article
    class={`item ${props.item.kind} ${props.item.status}`}
    classList={{ undone: props.item.undone === true, sought: props.sought === true }}
    ref={(element) =>
      createEffect(() => {
        const scroller = element.closest(".scroll")
        if (props.sought !== true || scroller === null) return
        // By hand: what scrolls into view by itself moves the page too.
        const { bottom, height, top } = scroller.getBoundingClientRect()
        const own = element.getBoundingClientRect()
        scroller.scrollBy({
          top: (own.top + own.bottom - top - bottom) / 2 + Math.max(0, own.height - height) / -2
        })
      })
    }
  >
    <Switch fallback={<Work item={props.item} live={props.live} cwd={props.cwd} />}>
      <Match when={props.item.kind === "user-message"}>
        <h2 class="hidden">You</h2>
        <div class="bubble">
          <p class="said">{visible(props.item.text ?? "")}</p>
          <Show when={props.onEdit ?? props.onFork}>
            <span class="beside">
              <Show when={props.onEdit}>
                {(edit) => (
                  <button
                    class="plain"
                    title="Say it in other words, in a new thread that goes on from what was before it"
                    onClick={() => edit()()}
                  >
                    <Icon name="edit" />
                    <span class="hidden">Edit and send again</span>
                  </button>
                )}
              </Show>
              <Show when={props.onFork}>
                {(fork) => (
                  <button
                    class="plain"
                    title="A new thread, as this one was after that turn"
                    onClick={() => fork()()}
                  >
                    <Icon name="fork" />
                    <span class="hidden">Fork after this</span>
                  </button>
                )}
              </Show>
            </span>
          </Show>
        </div>
        <p class="mark">
          <Show when={props.files}>{(names) => <span>with {names().map(visible).join(", ")}</span>}</Show>
          <Show when={props.item.undone}>
            <span>undone</span>
          </Show>
          <Show when={props.item.elsewhere}>
            <span>in the agent's own interface</span>
          </Show>
        </p>
      </Match>
      <Match when={props.item.kind === "assistant-message"}>
        <h2 class="hidden">Agent</h2>
        <Markdown text={props.item.text ?? ""} />
      </Match>
      <Match when={props.item.kind === "plan"}>
        <h2 class="hidden">Plan</h2>
        <div class="plan">
          <Markdown text={props.item.text ?? ""} />
        </div>
      </Match>
      <Match when={props.item.kind === "error"}>
        <p class="error">{visible(props.item.text ?? "")}</p>
      </Match>
    </Switch>
  </article>
)
