import type { DirectoryBrings } from "@rejoin/contracts/Trust"
import { visible } from "@rejoin/shown/Visible"
import { createResource, For, Show } from "solid-js"
import { Panel } from "./Panel.tsx"
import type { Store } from "./Store.ts"

/** What a directory brings for the agents, to be looked at and trusted, or trusted no longer. */
export const TrustPanel = (props: {
  readonly cwd: string
  readonly store: Store
  readonly onClose: () => void
}) => {
  const [brings, { refetch }] = createResource(
    () => props.cwd,
    (path) => props.store.attempt((client) => client.directories.brings({ query: { path } }))
  )
  const trust = async ({ found, path }: DirectoryBrings) => {
    // Just what is shown: where it is something else by now, the server refuses.
    const payload = { path, hashes: found.map(({ hash }) => hash) }
    const done = await props.store.attempt((client) => client.directories.trust({ payload }))
    if (done !== undefined) props.onClose()
    else void refetch()
  }
  const distrust = async ({ path }: DirectoryBrings) => {
    await props.store.attempt((client) => client.directories.distrust({ query: { path } }))
    props.onClose()
  }
  return (
    <Panel label="What this directory brings" onClose={props.onClose}>
      <Show when={brings()} fallback={<p class="mark">Looking…</p>}>
        {(brings) => (
          <>
            <p>
              <code>{visible(brings().path)}</code>{" "}
              {brings().found.length === 0
                ? "brings nothing that would run code, choose an endpoint or widen what an agent may do."
                : brings().trusted
                  ? "is trusted with this:"
                  : "brings this, which agents do not load until you trust it:"}
            </p>
            <ul>
              <For each={brings().found}>
                {({ agent, file, what }) => (
                  <li>
                    <code>{visible(file)}</code> <span class="mark">{visible(`${agent}: ${what}`)}</span>
                  </li>
                )}
              </For>
            </ul>
            <div class="buttons">
              <Show when={brings().found.length > 0 && !brings().trusted}>
                <button class="primary" onClick={() => void trust(brings())}>
                  I have looked at it: trust it
                </button>
              </Show>
              <Show when={brings().trusted && brings().found.length > 0}>
                <button onClick={() => void distrust(brings())}>Trust it no longer</button>
              </Show>
              <button onClick={() => props.onClose()}>Close</button>
            </div>
          </>
        )}
      </Show>
    </Panel>
  )
}
