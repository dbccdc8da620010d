import { Icon } from "./Icon.tsx"
import { onCleanup, onMount, type ParentProps } from "solid-js"

/**
 * What a button opens beneath it: the keyboard goes into it, Escape closes it, and when it is closed the keyboard is
 * where it was.
 */
export const Panel = (props: ParentProps<{ readonly label: string; readonly onClose: () => void }>) => {
  const before = document.activeElement
  let panel: HTMLDivElement | undefined
  onMount(() => (panel?.querySelector<HTMLElement>("input:enabled, button:enabled") ?? panel)?.focus())
  onCleanup(() => {
    if (before instanceof HTMLElement) before.focus()
  })
  return (
    <div
      class="panel"
      role="group"
      tabindex="-1"
      aria-label={props.label}
      ref={(element) => {
        panel = element
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return
        event.stopPropagation()
        props.onClose()
      }}
    >
      {props.children}
      <button type="button" class="plain close" aria-label="Close this panel" onClick={() => props.onClose()}>
        <Icon name="close" />
      </button>
    </div>
  )
}
