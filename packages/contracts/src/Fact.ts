import { Schema } from "effect"

/** Why a fact is not known: the upstream does not tell, cannot tell yet, or has no such thing. */
export const Unknown = Schema.Struct({ unknown: Schema.Literals(["not-told", "not-yet", "not-applicable"]) })
export type Unknown = typeof Unknown.Type

/** Something read back from the upstream and where it was read, or why it is not known. */
export const fact = <S extends Schema.Top>(value: S) =>
  Schema.Union([Schema.Struct({ value, by: Schema.Literals(["store", "answer", "hook", "tool"]) }), Unknown])

export type Fact<A> = { readonly value: A; readonly by: "store" | "answer" | "hook" | "tool" } | Unknown

export const known = <A>(value: A, by: "store" | "answer" | "hook" | "tool"): Fact<A> => ({ value, by })

export const unknown = (why: Unknown["unknown"]): Unknown => ({ unknown: why })

export const isKnown = <A>(self: Fact<A>): self is Extract<Fact<A>, { readonly by: string }> => "by" in self

/** The value, or null where it is not known: never a guess. */
export const valueOrNull = <A>(self: Fact<A>): A | null => (isKnown(self) ? self.value : null)
