import type { Rule } from "@rejoin/contracts/Rule"
import type { Thread } from "@rejoin/contracts/Thread"
import { visible } from "@rejoin/shown/Visible"
import { createResource, For, Show } from "solid-js"
import type { Store } from "./Store.ts"

/** What is allowed or declined in a thread without asking, each to be taken back. */
export const RuleList = (props: { readonly thread: Thread; readonly store: Store }) => {
  const [rules, { refetch }] = createResource(
    () => props.thread.id,
    async (thread): Promise<ReadonlyArray<Rule>> =>
      (await props.store.ask((client) => client.rules.list({ query: { thread } })))?.items ?? []
  )
  const revoke = async ({ id }: Rule) => {
    await props.store.attempt((client) => client.rules.remove({ params: { id } }))
    await refetch()
  }
  return (
    <Show when={(rules() ?? []).length > 0}>
      <h3>Not asked for</h3>
      <ul class="rules">
        <For each={rules()}>
          {(rule) => (
            <li>
              <span>
                {rule.decision === "accept" ? "Allowed" : "Declined"}: {visible(rule.tool)}{" "}
                <code>{visible(rule.pattern)}</code>
                <span class="mark">{"project" in rule.scope && ` in all of ${rule.scope.project}`}</span>
              </span>
              <button type="button" onClick={() => void revoke(rule)}>
                Ask again
              </button>
            </li>
          )}
        </For>
      </ul>
    </Show>
  )
}
