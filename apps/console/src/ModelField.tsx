import { createResource, For } from "solid-js"
import type { Store } from "./Store.ts"

/** A model by the agent's own name: those that it tells are offered, and any other can be typed. */
export const ModelField = (props: {
  readonly id: string
  readonly store: Store
  readonly provider: string
  readonly value: string
  readonly onChange: (model: string) => void
  readonly required?: boolean
  readonly disabled?: boolean
}) => {
  const [models] = createResource(() => props.provider || undefined, props.store.models)
  const own = () => models()?.find((model) => model.default === true)?.id
  return (
    <>
      <input
        id={props.id}
        list={`${props.id}-known`}
        required={props.required === true}
        disabled={props.disabled === true}
        placeholder={own() ?? "the agent's own choice"}
        value={props.value}
        onInput={(event) => props.onChange(event.currentTarget.value)}
      />
      <datalist id={`${props.id}-known`}>
        <For each={models()}>{({ id, name }) => <option value={id}>{name}</option>}</For>
      </datalist>
    </>
  )
}
