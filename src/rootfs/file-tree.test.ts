import { expect, it } from 'vitest'
import { FileTree } from './file-tree.ts'

const names = (tree: FileTree, directory: number) =>
  [...tree.children(directory)].map((node) => tree.name(node))

it('finds a child by its name, and returns the entry it was created from', () => {
  const tree = new FileTree()
  const usr = tree.putDirectory(tree.root, 'usr', 1)
  tree.putFile(usr, 'lib', 2)
  tree.putFile(tree.root, 'lib', 3)
  const lib = tree.child(usr, 'lib') ?? -1
  expect([tree.entry(lib), tree.isDirectory(lib), tree.path(lib)]).toEqual([2, false, 'usr/lib'])
  expect(tree.entry(tree.child(tree.root, 'lib') ?? -1)).toBe(3)
  expect([tree.child(usr, 'li'), tree.child(usr, 'libs'), tree.child(lib, 'lib')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect([tree.pathInside(tree.root, 'x'), tree.pathInside(usr, 'x')]).toEqual(['x', 'usr/x'])
})

it('keeps the children of a directory that is added again, and removes those of one that a file replaces', () => {
  const tree = new FileTree()
  const d = tree.putDirectory(tree.root, 'd', 1)
  tree.putFile(d, 'a', 2)
  expect(tree.putDirectory(tree.root, 'd', 3)).toBe(d)
  expect([tree.entry(d), names(tree, d)]).toEqual([3, ['a']])
  tree.putFile(tree.root, 'd', 4)
  expect(names(tree, d)).toEqual([])
  const again = tree.putDirectory(tree.root, 'd', 5)
  expect([names(tree, again), tree.child(again, 'a')]).toEqual([[], undefined])
})

it('lists children in the order in which they were added, also after they were removed in between', () => {
  const tree = new FileTree()
  for (const [i, name] of ['c', 'a', 'b'].entries()) tree.putFile(tree.root, name, i)
  tree.putFile(tree.root, 'c', 4)
  expect(names(tree, tree.root)).toEqual(['c', 'a', 'b'])
  tree.remove(tree.child(tree.root, 'c') ?? -1)
  expect([names(tree, tree.root), tree.child(tree.root, 'c')]).toEqual([['a', 'b'], undefined])
  tree.putFile(tree.root, 'c', 5)
  expect(names(tree, tree.root)).toEqual(['a', 'b', 'c'])
  tree.clear(tree.root)
  expect(names(tree, tree.root)).toEqual([])
  tree.putFile(tree.root, 'b', 6)
  expect(names(tree, tree.root)).toEqual(['b'])
})

it('grows, and distinguishes all names', () => {
  const tree = new FileTree()
  const texts = Array.from({ length: 5000 }, (_, i) => `name ${i} `.repeat(1 + (i % 9)))
  texts.push('', 'ä', 'a\u0308', '\udc80', '\udc81', '\ufffd', '日本', 'x'.repeat(100_000))
  for (const [i, text] of texts.entries()) tree.putFile(tree.root, text, i)
  expect(names(tree, tree.root)).toEqual(texts)
  expect(texts.map((text) => tree.entry(tree.child(tree.root, text) ?? -1))).toEqual([...texts.keys()])
})

it('throws when it is used after it was released, also while children are listed', () => {
  const tree = new FileTree()
  const usr = tree.putDirectory(tree.root, 'usr', 1)
  tree.putFile(tree.root, 'bin', 2)
  const listing = tree.children(tree.root)
  listing.next()
  tree.release()
  const uses = [
    () => tree.child(tree.root, 'usr'),
    () => tree.name(usr),
    () => tree.path(usr),
    () => tree.entry(usr),
    () => tree.isDirectory(usr),
    () => tree.putFile(tree.root, 'x', 3),
    () => tree.text,
    () => listing.next(),
  ]
  for (const use of uses) expect(use).toThrow('the file tree was used after it was released')
  expect(() => tree.release()).not.toThrow()
})
