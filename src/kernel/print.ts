/** Kernels as compact pseudo-code: the same text for the same kernel, for golden files and for reading. */
import type { Affine, Expr, Kernel, Statement } from './ir.ts'

const width = 110
const binarySigns: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  and: '&',
  or: '|',
  xor: '^',
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
  shl: '<<',
  shrSigned: '>>',
  shrUnsigned: '>>>',
}

/** Binary operations that are written as functions. */
const named: ReadonlySet<string> = new Set(['min', 'max', 'dot'])

/** `6*r + k + 3`. */
export function printAffine({ offset, terms }: Affine): string {
  let text = ''
  for (const { index, scale } of terms) {
    const size = Math.abs(scale) === 1 ? index : `${Math.abs(scale)}*${index}`
    text += text === '' ? (scale < 0 ? `-${size}` : size) : scale < 0 ? ` - ${size}` : ` + ${size}`
  }
  if (text === '') return String(offset)
  if (offset === 0) return text
  return offset < 0 ? `${text} - ${-offset}` : `${text} + ${offset}`
}

/** `x[at]` for one element, `x[at..+4]` for several. */
const printPlace = (buffer: string, at: Affine, count: number): string =>
  count === 1 ? `${buffer}[${printAffine(at)}]` : `${buffer}[${printAffine(at)}..+${count}]`

/** f32 constants show a point or an exponent, i32 constants don't. */
function printConstant(type: 'f32' | 'i32', value: number): string {
  const text = Object.is(value, -0) ? '-0' : shortest(value)
  return type === 'i32' || /[.en]/i.test(text) ? text : `${text}.0`
}

/** Fewest digits that still name the same f32. */
function shortest(value: number): string {
  for (let digits = 6; digits < 10; digits++) {
    const text = String(Number(value.toPrecision(digits)))
    if (Math.fround(Number(text)) === value) return text
  }
  return String(value)
}

/** An operand: in parentheses when it is itself an infix expression. */
function operand(e: Expr): string {
  const infix = e.kind === 'binary' && !named.has(e.operation)
  const loose = infix || e.kind === 'compare' || e.kind === 'shift' || (e.kind === 'affine' && e.value.terms.length > 0)
  return loose || e.kind === 'select' ? `(${printExpr(e)})` : printExpr(e)
}

export function printExpr(e: Expr): string {
  switch (e.kind) {
    case 'const':
      return e.lanes === 4 ? `splat ${printConstant(e.type, e.value)}` : printConstant(e.type, e.value)
    case 'local':
      return e.name
    case 'affine':
      return printAffine(e.value)
    case 'load':
      return printPlace(e.buffer, e.at, e.lanes)
    case 'splat':
      return `splat ${operand(e.a)}`
    case 'extract':
      return `${operand(e.a)}.${e.lane}`
    case 'iota':
      return 'iota'
    case 'unary':
    case 'convert':
      return `${e.operation}(${printExpr(e.a)})`
    case 'binary':
      if (named.has(e.operation)) return `${e.operation}(${printExpr(e.a)}, ${printExpr(e.b)})`
      return `${operand(e.a)} ${binarySigns[e.operation]} ${operand(e.b)}`
    case 'compare':
      return `${operand(e.a)} ${binarySigns[e.operation]} ${operand(e.b)}`
    case 'shift':
      return `${operand(e.a)} ${binarySigns[e.operation]} ${e.count}`
    case 'select':
      return `${operand(e.mask)} ? ${operand(e.a)} : ${operand(e.b)}`
    case 'multiplyAdd':
      return `madd(${printExpr(e.a)}, ${printExpr(e.b)}, ${printExpr(e.c)})`
  }
}

/** One statement without what it contains: `for k in 0..64 step 4`. */
export function printHead(statement: Statement): string {
  switch (statement.kind) {
    case 'loop': {
      const step = statement.step === 1 ? '' : ` step ${statement.step}`
      return `for ${statement.index} in ${statement.from}..${statement.to}${step}`
    }
    case 'let':
    case 'var':
      return `${statement.kind} ${statement.name} = ${printExpr(statement.value)}`
    case 'set':
      return `${statement.name} = ${printExpr(statement.value)}`
    case 'store':
      return `${printPlace(statement.buffer, statement.at, statement.count)} = ${printExpr(statement.value)}`
    case 'clampIndex':
      return `index ${statement.index} = clamp(${printExpr(statement.value)}, ${statement.low}, ${statement.high})`
  }
}

/** Lines of a body; a loop that fits on one line stays on one. */
function printBody(body: readonly Statement[], indent: string): string[] {
  return body.flatMap((statement) => {
    if (statement.kind !== 'loop') return [indent + printHead(statement)]
    const inner = printBody(statement.body, '')
    const line = `${indent}${printHead(statement)} { ${inner.join(' ; ')} }`
    if (line.length <= width && inner.every((part) => !part.startsWith('}'))) return [line]
    return [`${indent}${printHead(statement)} {`, ...printBody(statement.body, `${indent}  `), `${indent}}`]
  })
}

/** The kernel as text: buffers, axes, then one statement a line. */
export function printKernel(kernel: Kernel): string {
  const buffers = kernel.buffers.map((b) => `${b.access} ${b.name}: ${b.element}[${b.length}]`)
  const axes = kernel.axes.map((axis) => `${axis.index} in 0..${axis.extent}`)
  const over = axes.length > 0 ? ` over ${axes.join(', ')}` : ''
  return `${[`kernel ${kernel.name}(${buffers.join(', ')})${over} {`, ...printBody(kernel.body, '  '), '}'].join(
    '\n',
  )}\n`
}
