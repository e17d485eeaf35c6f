// The network that was trained last in this tab, handed from page to page.

const key = 'fovea-trained'

export function keepTrained(bytes: ArrayBuffer): void {
  const text = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('')
  try {
    sessionStorage.setItem(key, btoa(text))
  } catch {
    // storage is full or forbidden: the page that looks for it says that nothing was trained
  }
}

export function trainedModel(): ArrayBuffer | undefined {
  try {
    const text = sessionStorage.getItem(key)
    return text === null ? undefined : Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer
  } catch {
    return undefined
  }
}
