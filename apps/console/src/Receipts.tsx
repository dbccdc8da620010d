import { isKnown } from "@rejoin/contracts/Fact"
import type { Receipt } from "@rejoin/contracts/Receipt"
import { For, Show } from "solid-js"
import { timeOf } from "./Text.ts"

const words: Readonly<Record<Receipt["outcome"], string>> = {
  created: "Created",
  adopted: "Went on",
  forked: "Carried over as a fork",
  moved: "Moved",
  rehydrated: "Restored from our transcript",
  replaced: "Began anew",
  "handed-over": "Handed over",
  refused: "Refused"
}

/** Those that a reader must not miss: the conversation is not what it was, or did not go on. */
export const isAlarming = ({ outcome }: Receipt): boolean => outcome === "replaced" || outcome === "refused"

/** What was asked, what was found, and whether that is the same. */
const Checks = (props: { readonly receipt: Receipt }) => (
  <table>
    <thead>
      <tr>
        <th scope="col">checked</th>
        <th scope="col">asked</th>
        <th scope="col">read back</th>
      </tr>
    </thead>
    <tbody>
      <For each={props.receipt.checks}>
        {({ asked, found, what }) => (
          <tr>
            <th scope="row">{what}</th>
            <td>{asked ?? "–"}</td>
            <td>{isKnown(found) ? found.value : "not told"}</td>
          </tr>
        )}
      </For>
    </tbody>
  </table>
)

/** The thread's life: what each start did with the conversation, and what was verified. */
export const Receipts = (props: { readonly receipts: ReadonlyArray<Receipt> }) => (
  <section class="receipts" aria-label="Continuity">
    <h2>Continuity</h2>
    <ol>
      <For each={props.receipts}>
        {(receipt) => (
          <li class={`receipt ${receipt.outcome}`} data-outcome={receipt.outcome}>
            <h3>
              {words[receipt.outcome]}
              <Show when={receipt.verification !== "complete" && receipt.outcome !== "refused"}>
                <span class="mark"> ({receipt.verification})</span>
              </Show>
            </h3>
            <time dateTime={receipt.at}>{timeOf(receipt.at)}</time>
            <Show when={receipt.reason}>
              <p>{receipt.reason}</p>
            </Show>
            <Show when={receipt.error?.hint}>
              <p>{receipt.error?.hint}</p>
            </Show>
            <dl>
              <dt>directory</dt>
              <dd>{receipt.cwdVerified ?? `${receipt.cwdRequested} (not read back)`}</dd>
              <dt>powers</dt>
              <dd>{receipt.runtimeModeVerified ?? `${receipt.runtimeModeRequested} (not read back)`}</dd>
              <Show when={receipt.providerSessionIdBefore !== receipt.providerSessionIdAfter}>
                <dt>session</dt>
                <dd>
                  {receipt.providerSessionIdBefore ?? "none"} → {receipt.providerSessionIdAfter ?? "none"}
                </dd>
              </Show>
            </dl>
            <details>
              <summary>Evidence</summary>
              <Checks receipt={receipt} />
              <pre class="output" tabindex="0">
                {JSON.stringify(receipt.evidence, null, 2)}
              </pre>
            </details>
          </li>
        )}
      </For>
    </ol>
  </section>
)
