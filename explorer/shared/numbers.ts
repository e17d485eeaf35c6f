/** The true minus, as wide as a plus. */
export const minus = '\u2212'

/** Three significant digits, as cells show them: 12.3, -0.5 with a true minus, 1.2e5. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '' : value > 0 ? '\u221e' : `${minus}\u221e`
  const size = Math.abs(value)
  if (size !== 0 && (size >= 99_950 || size < 0.0005)) return signed(value.toExponential(1).replace('e+', 'e'))
  return signed(trimmed(size >= 99.95 ? value.toFixed(0) : size >= 9.995 ? value.toFixed(1) : value.toFixed(2)))
}

/** Up to `digits` decimals, no zeros at the end. */
export const decimals = (value: number, digits = 3) => signed(trimmed(value.toFixed(digits)))

const trimmed = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)
const signed = (text: string) => (Number(text) === 0 ? text.replace('-', '') : text.replaceAll('-', minus))

/** The whole float32, for copying: as short as it can be read back from. */
export const full = (value: number): string => String(value)

/** As a screen reader should say it: "minus 3.5". */
export const spoken = (value: number) => decimals(value).replace(minus, 'minus ')

/** 1234567 -> 1 234 567, with thin spaces. */
export const grouped = (value: number) => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f')

/** Counts with a unit prefix: 73.7 k, 231.2 M. */
export function counted(value: number): string {
  const units = ['', '\u202fk', '\u202fM', '\u202fG', '\u202fT']
  let unit = 0
  let size = value
  while (size >= 999.95 && unit < units.length - 1) {
    size /= 1000
    unit++
  }
  return `${unit === 0 ? grouped(size) : size.toFixed(1)}${units[unit]}`
}

/** A formula of the library as printed in books: floor((5 - 1*2) / 2) becomes \u230a(5 \u2212 1\u00b72) / 2\u230b. */
export const pretty = (formula: string) =>
  formula
    .replace(/^floor\((.*)\) \+ 1/, '\u230a$1\u230b + 1')
    .replaceAll('*', '\u00b7')
    .replaceAll('-', minus)
