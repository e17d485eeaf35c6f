// Before the first paint, so that no page flashes in the other theme. Shared/theme.ts changes it afterwards.
try {
  const theme = localStorage.getItem('fovea-theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // storage is forbidden: the system's theme
}
