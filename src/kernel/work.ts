import type { Expr, Kernel, Statement } from './ir.ts'

/** Parts of an expression that cost an instruction. */
function sizeOfExpr(expr: Expr): number {
  switch (expr.kind) {
    case 'const':
    case 'local':
    case 'affine':
    case 'iota':
      return 0
    case 'load':
      return 1
    case 'splat':
    case 'extract':
    case 'unary':
    case 'convert':
    case 'shift':
      return 1 + sizeOfExpr(expr.a)
    case 'binary':
    case 'compare':
      return 1 + sizeOfExpr(expr.a) + sizeOfExpr(expr.b)
    case 'select':
      return 1 + sizeOfExpr(expr.mask) + sizeOfExpr(expr.a) + sizeOfExpr(expr.b)
    case 'multiplyAdd':
      return 1 + sizeOfExpr(expr.a) + sizeOfExpr(expr.b) + sizeOfExpr(expr.c)
  }
}

const sizeOfBody = (body: readonly Statement[]): number =>
  body.reduce((sum, statement) => {
    if (statement.kind === 'loop') {
      const rounds = Math.ceil((statement.to - statement.from) / statement.step)
      return sum + rounds * (2 + sizeOfBody(statement.body))
    }
    return sum + 1 + sizeOfExpr(statement.value)
  }, 0)

/** Instructions that one point of a kernel takes, roughly: for deciding whether it is worth sharing. */
export const workPerPoint = (kernel: Kernel): number => sizeOfBody(kernel.body)
