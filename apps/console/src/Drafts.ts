const keyOf = (threadId: string) => `rejoin.draft.${threadId}`

/** What was typed in a thread and not sent yet: kept for as long as the tab is, over reloads and other threads. */
export const draftOf = (threadId: string): string => sessionStorage.getItem(keyOf(threadId)) ?? ""

export const keepDraft = (threadId: string, text: string): void => {
  if (text === "") return sessionStorage.removeItem(keyOf(threadId))
  try {
    sessionStorage.setItem(keyOf(threadId), text)
  } catch {
    // More than a tab may keep: then it is kept for as long as it is shown.
  }
}
