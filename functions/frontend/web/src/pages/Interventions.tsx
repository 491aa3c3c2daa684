import { useSearch } from '@tanstack/react-router'
import { api, ok } from '../api/client'
import { usePages } from '../api/hooks'
import { day } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { IconTool } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Link, Page } from '../ui/Page'
import { State } from '../ui/State'
import { StateFilter } from '../ui/StateFilter'

type Etat = 'OUVERTES' | 'PLANIFIEE' | 'REALISEE' | 'IMPOSSIBLE'

export default function Interventions() {
  const t = useT()
  const etat = (useSearch({ strict: false }) as { etat?: Etat }).etat
  const pages = usePages(['interventions', 'list', etat], (curseur, signal) => ok(api.GET('/v1/interventions', { params: { query: { etat, curseur } }, signal })), { refetchInterval: 10_000 })
  return (
    <Page title={t.interventions.title} actions={<StateFilter of="intervention" states={['OUVERTES', 'PLANIFIEE', 'REALISEE', 'IMPOSSIBLE']} extra={{ OUVERTES: t.interventions.open }} value={etat} />}>
      <Card flush>
        <DataTable
          label={t.interventions.title}
          {...pages}
          id={(i) => i.id}
          to={(i) => `/interventions/${i.id}`}
          columns={[
            { title: t.interventions.number, head: true, cell: (i) => <Link to={`/interventions/${i.id}`} inherit fw={600} className="id">{i.numero}</Link> },
            { title: t.interventions.nature, cell: (i) => t.word.intervention[i.nature] },
            { title: t.interventions.place, wide: true, cell: (i) => `${i.adresse.voie}, ${i.adresse.commune}` },
            { title: t.interventions.day, num: true, cell: (i) => day(i.prevue_le) },
            { title: t.interventions.technician, wide: true, cell: (i) => i.nom_technicien ?? <span className="soft">{t.interventions.nobody}</span> },
            { title: t.abonne.state, cell: (i) => <State of="intervention" value={i.etat} /> },
          ]}
          empty={<Empty icon={IconTool} title={t.interventions.empty} />}
        />
      </Card>
    </Page>
  )
}
