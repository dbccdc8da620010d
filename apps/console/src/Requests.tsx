import type { Answer } from "@rejoin/contracts/Request"
import type { PendingRequest, UserInput } from "@rejoin/contracts/Request"
import { createSignal, For, Show } from "solid-js"
import { visible } from "@rejoin/shown/Visible"
import { Diff } from "./Diff.tsx"

/** Questions, each answered by what is chosen, or by one's own words. */
const Questions = (props: {
  readonly id: string
  readonly ask: UserInput
  readonly onAnswer: (answer: Answer) => void
}) => {
  const none = props.ask.questions.map((): ReadonlyArray<string> => [])
  const [chosen, setChosen] = createSignal<ReadonlyArray<ReadonlyArray<string>>>(none)
  const [own, setOwn] = createSignal<ReadonlyArray<string>>(props.ask.questions.map(() => ""))
  const choose = (at: number, label: string, multiple: boolean) =>
    setChosen((all) =>
      all.map((before, i) => {
        if (i !== at) return before
        if (!multiple) return [label]
        return before.includes(label) ? before.filter((other) => other !== label) : [...before, label]
      })
    )
  const answers = () =>
    props.ask.questions.map(({ multiple }, i) => {
      const text = own()[i]?.trim() ?? ""
      if (text === "") return chosen()[i] ?? []
      return multiple === true ? [...(chosen()[i] ?? []), text] : [text]
    })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        props.onAnswer({ answers: answers() })
      }}
    >
      <For each={props.ask.questions}>
        {(question, i) => (
          <fieldset>
            <legend>{visible(question.question)}</legend>
            <For each={question.options}>
              {(option) => (
                <label>
                  <input
                    type={question.multiple === true ? "checkbox" : "radio"}
                    name={`${props.id}-${i()}`}
                    onChange={() => choose(i(), option.label, question.multiple === true)}
                  />{" "}
                  {visible(option.label)} <span class="mark">{visible(option.description ?? "")}</span>
                </label>
              )}
            </For>
            <input
              aria-label={`${question.question} In your own words`}
              placeholder={question.options.length > 0 ? "Or in your own words" : "Your answer"}
              value={own()[i()] ?? ""}
              onInput={(event) => {
                const text = event.currentTarget.value
                setOwn((all) => all.map((before, at) => (at === i() ? text : before)))
              }}
            />
          </fieldset>
        )}
      </For>
      <div class="buttons">
        <button type="submit" class="primary" disabled={answers().some((all) => all.length === 0)}>
          Answer
        </button>
        <button type="button" onClick={() => props.onAnswer({ decision: "cancel" })}>
          End the turn
        </button>
      </div>
    </form>
  )
}

/** No, and why: the agent goes on with what is said to it. */
const Declining = (props: { readonly onDecline: (message: string) => void }) => {
  const [why, setWhy] = createSignal("")
  return (
    <form
      class="declining"
      onSubmit={(event) => {
        event.preventDefault()
        props.onDecline(why().trim())
      }}
    >
      <button type="submit">Decline</button>
      <input
        aria-label="Why not, or what instead"
        placeholder="Why not, or what instead"
        value={why()}
        onInput={(event) => setWhy(event.currentTarget.value)}
      />
    </form>
  )
}

/** What the agent waits for, to be answered in place. */
export const Requests = (props: {
  readonly requests: ReadonlyArray<PendingRequest>
  /** Whether an answer can be remembered: a device's is not. */
  readonly remembers: boolean
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
                The agent wants to use <strong>{visible(ask().permission)}</strong>:
              </p>
              {/* Exactly what will run: its blanks and line ends too. */}
              <pre class="asked">{visible(ask().command ?? ask().title)}</pre>
              <For
                each={(ask().paths ?? []).filter((path) => !(ask().command ?? ask().title).includes(path))}
              >
                {(path) => <p class="mark">{visible(path)}</p>}
              </For>
              <Show when={ask().diff}>{(diff) => <Diff text={diff()} />}</Show>
              <div class="buttons">
                <button class="primary" onClick={() => props.onAnswer(request.id, { decision: "accept" })}>
                  Allow
                </button>
                <Show when={props.remembers && ask().covers}>
                  <button
                    title="Not asked for in this thread again, until “Name, model, rules…” takes it back"
                    onClick={() => props.onAnswer(request.id, { decision: "accept", remember: "thread" })}
                  >
                    {ask().paths === undefined
                      ? "Always allow this here"
                      : "Always allow changes to this file here"}
                  </button>
                </Show>
                <Declining
                  onDecline={(message) =>
                    props.onAnswer(request.id, { decision: "decline", ...(message !== "" && { message }) })
                  }
                />
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
