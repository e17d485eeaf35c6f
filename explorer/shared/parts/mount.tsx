import { type ComponentChild, render } from 'preact'
import { chooseTheme, theme } from '../theme.ts'

/** Puts a page's figure in its place, and what needs script into the shell. */
export function mount(figure: ComponentChild): void {
  const place = document.getElementById('figure')!
  place.replaceChildren()
  render(figure, place)
  render(<ThemeSwitch />, document.getElementById('theme')!)
  const threads = globalThis.crossOriginIsolated ? `${navigator.hardwareConcurrency} threads` : 'one thread'
  render(`WebAssembly, ${threads}.`, document.getElementById('engine')!)
}

function ThemeSwitch() {
  return (
    <label class="theme">
      <span class="hidden">Theme</span>
      <select
        value={theme.value}
        onChange={(event) => chooseTheme(event.currentTarget.value as 'auto' | 'light' | 'dark')}
      >
        <option value="auto">auto</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </label>
  )
}
