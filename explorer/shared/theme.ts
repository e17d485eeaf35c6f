import { computed, type ReadonlySignal, signal } from '@preact/signals'

export type Theme = 'auto' | 'light' | 'dark'

const key = 'fovea-theme'
const system = matchMedia('(prefers-color-scheme: dark)')
const systemDark = signal(system.matches)
system.addEventListener('change', () => {
  systemDark.value = system.matches
})

const known = document.documentElement.dataset.theme
/** What the reader chose. */
export const theme = signal<Theme>(known === 'light' || known === 'dark' ? known : 'auto')

/** Whether pictures are painted dark. */
export const dark: ReadonlySignal<boolean> = computed(() =>
  theme.value === 'auto' ? systemDark.value : theme.value === 'dark',
)

export function chooseTheme(choice: Theme): void {
  theme.value = choice
  if (choice === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = choice
  try {
    if (choice === 'auto') localStorage.removeItem(key)
    else localStorage.setItem(key, choice)
  } catch {
    // storage is forbidden: the choice lasts as long as the page
  }
}

const still = matchMedia('(prefers-reduced-motion: reduce)')
/** The reader asked for no motion: players step by hand only. */
export const reducedMotion = signal(still.matches)
still.addEventListener('change', () => {
  reducedMotion.value = still.matches
})
