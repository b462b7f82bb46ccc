// An address that is none of the page's.
import { Link } from '../components/link.tsx'
import { texts } from '../texts.ts'

export function NotFound() {
  return (
    <>
      <h1>{texts.notFound.title}</h1>
      <p>
        <Link href="/">{texts.notFound.back}</Link>
      </p>
    </>
  )
}
