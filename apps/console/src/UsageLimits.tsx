import { visible } from "@rejoin/shown/Visible"
import { createResource, For, Show } from "solid-js"
import type { Store } from "./Store.ts"
import { soonText } from "./Text.ts"

/** Of limits that have no name of the agent's own. */
const names: Readonly<Record<string, string>> = {
  retry: "Its model asked to wait",
  requests: "Too many requests"
}

/** How much of what an agent's account may use is used, as far as the agent has told. */
export const UsageLimits = (props: { readonly provider: string; readonly store: Store }) => {
  const [limits] = createResource(
    () => props.provider,
    async (provider) => {
      const told = await props.store.ask((client) => client.providers.list())
      return told?.items.find(({ id }) => id === provider)?.limits
    }
  )
  return (
    <Show when={limits.latest}>
      {(known) => (
        <section aria-label="Usage limits">
          <h3>Usage of {visible(props.provider)}</h3>
          <ul class="limits">
            <For each={known().windows}>
              {(window) => (
                <li>
                  {names[window.scope] ?? visible(window.scope.replaceAll("_", " "))}
                  <Show when={window.used !== null && window.used}>
                    {(used) => <>: {Math.round(used() * 100)} % used</>}
                  </Show>
                  <Show when={window.resetsAt}>
                    {(at) => (
                      <>
                        , until <time dateTime={at()}>{soonText(at())}</time>
                      </>
                    )}
                  </Show>
                </li>
              )}
            </For>
          </ul>
        </section>
      )}
    </Show>
  )
}
