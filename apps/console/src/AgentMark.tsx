const known: Readonly<Record<string, string>> = { opencode: "Oc", codex: "Cx", claude: "Cl" }

/** Which agent it is, at a glance. */
export const AgentMark = (props: { readonly driver: string; readonly name: string }) => (
  <span class={`agent ${props.driver in known ? props.driver : "other"}`} title={props.name}>
    <span aria-hidden="true">{known[props.driver] ?? props.driver.slice(0, 2)}</span>
    <span class="hidden">{props.name}</span>
  </span>
)
