import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Thread } from "@rejoin/contracts/Thread"
import { createResource, createSignal, For, Show } from "solid-js"
import type { Store } from "./Store.ts"

/** What can be done with a thread beside saying something in it. */
export const Actions = (props: {
  readonly thread: Thread
  readonly store: Store
  readonly onOpen: (id: string) => void
}) => {
  const [moving, setMoving] = createSignal(false)
  const [directory, setDirectory] = createSignal("")
  const params = () => ({ id: props.thread.id })
  const { attempt, look } = props.store
  const [here] = createResource(
    () => moving() && props.thread.cwd,
    (cwd) => look(cwd)
  )
  const [branch, setBranch] = createSignal("")
  /** Beside the repository's first checkout, named after both. */
  const placeOf = (name: string) =>
    `${here()?.worktrees[0]?.path ?? props.thread.cwd}-${name.replaceAll("/", "-")}`
  const create = async () => {
    const name = branch().trim()
    if (name === "") return
    const made = await attempt((client) =>
      client.directories.addWorktree({
        payload: { repository: props.thread.cwd, path: placeOf(name), branch: name }
      })
    )
    if (made === undefined) return
    setBranch("")
    await move(made.path)
  }
  const others = () => here()?.worktrees.filter(({ path }) => path !== props.thread.cwd) ?? []

  const move = async (to: string) => {
    const cwd = to.trim()
    if (cwd === "") return
    const receipt = await attempt((client) => client.sessions.move({ params: params(), payload: { cwd } }))
    if (receipt === undefined) return
    setMoving(false)
    setDirectory("")
  }
  const fork = async () => {
    const forked = await attempt((client) => client.sessions.fork({ params: params(), payload: {} }))
    if (forked !== undefined) props.onOpen(forked.id)
  }
  return (
    <div class="actions" role="toolbar" aria-label="This thread">
      <label>
        <span class="hidden">Mode</span>
        <select
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
      <button onClick={() => setMoving((is) => !is)} aria-expanded={moving()}>
        Move…
      </button>
      <button onClick={() => void fork()}>Fork</button>
      <button onClick={() => void attempt((client) => client.sessions.stop({ params: params() }))}>
        Stop
      </button>
      <button
        title="The next message starts anew; the old session is kept"
        onClick={() => void attempt((client) => client.sessions.reset({ params: params() }))}
      >
        Reset
      </button>
      <Show when={moving()}>
        <form
          class="move"
          onSubmit={(event) => {
            event.preventDefault()
            void move(directory())
          }}
        >
          <label for="directory">Directory, for example another worktree</label>
          <input
            id="directory"
            value={directory()}
            placeholder={props.thread.cwd}
            onInput={(event) => setDirectory(event.currentTarget.value)}
          />
          <button type="submit" class="primary">
            Move here
          </button>
          <For each={others()}>
            {(worktree) => (
              <button type="button" onClick={() => void move(worktree.path)}>
                {worktree.branch ?? worktree.path}
              </button>
            )}
          </For>
        </form>
        <Show when={here()?.worktrees.length}>
          <form
            class="move"
            onSubmit={(event) => {
              event.preventDefault()
              void create()
            }}
          >
            <label for="branch">Or a new worktree, on a new branch</label>
            <input
              id="branch"
              value={branch()}
              placeholder="feature/…"
              onInput={(event) => setBranch(event.currentTarget.value)}
            />
            <button type="submit">Create and move</button>
          </form>
        </Show>
      </Show>
    </div>
  )
}
