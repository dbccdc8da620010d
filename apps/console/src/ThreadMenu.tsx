import type { Thread } from "@rejoin/contracts/Thread"
import { createSignal } from "solid-js"
import { successorsOf } from "./HandOverPanel.tsx"
import { Menu } from "./Menu.tsx"
import type { Store } from "./Store.ts"
import { isWorking } from "./Text.ts"
import type { PanelName } from "./ThreadPanels.tsx"

const busy = "Not while it works: stop it first"

/** What can be done with a thread beside saying something in it. */
export const ThreadMenu = (props: {
  readonly thread: Thread
  readonly store: Store
  readonly onPanel: (panel: PanelName) => void
  readonly onOpen: (id: string | undefined) => void
}) => {
  const params = () => ({ id: props.thread.id })
  const { attempt } = props.store
  const [pending, setPending] = createSignal(false)
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
  /** Not while it works, but for what changes nothing of what it does. */
  const opens = (
    panel: PanelName,
    text: string,
    more: { readonly always?: true; readonly danger?: true } = {}
  ) => {
    const held = isWorking(props.thread) && more.always !== true
    return {
      text,
      title: held ? busy : undefined,
      disabled: held,
      danger: more.danger === true,
      choose: () => props.onPanel(panel)
    }
  }
  return (
    <Menu
      label="This thread"
      choices={[
        {
          text: "Fork",
          title: isWorking(props.thread)
            ? busy
            : "A new thread that goes on from here; this one stays as it is",
          disabled: isWorking(props.thread) || pending(),
          choose: () => void fork()
        },
        opens("move", "Move…"),
        ...(successorsOf(props.thread, props.store.state.providers).length > 0
          ? [opens("handover", "Hand over…")]
          : []),
        opens("find", "Find in it…", { always: true }),
        opens("changes", "Changed files…", { always: true }),
        opens("details", "Name, model, rules…", { always: true }),
        opens("trust", "Trust…", { always: true }),
        {
          text: "End session",
          title: "Ends the agent's process, and a turn that runs; the conversation stays",
          disabled: pending(),
          choose: () => void stop()
        },
        opens("reset", "Reset…"),
        opens("delete", "Delete…", { danger: true })
      ]}
    />
  )
}
