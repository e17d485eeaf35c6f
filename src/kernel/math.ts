/**
 * Elementary functions written in the loop language, for f32 scalars and vectors alike. A function appends what it
 * uses twice through `bind`, and NaN in gives NaN out. Errors are in units in the last place (ulp) of the result.
 */
import {
  abs,
  add,
  and,
  bitsToF32,
  bitsToI32,
  define,
  div,
  eq,
  f32,
  i32,
  local,
  lt,
  max,
  min,
  mul,
  multiplyAdd,
  nearest,
  neg,
  or,
  select,
  shl,
  shrSigned,
  shrUnsigned,
  sqrt,
  sub,
  toF32,
  xor,
} from './builder.ts'
import type { Expr, Statement } from './ir.ts'

/** Gives a value a name, so that it is computed once; returns how to read it. */
export type Bind = (value: Expr) => Expr

/** Collects `let` statements, named by `names`, for the functions of this file. */
export function binder(names: () => string): { readonly bind: Bind; readonly statements: Statement[] } {
  const statements: Statement[] = []
  const bind = (value: Expr): Expr => {
    if (value.kind === 'local' || value.kind === 'const') return value
    const name = names()
    statements.push(define(name, value))
    return local(name, value.type, value.lanes)
  }
  return { bind, statements }
}

const like = (x: Expr, value: number): Expr => f32(value, x.lanes)
const likeInt = (x: Expr, value: number): Expr => i32(value, x.lanes)

/** Horner's rule, highest power first. */
const polynomial = (x: Expr, [first, ...rest]: readonly number[]): Expr =>
  rest.reduce((sum, coefficient) => multiplyAdd(sum, x, like(x, coefficient)), like(x, first!))

/** A size (never negative) with the sign of `x`. */
const withSign = (size: Expr, x: Expr): Expr =>
  bitsToF32(or(bitsToI32(size), and(bitsToI32(x), likeInt(x, -0x80000000))))

/** Added to a whole number below 2^22 in size, it leaves that number in the low bits. */
const magic = 12582912
/** 2^n of a whole f32 n in -126..127; conversion to integers would cost many instructions. */
const power2 = (n: Expr): Expr => bitsToF32(shl(add(bitsToI32(add(n, like(n, magic))), likeInt(n, 127)), 23))

/** ln 2 in two parts, the first with so few bits that its product with a small whole number is exact. */
const ln2High = 0.693359375
const ln2Low = -2.1219444005469e-4
/** (e^r - 1 - r) / r^2 on |r| <= ln(2)/2: Cephes, expf (Moshier). */
const expTail = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1]

/** x = n ln 2 + r for x in [low, high]; `tail` = e^r - 1, `half` + `rest` = n: a factor that any result can stand. */
function reduceExp(x: Expr, bind: Bind, low: number, high: number) {
  const inside = bind(min(max(x, like(x, low)), like(x, high)))
  const n = bind(nearest(mul(inside, like(x, Math.LOG2E))))
  const r = bind(multiplyAdd(n, like(x, -ln2Low), multiplyAdd(n, like(x, -ln2High), inside)))
  const half = bind(nearest(mul(n, like(x, 0.5))))
  const tail = multiplyAdd(polynomial(r, expTail), mul(r, r), r)
  return { tail, half, rest: bind(sub(n, half)) }
}

/** e^x: below 2 ulp; underflows gradually to 0, overflows to infinity. */
export function exp(x: Expr, bind: Bind): Expr {
  const { tail, half, rest } = reduceExp(x, bind, -104, 89)
  return mul(mul(add(tail, like(x, 1)), power2(half)), power2(rest))
}

/** e^x - 1, accurate near 0: below 3 ulp. */
export function expm1(x: Expr, bind: Bind): Expr {
  const { tail, half, rest } = reduceExp(x, bind, -20, 89)
  const scale = bind(power2(half))
  return mul(multiplyAdd(tail, scale, sub(scale, power2(neg(rest)))), power2(rest))
}

/**
 * ln x: below 2 ulp; -infinity at 0, NaN below. After FreeBSD's e_logf.c: x = 2^k (1 + f), s = f / (2 + f),
 * ln(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)).
 */
export function log(value: Expr, bind: Bind): Expr {
  const x = bind(value)
  const tiny = bind(lt(x, like(x, 2 ** -126)))
  const bits = bind(bitsToI32(select(tiny, mul(x, like(x, 2 ** 25)), x)))
  // Exponent relative to sqrt(1/2), so that 1 + f lies in [sqrt(1/2), sqrt(2)).
  const exponent = bind(shrSigned(sub(bits, likeInt(x, 0x3f3504f3)), 23))
  const f = bind(sub(bitsToF32(sub(bits, shl(exponent, 23))), like(x, 1)))
  const k = bind(toF32(sub(exponent, and(tiny, likeInt(x, 25)))))
  const s = bind(div(f, add(f, like(x, 2))))
  const z = bind(mul(s, s))
  const series = mul(z, polynomial(z, [0.24279078841, 0.28498786688, 0.40000972152, 0.66666662693]))
  const halfSquare = bind(mul(mul(f, f), like(x, 0.5)))
  const low = multiplyAdd(k, like(x, 9.0580006145e-6), mul(s, add(halfSquare, series)))
  const finite = multiplyAdd(k, like(x, 6.9313812256e-1), add(sub(low, halfSquare), f))
  const positive = select(lt(x, like(x, Infinity)), finite, x)
  return select(lt(x, like(x, 0)), like(x, Number.NaN), select(eq(x, like(x, 0)), like(x, -Infinity), positive))
}

