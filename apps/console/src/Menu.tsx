import { createSignal, Index, onCleanup, Show } from "solid-js"
import { Icon } from "./Icon.tsx"

export interface Choice {
  readonly text: string
  readonly title?: string | undefined
  readonly disabled?: boolean
  readonly danger?: boolean
  readonly choose: () => void
}

/** What else can be done, behind one button. Arrows go through it, Escape and a click elsewhere close it. */
export const Menu = (props: { readonly label: string; readonly choices: ReadonlyArray<Choice> }) => {
  const [open, setOpen] = createSignal(false)
  let whole: HTMLDivElement | undefined
  let button: HTMLButtonElement | undefined
  const items = () => [...(whole?.querySelectorAll<HTMLButtonElement>('[role="menuitem"]:enabled') ?? [])]
  const close = () => {
    setOpen(false)
    button?.focus()
  }
  const step = (by: number) => {
    const all = items()
    const at = all.findIndex((item) => item === document.activeElement)
    all[(at + by + all.length) % all.length]?.focus()
  }
  const onKey = (event: KeyboardEvent) => {
    const act = {
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      Escape: close,
      Tab: () => setOpen(false)
    }[event.key]
    if (act === undefined || !open()) return
    if (event.key !== "Tab") event.preventDefault()
    event.stopPropagation()
    act()
  }
  const onPointer = ({ target }: PointerEvent) => {
    if (target instanceof Node && whole?.contains(target) !== true) setOpen(false)
  }
  addEventListener("pointerdown", onPointer)
  onCleanup(() => removeEventListener("pointerdown", onPointer))
  return (
    <div
      class="menu"
      ref={(element) => {
        whole = element
      }}
      onKeyDown={onKey}
    >
      <button
        type="button"
        class="plain"
        aria-label={props.label}
        aria-haspopup="menu"
        aria-expanded={open()}
        ref={(element) => {
          button = element
        }}
        onClick={() => {
          setOpen(!open())
          if (open()) items()[0]?.focus()
        }}
      >
        <Icon name="more" />
      </button>
      <Show when={open()}>
        <div role="menu" aria-label={props.label}>
          {/* By their place: they are the same buttons while the thread changes, and keep the keyboard. */}
          <Index each={props.choices}>
            {(choice) => (
              <button
                type="button"
                role="menuitem"
                classList={{ danger: choice().danger === true }}
                disabled={choice().disabled === true}
                title={choice().title}
                onClick={() => {
                  const { choose } = choice()
                  // What it opens gives the keyboard back to this button.
                  close()
                  choose()
                }}
              >
                {choice().text}
              </button>
            )}
          </Index>
        </div>
      </Show>
    </div>
  )
}
