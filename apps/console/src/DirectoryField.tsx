import type { Directory } from "@rejoin/contracts/Directory"
import { createResource, For, Show } from "solid-js"

/** Where an agent is to work: typed, or chosen step by step among the directories in which threads may work. */
export const DirectoryField = (props: {
  readonly value: string
  readonly known: ReadonlyArray<string>
  readonly look: (path: string | undefined) => Promise<Directory | undefined>
  readonly onChange: (path: string) => void
  /** What is there, for what was typed. */
  readonly onFound: (typed: string, directory: Directory | undefined) => void
}) => {
  // What is typed may be no directory yet: then those that begin so are offered.
  const [found] = createResource(
    () => props.value,
    async (typed) => {
      const directory = await props.look(typed === "" ? undefined : typed)
      props.onFound(typed, directory)
      if (directory !== undefined) return { directory, begins: "" }
      const cut = typed.lastIndexOf("/")
      const above = cut > 0 ? await props.look(typed.slice(0, cut)) : undefined
      return above && { directory: above, begins: typed.slice(cut + 1) }
    }
  )
  const names = () =>
    found.latest?.directory.directories.filter((name) => name.startsWith(found.latest?.begins ?? "")) ?? []
  return (
    <>
      <label for="cwd">Directory</label>
      <input
        id="cwd"
        list="directories"
        required
        autocomplete="off"
        placeholder="/path/to/your/project"
        value={props.value}
        onInput={(event) => props.onChange(event.currentTarget.value)}
      />
      <datalist id="directories">
        <For each={props.known}>{(directory) => <option value={directory} />}</For>
      </datalist>
      <div class="picker" role="group" aria-label="Directories there">
        <Show when={found.latest?.begins === "" ? found.latest.directory.parent : undefined}>
          {(parent) => (
            <button type="button" onClick={() => props.onChange(parent())}>
              ↑ up
            </button>
          )}
        </Show>
        <For each={names()}>
          {(name) => (
            <button
              type="button"
              onClick={() => props.onChange(`${found.latest?.directory.path ?? ""}/${name}`)}
            >
              {name}
            </button>
          )}
        </For>
        <Show when={found.state === "ready" && found.latest === undefined}>
          <span class="mark">There is no such directory, or threads may not work in it (REJOIN_ROOTS).</span>
        </Show>
      </div>
    </>
  )
}
