/** Digits 0 to 4 in strokes of one pixel, 9 rows of 7: what the neocognitron learns. */
export const glyphs: readonly (readonly string[])[] = [
  ['..###..', '.#...#.', '#.....#', '#.....#', '#.....#', '#.....#', '#.....#', '.#...#.', '..###..'],
  ['...#...', '..##...', '.#.#...', '...#...', '...#...', '...#...', '...#...', '...#...', '.#####.'],
  ['.#####.', '#.....#', '......#', '.....#.', '....#..', '...#...', '..#....', '.#.....', '#######'],
  ['.#####.', '#.....#', '......#', '......#', '..####.', '......#', '......#', '#.....#', '.#####.'],
  ['....##.', '...#.#.', '..#..#.', '.#...#.', '#....#.', '#######', '.....#.', '.....#.', '.....#.'],
]

/** A glyph on size x size zeros, its upper left corner at a row and column. */
export function drawGlyph(digit: number, row: number, column: number, size: number): Float32Array {
  const values = new Float32Array(size * size)
  glyphs[digit]!.forEach((line, y) => {
    for (let x = 0; x < line.length; x++) if (line[x] === '#') values[(row + y) * size + column + x] = 1
  })
  return values
}
