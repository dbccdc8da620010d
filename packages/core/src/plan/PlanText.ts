import { Predicate } from "effect"

/** An agent's list of what it means to do, as a list to tick off. */
export const planText = (todos: unknown): string =>
  Array.isArray(todos)
    ? todos
        .map((todo: unknown) => {
          const done = Predicate.hasProperty(todo, "status") && todo.status === "completed"
          const content = Predicate.hasProperty(todo, "content") ? String(todo.content) : ""
          return `- [${done ? "x" : " "}] ${content}`
        })
        .join("\n")
    : ""
