import { Text } from '@mantine/core'
import { useSearch } from '@tanstack/react-router'
import { api, list, ok, type Schemas } from '../api/client'
import { usePages } from '../api/hooks'
import { ago, instant } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { IconRoute } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Link, Page } from '../ui/Page'
import { State } from '../ui/State'
import { StateFilter } from '../ui/StateFilter'

/** The step where a plan stands. */
const at = (plan: Schemas['Plan']) => list(plan.etapes).findLast((e) => e.etat !== 'A_VENIR')

export default function Plans() {
  const t = useT()
  const etat = (useSearch({ strict: false }) as { etat?: Schemas['Plan']['etat'] }).etat
  const pages = usePages(['plans', 'list', etat], (curseur, signal) => ok(api.GET('/v1/plans', { params: { query: { etat, curseur } }, signal })), { refetchInterval: 5_000 })
  return (
    <Page
      title={t.processus.title}
      subtitle={pages.first && t.processus.counts(pages.first.en_cours, pages.first.echecs)}
      actions={<StateFilter of="plan" states={['EN_COURS', 'ECHEC', 'TERMINE', 'ANNULE']} value={etat} />}
    >
      <Card flush>
        <DataTable
          label={t.processus.title}
          {...pages}
          id={(p) => p.id}
          to={(p) => `/processus/${p.id}`}
          columns={[
            { title: t.processus.name, head: true, cell: (p) => <Link to={`/processus/${p.id}`} inherit fw={600}>{p.titre}</Link> },
            { title: t.processus.step, cell: (p) => <Text span inherit>{at(p)?.titre}</Text> },
            { title: t.processus.started, wide: true, cell: (p) => <time dateTime={p.cree_a} title={instant(p.cree_a)}>{ago(p.cree_a)}</time> },
            { title: t.processus.state, cell: (p) => <State of="plan" value={p.etat} /> },
          ]}
          empty={<Empty icon={IconRoute} title={t.processus.empty} />}
        />
      </Card>
    </Page>
  )
}