/** ln(1 + x), accurate near 0: below 3 ulp. What rounding 1 + x lost is added back as a first-order term. */
export function log1p(value: Expr, bind: Bind): Expr {
  const x = bind(value)
  const sum = bind(add(x, like(x, 1)))
  const lost = bind(div(sub(x, sub(sum, like(x, 1))), sum))
  const main = bind(log(sum, bind))
  return select(eq(lost, lost), add(main, lost), main)
}

/** Beyond this tanh is 1 in f32. */
const tanhLimit = 7.905311107635498
/** tanh x = x P(x^2) / Q(x^2), highest power first: the rational approximation of the Eigen library. */
const tanhTop = [
  -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5,
  6.37261928875436e-4, 4.89352455891786e-3,
]
const tanhBottom = [1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3]

/** Hyperbolic tangent: below 5 ulp, never above 1 in size. */
export function tanh(value: Expr, bind: Bind): Expr {
  const x = bind(min(max(value, like(value, -tanhLimit)), like(value, tanhLimit)))
  const square = bind(mul(x, x))
  const ratio = mul(x, div(polynomial(square, tanhTop), polynomial(square, tanhBottom)))
  return max(min(ratio, like(x, 1)), like(x, -1))
}

/** 1 / (1 + e^-x): below 3 ulp where the result is a normal number. */
export const sigmoid = (x: Expr, bind: Bind): Expr => div(like(x, 1), add(exp(neg(x), bind), like(x, 1)))

const erfCut = 0.92
/** erf(x) / x - 1 in x^2 for |x| <= erfCut, relative error of erf 4e-10 (Lawson's iteration; fitted for fovea). */
const erfNear = [
  8.382386e-5, -8.14559664e-4, 5.20128617e-3, -2.685949951e-2, 1.1283697188e-1, -3.7612634897e-1, 1.28379166126e-1,
]
/** ln(1 - erf x) for erfCut <= x <= 4, absolute error of erf 1.5e-9 (fitted likewise). */
const erfFar = [
  1.949459e-4, -3.033685e-3, 2.21897494e-2, -1.0385632515e-1, -6.372658014e-1, -1.1276273727, -2.0701523e-4,
]

/** erf x: below 2 ulp, exactly +-1 for large x. */
export function erf(value: Expr, bind: Bind): Expr {
  const x = bind(value)
  const size = bind(min(abs(x), like(x, 4)))
  const near = multiplyAdd(size, polynomial(bind(mul(size, size)), erfNear), size)
  const far = sub(like(x, 1), exp(polynomial(size, erfFar), bind))
  return withSign(select(lt(size, like(x, erfCut)), near, far), x)
}

/**
 * x^p = e^(p ln x) for x >= 0 (NaN below, except that anything to the power 0 is 1): relative error about
 * (2 + |p ln x|) ulp.
 */
export function pow(x: Expr, p: Expr, bind: Bind): Expr {
  const exponent = bind(p)
  const power = exp(mul(exponent, log(x, bind)), bind)
  return select(eq(exponent, like(x, 0)), like(x, 1), power)
}

/** x^p for a literal p: quarters up to 64 by squaring (so negative x is right for whole p) and square roots. */
export function powLiteral(value: Expr, p: number, bind: Bind): Expr {
  const x = bind(value)
  if (!Number.isInteger(4 * p) || Math.abs(p) > 64) return pow(x, like(x, p), bind)
  if (p < 0) return div(like(x, 1), powLiteral(x, -p, bind))
  const factors: Expr[] = []
  let square = x
  for (let rest = Math.floor(p); rest > 0; rest >>= 1) {
    if (rest & 1) factors.push(square)
    if (rest > 1) square = bind(mul(square, square))
  }
  const quarters = (4 * p) % 4
  const root = quarters > 0 ? bind(sqrt(x)) : x
  if (quarters >= 2) factors.push(root)
  if (quarters % 2 > 0) factors.push(sqrt(root))
  return factors.length > 0 ? factors.reduce((product, factor) => mul(bind(product), factor)) : like(x, 1)
}

/** The 32 random bits of (counter, key), as `hashBits` of base/random.ts gives them. */
export function hashBits(counter: Expr, key: Expr, bind: Bind): Expr {
  const mix = (value: Expr, shift: number, factor: number): Expr => {
    const x = bind(value)
    return mul(xor(x, shrUnsigned(x, shift)), likeInt(x, factor))
  }
  const fold = (value: Expr): Expr => {
    const x = bind(value)
    return xor(x, shrUnsigned(x, 15))
  }
  const round = (x: Expr): Expr => fold(mix(mix(x, 16, 0x21f0aaad), 15, 0x735a2d97))
  const named = bind(key)
  return round(add(round(xor(counter, named)), named))
}

/** Uniform in [0, 1): the top 24 of 32 random bits. */
export const uniform = (bits: Expr): Expr => mul(toF32(shrUnsigned(bits, 8)), f32(2 ** -24, bits.lanes))
