import { isKnown } from "@rejoin/contracts/Fact"
import type { Check, Receipt, ResumeOutcome } from "@rejoin/contracts/Receipt"
import type { ForkedFrom, Usage } from "@rejoin/contracts/Thread"
import { For, Show } from "solid-js"
import { visible } from "@rejoin/shown/Visible"
import { carriedText, leftOutText, outcomes, restoredText, undoneText } from "@rejoin/shown/Words"
import { isAnother } from "./Conversation.ts"
import { Icon } from "./Icon.tsx"
import { timeOf } from "./Text.ts"

/** What a start means for a reader of the conversation. */
const said: Readonly<Record<ResumeOutcome, string>> = {
  ...outcomes,
  forked: "Went on as a fork of the session, with all that was said",
  moved: "Went on in another directory, with all that was said",
  rehydrated: "The agent had lost the session: restored from our copy",
  replaced: "Began anew: the agent knows nothing of what was said above"
}

/** What stands between what was said before a start and after it. */
export const noteOf = (receipt: Receipt): string => {
  const { ahead = 0, carried, imported = 0, outcome, restored, undone = 0 } = receipt
  if (carried !== undefined) {
    const left = leftOutText(carried)
    return `Went on with another agent, which has what was said as its own history${left && ` without ${left}`}`
  }
  if (restored !== undefined) return restoredText(restored)
  if (undone > 0) return undoneText(undone)
  if (isAnother(receipt)) return "Went on in another session, which was begun in the agent's own interface"
  if (outcome === "moved" || outcome === "forked")
    return `${said[outcome]}, in ${visible(receipt.cwdRequested)}`
  if (outcome !== "adopted" || ahead === 0) return said[outcome]
  const many = ahead === 1 ? "1 message was" : `${ahead} messages were`
  return `${many} said in the agent's own interface: ${imported >= ahead ? "above" : "the agent knows them, they are not shown here"}`
}

const names: Readonly<Record<Check["what"], string>> = {
  cwd: "directory",
  mode: "mode",
  model: "model",
  history: "history"
}

/** What was found last of each thing: a start asks for the same more than once. */
const lastOf = (checks: ReadonlyArray<Check>): ReadonlyArray<Check> => [
  ...new Map(checks.map((check) => [check.what, check])).values()
]

/** What was asked, what was found, and whether that is the same. */
const Checks = (props: { readonly checks: ReadonlyArray<Check> }) => (
  <table>
    <thead>
      <tr>
        <th scope="col">checked</th>
        <th scope="col">asked</th>
        <th scope="col">read back</th>
      </tr>
    </thead>
    <tbody>
      <For each={lastOf(props.checks)}>
        {({ asked, found, what }) => (
          <tr>
            <th scope="row">{names[what]}</th>
            <td>{visible(asked ?? "–")}</td>
            <td>{isKnown(found) ? visible(found.value) : "not told"}</td>
          </tr>
        )}
      </For>
    </tbody>
  </table>
)

/** Each thing that was asked for, with a sign whether it was found so. */
const Signs = (props: { readonly checks: ReadonlyArray<Check> }) => (
  <p class="signs">
    <For each={lastOf(props.checks).filter(({ asked, found }) => asked !== null || isKnown(found))}>
      {({ asked, found, what }) => {
        const sign = !isKnown(found) ? "?" : asked === null || asked === found.value ? "✓" : "≠"
        return (
          <span class={sign === "≠" ? "error" : ""}>
            {names[what]} {sign}
          </span>
        )
      }}
    </For>
  </p>
)

const ReceiptView = (props: { readonly receipt: Receipt }) => (
  <li class={`receipt ${props.receipt.outcome}`} data-outcome={props.receipt.outcome}>
    <h3>
      {outcomes[props.receipt.outcome]}
      <Show when={props.receipt.verification !== "complete" && props.receipt.outcome !== "refused"}>
        <span class="mark"> ({props.receipt.verification})</span>
      </Show>
    </h3>
    <time dateTime={props.receipt.at}>{timeOf(props.receipt.at)}</time>
    <Show when={props.receipt.checks.length > 0}>
      <Signs checks={props.receipt.checks} />
    </Show>
    <Show when={props.receipt.reason}>
      <p>{visible(props.receipt.reason ?? "")}</p>
    </Show>
    <Show when={props.receipt.error?.hint}>
      <p>{visible(props.receipt.error?.hint ?? "")}</p>
    </Show>
    <dl>
      <dt>directory</dt>
      <dd>{visible(props.receipt.cwdVerified ?? `${props.receipt.cwdRequested} (not read back)`)}</dd>
      <dt>mode</dt>
      <dd>{props.receipt.runtimeModeVerified ?? `${props.receipt.runtimeModeRequested} (not read back)`}</dd>
      <Show when={props.receipt.carried}>
        {(carried) => (
          <>
            <dt>carried</dt>
            <dd>{carriedText(carried())}</dd>
          </>
        )}
      </Show>
    </dl>
    <Show when={props.receipt.checks.length > 0 || props.receipt.evidence}>
      <details>
        <summary>What was checked</summary>
        <Show when={props.receipt.providerSessionIdBefore !== props.receipt.providerSessionIdAfter}>
          <p class="mark">
            session {props.receipt.providerSessionIdBefore ?? "none"} →{" "}
            {props.receipt.providerSessionIdAfter ?? "none"}
          </p>
        </Show>
        <Show when={props.receipt.checks.length > 0}>
          <Checks checks={props.receipt.checks} />
        </Show>
        <Show when={props.receipt.evidence}>
          <pre class="output" tabindex="0">
            {visible(JSON.stringify(props.receipt.evidence, null, 2))}
          </pre>
        </Show>
      </details>
    </Show>
  </li>
)

/** The thread's life: what each start did with the conversation, and what was verified. */
export const Receipts = (props: {
  readonly receipts: ReadonlyArray<Receipt>
  readonly forkedFrom: ForkedFrom | undefined
  readonly usage: Usage
  readonly onClose: () => void
}) => (
  <section class="receipts" aria-label="Continuity">
    <div class="head">
      <h2>What each start did with this conversation</h2>
      <button class="plain" aria-label="Close" onClick={() => props.onClose()}>
        <Icon name="close" />
      </button>
    </div>
    <ol>
      <For each={props.receipts} fallback={<li class="mark">It was not started yet.</li>}>
        {(receipt) => <ReceiptView receipt={receipt} />}
      </For>
      <Show when={props.forkedFrom}>
        {(origin) => (
          <li class="receipt">
            Forked from <a href={`#/${origin().threadId}`}>another thread</a>
          </li>
        )}
      </Show>
    </ol>
    <Show when={props.usage.inputTokens + props.usage.outputTokens > 0}>
      <p class="mark" title="Over all turns, as the agent reckons them">
        {props.usage.inputTokens.toLocaleString()} tokens in, {props.usage.outputTokens.toLocaleString()} out
        <Show when={props.usage.costUsd > 0}>, ${props.usage.costUsd.toFixed(2)}</Show>
      </p>
    </Show>
  </section>
)
