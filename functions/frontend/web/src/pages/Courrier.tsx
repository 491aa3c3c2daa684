import { useSearch } from '@tanstack/react-router'
import { api, ok, type Schemas } from '../api/client'
import { usePages } from '../api/hooks'
import { can } from '../api/session'
import { instant, integer } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { IconMail } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Link, Page } from '../ui/Page'
import { State } from '../ui/State'
import { StateFilter } from '../ui/StateFilter'

export default function Courrier() {
  const t = useT()
  const etat = (useSearch({ strict: false }) as { etat?: Schemas['Envoi']['etat'] }).etat
  const pages = usePages(['envois', 'list', etat], (curseur, signal) => ok(api.GET('/v1/envois', { params: { query: { etat, curseur } }, signal })), { refetchInterval: 10_000 })
  const counts = Object.entries(pages.first?.comptes ?? {}).map(([state, n]) => `${(t.state.envoi as Record<string, string>)[state] ?? state} ${integer(n)}`)
  return (
    <Page title={t.courrier.title} subtitle={counts.join(' · ')} actions={<StateFilter of="envoi" states={['QUEUED', 'SENT', 'FAILED']} value={etat} />}>
      <Card flush>
        <DataTable
          label={t.courrier.title}
          {...pages}
          id={(e) => e.id}
          columns={[
            { title: t.courrier.what, head: true, cell: (e) => e.objet },
            { title: t.courrier.to, cell: (e) => (e.abonne_id && can('abonnes:l') ? <Link to={`/abonnes/${e.abonne_id}`} inherit>{e.nom}</Link> : e.nom) },
            { title: t.abonne.canal, wide: true, cell: (e) => t.word.canal[e.canal] },
            { title: t.abonne.state, cell: (e) => <><State of="envoi" value={e.etat} />{e.erreur && <div className="soft">{e.erreur}</div>}</> },
            { title: t.courrier.created, num: true, wide: true, cell: (e) => instant(e.cree_a) },
            { title: t.abonne.sentAt, num: true, cell: (e) => (e.envoye_a ? instant(e.envoye_a) : '') },
          ]}
          empty={<Empty icon={IconMail} title={t.courrier.empty} />}
        />
      </Card>
    </Page>
  )
}
