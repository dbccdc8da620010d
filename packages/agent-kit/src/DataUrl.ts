/** What a `data:` URL holds, in base64; undefined for every other address. */
export const heldIn = (url: string): { readonly mediaType: string; readonly data: string } | undefined => {
  const found = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w=.-]+)*;base64,([A-Za-z0-9+/]+={0,2})$/.exec(url)
  const [, mediaType, data] = found ?? []
  return mediaType === undefined || data === undefined || data.length % 4 !== 0
    ? undefined
    : { mediaType, data }
}
