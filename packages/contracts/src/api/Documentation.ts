import { Predicate } from "effect"
import { type Example, examples } from "./Examples.ts"

type Json = Record<string, unknown>

const at = (value: unknown, ...path: ReadonlyArray<string>): Json | undefined =>
  path.reduce<unknown>((inner, key) => (Predicate.isObject(inner) ? inner[key] : undefined), value) as
    | Json
    | undefined

/** Absent where it has no content of that kind. */
const jsonOf = (answer: unknown): Json | undefined => at(answer, "content", "application/json")

const describe = (operation: Json, { description, request, response }: Example): void => {
  operation["description"] = description
  const body = jsonOf(operation["requestBody"])
  if (body !== undefined && request !== undefined) body["example"] = request
  const answers = at(operation, "responses") ?? {}
  for (const [status, answer] of Object.entries(answers)) {
    if (!status.startsWith("2")) continue
    const content = jsonOf(answer)
    if (content !== undefined && response !== undefined) content["example"] = response
    const stream = at(answer, "content", "text/event-stream")
    // What stands in `data` of each of its events.
    if (stream !== undefined) stream["schema"] = { $ref: "#/components/schemas/RuntimeEvent" }
  }
}

/** The API's description, with what each operation promises and an example of what it takes and answers. */
export const documented = (spec: Json): Json => {
  for (const path of Object.values(at(spec, "paths") ?? {})) {
    for (const operation of Object.values(path as Json)) {
      const known = examples[String(at(operation)?.["operationId"])]
      if (known !== undefined) describe(operation as Json, known)
    }
  }
  return spec
}
