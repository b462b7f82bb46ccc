import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { mountingIsPermitted, smallDisk } from '../helpers/small-disk.ts'
import { openIn } from './sqlite-place.ts'

const onSmallDisk = (await mountingIsPermitted()) ? test : test.skip

onSmallDisk('a folder on a disk that is mounted read-only is refused in words that say so', async () => {
  await using space = await smallDisk(8)
  const dir = join(space.path, 'data')
  await (await openIn(dir)).close()
  await space.makeReadOnly()
  await expect(openIn(dir)).rejects.toThrow(/^EROFS: read-only file system/)
})
