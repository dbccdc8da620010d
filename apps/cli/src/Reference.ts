import { Effect, Layer, Option } from "effect"
import { CliOutput, Command, type HelpDoc } from "effect/cli"
import { commands } from "./Commands.ts"
import { Connection } from "./Connection.ts"
import { version } from "./Version.ts"

/** What the command says of itself, where it is asked for. */
const helpOf = Effect.fnUntraced(function* (...path: ReadonlyArray<string>) {
  let told: HelpDoc.HelpDoc | undefined
  const hears = CliOutput.layerPresenter({
    present: (event) =>
      Effect.sync(() => {
        if (event._tag === "Help") told = event.helpDoc
      })
  })
  yield* Command.runWith(commands, { version })([...path, "--help"]).pipe(
    Effect.provide(Layer.merge(Connection.layer, hears)),
    Effect.scoped,
    Effect.ignore
  )
  return told ?? (yield* Effect.die(`There is no help on ${path.join(" ")}.`))
})

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ")

const flagRow = ({ aliases, description, name, type }: HelpDoc.FlagDoc) => {
  const names = [
    `--${name}`,
    ...aliases.map((alias) => (alias.length > 1 ? `--${alias}` : `-${alias}`).replace(/^-+(?=-)/, ""))
  ]
  const value = type === "boolean" ? "" : ` ${type}`
  return `| \`${cell(names.join(", ") + value)}\` | ${cell(Option.getOrElse(description, () => ""))} |`
}

const argumentRow = ({ description, name, required, variadic }: HelpDoc.ArgDoc) => {
  const shown = `${required ? `<${name}>` : `[${name}]`}${variadic ? "…" : ""}`
  return `| \`${cell(shown)}\` | ${cell(Option.getOrElse(description, () => ""))} |`
}

const sectionOf = (name: string, doc: HelpDoc.HelpDoc): string => {
  const rows = [...(doc.args ?? []).map(argumentRow), ...doc.flags.map(flagRow)]
  return [
    `### rejoin ${name}`,
    `${doc.description}.`,
    `\`\`\`\n${doc.usage}\n\`\`\``,
    ...(rows.length === 0 ? [] : [["| | |", "| --- | --- |", ...rows].join("\n")])
  ].join("\n\n")
}

/** Every command with what it takes, as `docs/reference.md` has it. */
export const reference = Effect.gen(function* () {
  const whole = yield* helpOf()
  const groups = yield* Effect.forEach(whole.subcommands ?? [], ({ commands, group }) =>
    Effect.map(
      Effect.forEach(commands, ({ name }) => Effect.map(helpOf(name), (doc) => sectionOf(name, doc))),
      (sections) => [`## ${group ?? "Commands"}`, ...sections].join("\n\n")
    )
  )
  return (
    [
      "# Every command, and what it takes",
      "Made from the command itself by `pnpm reference`. How it is used stands in [the command](cli.md). All take `--json`, which prints JSON for programs, and `--help`.",
      ...groups
    ].join("\n\n") + "\n"
  )
})
