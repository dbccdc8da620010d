import type { Thread } from "@rejoin/contracts/Thread"
import { createResource, createSignal, For, Show } from "solid-js"
import { Panel } from "./Panel.tsx"
import type { Store } from "./Store.ts"
import { baseOf } from "./Text.ts"

/** Where a conversation can be carried to: a worktree of its repository, a new one, or any directory. */
export const MovePanel = (props: {
  readonly thread: Thread
  readonly store: Store
  readonly onClose: () => void
}) => {
  const { attempt, look } = props.store
  const params = () => ({ id: props.thread.id })
  const [directory, setDirectory] = createSignal("")
  const [branch, setBranch] = createSignal("")
  const [moves, setMoves] = createSignal(false)
  const [here] = createResource(() => props.thread.cwd, look)
  const others = () => here.latest?.worktrees.filter(({ path }) => path !== props.thread.cwd) ?? []
  /** Beside the repository's first checkout, named after both. */
  const placeOf = (name: string) =>
    `${here.latest?.worktrees[0]?.path ?? props.thread.cwd}-${name.replaceAll("/", "-")}`

  const busy = async (body: () => Promise<unknown>) => {
    if (moves()) return
    setMoves(true)
    const done = await body()
    setMoves(false)
    if (done !== undefined) props.onClose()
  }
  const moveTo = (cwd: string) =>
    attempt((client) => client.sessions.move({ params: params(), payload: { cwd } }))
  const move = (cwd: string) => busy(() => moveTo(cwd))
  const create = (name: string) =>
    busy(async () => {
      const payload = { repository: props.thread.cwd, path: placeOf(name), branch: name }
      const made = await attempt((client) => client.directories.addWorktree({ payload }))
      return made && moveTo(made.path)
    })

  return (
    <Panel label="Move" onClose={props.onClose}>
      <p>
        The conversation goes on in another directory, from the next message on. Files stay where they are,
        changes that are not committed too.
      </p>
      <Show when={others().length > 0}>
        <div class="row">
          <span>To a worktree:</span>
          <For each={others()}>
            {(worktree) => (
              <button
                type="button"
                disabled={moves()}
                title={worktree.path}
                onClick={() => void move(worktree.path)}
              >
                {worktree.branch ?? baseOf(worktree.path)}
              </button>
            )}
          </For>
        </div>
      </Show>
      <Show when={here.latest?.worktrees.length}>
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault()
            void create(branch().trim())
          }}
        >
          <label for="branch">To a new worktree, on a new branch</label>
          <input
            id="branch"
            required
            pattern="[\w.][\w.\-\/]*"
            title="Letters, digits, and . _ / -"
            autocomplete="off"
            value={branch()}
            placeholder="fix-login"
            onInput={(event) => setBranch(event.currentTarget.value)}
          />
          <button type="submit" disabled={moves()}>
            Create and move
          </button>
          <Show when={branch().trim()}>
            {(name) => (
              <span class="mark">
                in <code>{placeOf(name())}</code>
              </span>
            )}
          </Show>
        </form>
      </Show>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault()
          void move(directory().trim())
        }}
      >
        <label for="directory">To a directory</label>
        <input
          id="directory"
          required
          value={directory()}
          placeholder={props.thread.cwd}
          onInput={(event) => setDirectory(event.currentTarget.value)}
        />
        <button type="submit" disabled={moves()}>
          Move
        </button>
      </form>
      <Show when={moves()}>
        <p role="status">Moving, and reading back where it is…</p>
      </Show>
    </Panel>
  )
}
