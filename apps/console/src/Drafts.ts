/** What was typed and not sent yet. */
export interface Draft {
  readonly text: string
  /**
   * The key under which it is sent: the same, until it is known to have arrived. So a message whose answer was lost is
   * one turn, also when it is sent once more from a page that was loaded anew.
   */
  readonly key: string
}

const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-")

/** Another text is another message. */
export const draft = (text: string): Draft => ({ text, key: newKey() })

const placeOf = (threadId: string) => `rejoin.draft.${threadId}`

/** Of a thread, or of `new`: kept for as long as the tab is, over reloads and other threads. */
export const draftOf = (threadId: string): Draft => {
  const kept = sessionStorage.getItem(placeOf(threadId))
  return kept === null ? draft("") : (JSON.parse(kept) as Draft)
}

export const keepDraft = (threadId: string, kept: Draft): void => {
  if (kept.text === "") return sessionStorage.removeItem(placeOf(threadId))
  try {
    sessionStorage.setItem(placeOf(threadId), JSON.stringify(kept))
  } catch {
    // More than a tab may keep: then it is kept for as long as it is shown.
  }
}
