import { useSearch } from '@tanstack/react-router'
import { api, ok, type Schemas } from '../api/client'
import { usePages } from '../api/hooks'
import { day, fullName } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { Empty } from '../ui/Loaded'
import { Card, Link, Page } from '../ui/Page'
import { State } from '../ui/State'
import { StateFilter } from '../ui/StateFilter'

export default function Contrats() {
  const t = useT()
  const etat = (useSearch({ strict: false }) as { etat?: Schemas['Contrat']['etat'] }).etat
  const pages = usePages(['contrats', 'list', etat], (curseur, signal) => ok(api.GET('/v1/contrats', { params: { query: { etat, curseur } }, signal })), { refetchInterval: 10_000 })
  return (
    <Page title={t.contrats.title} actions={<StateFilter of="contrat" states={['A_SIGNER', 'EN_RETRACTATION', 'SIGNE', 'ACTIF', 'RESILIE', 'ANNULE']} value={etat} />}>
      <Card flush>
        <DataTable
          label={t.contrats.title}
          {...pages}
          id={(c) => c.id}
          to={(c) => `/abonnes/${c.abonne.id}`}
          columns={[
            { title: t.contrats.number, head: true, cell: (c) => <Link to={`/abonnes/${c.abonne.id}`} inherit fw={600} className="id">{c.numero}</Link> },
            { title: t.contrats.holder, cell: (c) => fullName(c.abonne) },
            { title: t.abonnes.place, wide: true, cell: (c) => `${c.pdl.reference} · ${c.pdl.adresse.voie}` },
            { title: t.contrats.nature, wide: true, cell: (c) => t.word.contrat[c.nature] },
            { title: t.abonne.state, cell: (c) => <State of="contrat" value={c.etat} /> },
            { title: t.contrats.since, num: true, wide: true, cell: (c) => day(c.actif_depuis ?? c.signe_le ?? c.debut_souhaite) },
          ]}
          empty={<Empty title={t.contrats.empty} />}
        />
      </Card>
    </Page>
  )
}
