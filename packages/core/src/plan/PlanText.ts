import { Predicate } from "effect"

/** An agent's list of what it means to do, as a list to tick off; `-` is what it is at. */
export const planText = (todos: unknown): string =>
  Array.isArray(todos)
    ? todos
        .map((todo: unknown) => {
          const status = Predicate.hasProperty(todo, "status") ? todo.status : undefined
          const mark = status === "completed" ? "x" : status === "in_progress" ? "-" : " "
          const content = Predicate.hasProperty(todo, "content")
            ? String(todo.content)
            : Predicate.hasProperty(todo, "subject")
              ? String(todo.subject)
              : ""
          return `- [${mark}] ${content}`
        })
        .join("\n")
    : ""
