import { Predicate } from "effect"
import fc from "fast-check"
import { readdirSync, readFileSync } from "node:fs"

/** Every path in a JSON value at which something stands. */
const paths = (value: unknown, at: ReadonlyArray<string> = []): ReadonlyArray<ReadonlyArray<string>> =>
  Predicate.isObject(value) || Array.isArray(value)
    ? [at, ...Object.entries(value).flatMap(([name, inner]) => paths(inner, [...at, name]))]
    : [at]

const replaced = (value: unknown, path: ReadonlyArray<string>, by: unknown): unknown => {
  const [name, ...rest] = path
  if (name === undefined) return by
  if (Array.isArray(value))
    return value.map((inner, i) => (String(i) === name ? replaced(inner, rest, by) : inner))
  if (!Predicate.isObject(value)) return value
  const entries = Object.entries(value).flatMap(([key, inner]) => {
    if (key !== name) return [[key, inner]]
    const next = replaced(inner, rest, by)
    // Left out, as well as replaced.
    return next === undefined ? [] : [[key, next]]
  })
  return Object.fromEntries(entries)
}

/** Anything that JSON can say. */
export const json: fc.Arbitrary<unknown> = fc.jsonValue({ maxDepth: 3 })

/** A JSON value that is right but for one or a few places, at which anything stands, or nothing. */
export const mutated = (value: unknown): fc.Arbitrary<unknown> => {
  const all = paths(value)
  const change = fc.tuple(
    fc.constantFrom(...all),
    fc.oneof(json, fc.constant(undefined), fc.constant("9".repeat(400)), fc.constant(-1), fc.constant(1e308))
  )
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) => changes.reduce((whole: unknown, [path, by]) => replaced(whole, path, by), value))
}

/** A text that is cut, or has something else in it: half a line, garbage, what is no JSON. */
export const torn = (text: string): fc.Arbitrary<string> =>
  fc
    .tuple(fc.nat(text.length), fc.nat(text.length), fc.string())
    .map(([from, to, other]) =>
      from < to ? text.slice(0, from) + other + text.slice(to) : text.slice(0, from) + other
    )

/** The recordings in a directory: of each file, its lines. */
export const recordingsIn = (directory: URL): ReadonlyArray<ReadonlyArray<unknown>> =>
  readdirSync(directory)
    .filter((name) => name.endsWith(".jsonl"))
    .map((name) =>
      readFileSync(new URL(name, directory), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown)
    )

/** One of the recordings, with a line here and there that is not as it should be. */
export const disturbed = (
  recordings: ReadonlyArray<ReadonlyArray<unknown>>
): fc.Arbitrary<ReadonlyArray<unknown>> =>
  fc
    .constantFrom(...recordings)
    .chain((lines) =>
      fc.tuple(
        ...lines.map((line) =>
          fc.oneof({ weight: 9, arbitrary: fc.constant(line) }, { weight: 1, arbitrary: mutated(line) })
        )
      )
    )
