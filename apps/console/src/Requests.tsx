import type { Answer } from "@rejoin/contracts/Request"
import type { PendingRequest, UserInput } from "@rejoin/contracts/Request"
import { createSignal, For, Show } from "solid-js"
import { Diff } from "./Diff.tsx"

const Questions = (props: {
  readonly id: string
  readonly ask: UserInput
  readonly onAnswer: (answer: Answer) => void
}) => {
  const [chosen, setChosen] = createSignal<ReadonlyArray<ReadonlyArray<string>>>(
    props.ask.questions.map(() => [])
  )
  const choose = (at: number, label: string, multiple: boolean) =>
    setChosen((all) =>
      all.map((own, i) => {
        if (i !== at) return own
        if (!multiple) return [label]
        return own.includes(label) ? own.filter((other) => other !== label) : [...own, label]
      })
    )
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        props.onAnswer({ answers: chosen() })
      }}
    >
      <For each={props.ask.questions}>
        {(question, i) => (
          <fieldset>
            <legend>{question.question}</legend>
            <For each={question.options}>
              {(option) => (
                <label>
                  <input
                    type={question.multiple === true ? "checkbox" : "radio"}
                    name={`${props.id}-${i()}`}
                    onChange={() => choose(i(), option.label, question.multiple === true)}
                  />{" "}
                  {option.label} <span class="mark">{option.description}</span>
                </label>
              )}
            </For>
          </fieldset>
        )}
      </For>
      <button type="submit" class="primary" disabled={chosen().some((own) => own.length === 0)}>
        Answer
      </button>
      <button type="button" onClick={() => props.onAnswer({ decision: "cancel" })}>
        End the turn
      </button>
    </form>
  )
}

/** What the agent waits for, to be answered in place. */
export const Requests = (props: {
  readonly requests: ReadonlyArray<PendingRequest>
  readonly onAnswer: (id: string, answer: Answer) => void
}) => (
  <For each={props.requests}>
    {(request) => (
      <section class="request" role="group" aria-label="The agent asks">
        <Show
          when={request.ask.kind === "approval" ? request.ask : undefined}
          fallback={
            <Show when={request.ask.kind === "user-input" ? request.ask : undefined}>
              {(ask) => (
                <Questions
                  id={request.id}
                  ask={ask()}
                  onAnswer={(answer) => props.onAnswer(request.id, answer)}
                />
              )}
            </Show>
          }
        >
          {(ask) => (
            <>
              <p>
                The agent wants to use <strong>{ask().permission}</strong>:{" "}
                <code>{ask().command ?? ask().title}</code>
              </p>
              <Show when={ask().diff}>{(diff) => <Diff text={diff()} />}</Show>
              <div class="buttons">
                <button class="primary" onClick={() => props.onAnswer(request.id, { decision: "accept" })}>
                  Allow
                </button>
                <button onClick={() => props.onAnswer(request.id, { decision: "decline" })}>Decline</button>
                <button onClick={() => props.onAnswer(request.id, { decision: "cancel" })}>
                  Decline and end the turn
                </button>
              </div>
            </>
          )}
        </Show>
      </section>
    )}
  </For>
)
