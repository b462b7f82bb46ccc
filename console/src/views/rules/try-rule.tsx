// Where a rule is tried on history that is not in force.
import { Link } from '../../components/link.tsx'
import { texts } from '../../texts.ts'
import { DryRunPanel } from './dry-run-panel.tsx'

export function TryRule() {
  return (
    <div class="view-stack">
      <p>
        <Link href="/rules">← {texts.rules.all}</Link>
      </p>
      <h1>{texts.dryRun.newTitle}</h1>
      <p class="quiet">{texts.dryRun.newLead}</p>
      <section class="card" aria-labelledby="dry-run">
        <h2 id="dry-run">{texts.dryRun.title}</h2>
        <DryRunPanel rule={null} />
      </section>
    </div>
  )
}
