import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Directory, Worktree } from "../Directory.ts"
import * as E from "../Errors.ts"

export class DirectoriesGroup extends HttpApiGroup.make("directories")
  .add(
    HttpApiEndpoint.get("look", "/directories", {
      query: { path: Schema.optionalKey(Schema.NonEmptyString) },
      success: Directory,
      error: [E.CwdNotAllowed, E.CwdUnavailable]
    }).annotate(OpenApi.Summary, "A directory in which threads may work; without a path, the server's own"),
    HttpApiEndpoint.post("addWorktree", "/directories/worktrees", {
      payload: Schema.Struct({
        /** Within the repository. */
        repository: Schema.NonEmptyString,
        /** Where it is to be; nothing may be there. */
        path: Schema.NonEmptyString,
        /** A new one, from what is checked out in the repository. */
        branch: Schema.NonEmptyString.check(
          Schema.isPattern(/^[\w.][\w./-]*$/, {
            message: "A branch's name has letters, digits and . _ / - only, and begins with neither / nor -."
          }),
          Schema.isMaxLength(200)
        )
      }),
      success: Worktree.pipe(HttpApiSchema.status(201)),
      error: [E.CwdNotAllowed, E.CwdUnavailable, E.InvalidInput]
    }).annotate(OpenApi.Summary, "A new worktree on a new branch; no hook of the repository is run")
  )
  .annotateMerge(OpenApi.annotations({ title: "Directories", description: "For choosing one." })) {}
