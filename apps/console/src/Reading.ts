/** How far from the end somebody has to be, in px, to be reading and not following. */
const away = 20

/**
 * Keeps what is read where it is while more comes below it. The list is turned over, so it holds its distance to the
 * end: who has scrolled up to read would see the text move away under them.
 */
export const keepPlace = (scroller: HTMLElement) => {
  /** What is read, where that was seen last, and how much came after it then. */
  let anchor: { readonly element: Element; readonly top: number; readonly after: number } | undefined
  const edges = (element: Element) => element.getBoundingClientRect()
  const after = (element: Element) =>
    (scroller.firstElementChild === null ? 0 : edges(scroller.firstElementChild).bottom) - edges(element).top
  const placed = (element: Element) => ({ element, top: edges(element).top, after: after(element) })
  const isAtTop = () => scroller.scrollTop <= scroller.clientHeight - scroller.scrollHeight + 1

  const settle = () => {
    if (anchor === undefined || !anchor.element.isConnected) return
    const now = placed(anchor.element)
    const grown = now.after - anchor.after
    if (Math.abs(grown) < 1) return
    // Only by what has grown: where its reader scrolls at the same time, that is theirs. At the top the browser has
    // moved what has shrunk already, as there is nothing left to scroll to.
    scroller.scrollTop += grown < 0 && isAtTop() ? now.top - anchor.top : -grown
    anchor = placed(anchor.element)
  }
  const moved = () => {
    settle()
    if (scroller.scrollTop > -away) {
      anchor = undefined
      return
    }
    // What stands above all that is shown yet goes up with what is shown next: a button is nothing that is read.
    const items = [...(scroller.firstElementChild?.children ?? [])].filter(
      ({ tagName }) => tagName !== "BUTTON"
    )
    const element = items.find((item) => edges(item).bottom > edges(scroller).top)
    anchor = element && placed(element)
  }

  const observer = new ResizeObserver(settle)
  return { moved, watch: (element: Element) => observer.observe(element), end: () => observer.disconnect() }
}
