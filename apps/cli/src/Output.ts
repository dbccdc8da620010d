import { Console, Effect } from "effect"
import { root } from "./Root.ts"

/** Prints what was found: as JSON where it is wanted, else as `text` has it for people. */
export const print = <A>(value: A, text: (value: A) => string) =>
  Effect.flatMap(root, ({ json }) => Console.log(json ? JSON.stringify(value) : text(value)))
