import { countedText } from "@rejoin/shown/Changes"
import { visible } from "@rejoin/shown/Visible"
import { createResource, createSignal, For, Show } from "solid-js"
import { Diff } from "./Diff.tsx"
import { Panel } from "./Panel.tsx"
import type { Store } from "./Store.ts"

/** What the thread's checkout has beside its last commit, whoever made it: read anew whenever it is asked for. */
export const ChangesPanel = (props: {
  readonly cwd: string
  readonly store: Store
  readonly onClose: () => void
}) => {
  const [tree, { refetch }] = createResource(
    () => props.cwd,
    (path) => props.store.attempt((client) => client.directories.changes({ query: { path } }))
  )
  return (
    <Panel label="Changed files" onClose={props.onClose}>
      <div class="row">
        <strong>Not committed here</strong>
        <button type="button" class="small" disabled={tree.loading} onClick={() => void refetch()}>
          Look again
        </button>
      </div>
      <Show
        when={tree.latest}
        fallback={<p class="mark">{tree.loading ? "Looking…" : "It cannot be read."}</p>}
      >
        {(tree) => (
          <>
            <Show when={tree().root === null}>
              <p class="mark">
                This directory is in no git repository, or git cannot be asked: its changes cannot be told.
              </p>
            </Show>
            <Show when={tree().root !== null && tree().files.length === 0}>
              <p class="mark">Nothing: all is as it was committed.</p>
            </Show>
            <div class="files">
              <For each={tree().files}>
                {(file) => {
                  const [open, setOpen] = createSignal(tree().files.length === 1)
                  return (
                    <details
                      class="line"
                      open={open()}
                      onToggle={(event) => setOpen(event.currentTarget.open)}
                    >
                      <summary>
                        <code class="what">{visible(file.path)}</code>
                        <span class="mark">
                          {file.status === "modified" ? "" : `${file.status} `}
                          {countedText({ added: file.added ?? 0, removed: file.removed ?? 0 })}
                        </span>
                      </summary>
                      {/* Drawn when it is looked at: there may be hundreds. */}
                      <Show when={open()}>
                        <Show when={file.diff !== ""} fallback={<p class="mark">No text to show.</p>}>
                          <Diff text={file.diff} />
                        </Show>
                      </Show>
                    </details>
                  )
                }}
              </For>
            </div>
            <Show when={tree().truncated}>
              <p class="mark">There is more than is shown here.</p>
            </Show>
          </>
        )}
      </Show>
    </Panel>
  )
}
