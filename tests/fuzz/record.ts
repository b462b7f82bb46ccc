import fc from 'fast-check'

/** Objects of this shape, printed as one would write them. */
export function record<Shape>(shape: {
  [Key in keyof Shape]: fc.Arbitrary<Shape[Key]>
}): fc.Arbitrary<Shape> {
  return fc.record<Shape>(shape, { noNullPrototype: true })
}
