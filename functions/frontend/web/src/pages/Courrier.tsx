import { Tabs } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
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
import { Tirages } from './Tirages'

/** What was written to people: messages, and letters to print. */
export default function Courrier() {
  const t = useT()
  const navigate = useNavigate()
  const tab = (useSearch({ strict: false }) as { onglet?: string }).onglet === 'lettres' ? 'lettres' : 'envois'
  return (
    <Tabs value={tab} onChange={(v) => void navigate({ to: '.', search: { onglet: v === 'lettres' ? v : undefined }, replace: true })} keepMounted={false}>
      <Tabs.List mb="lg">{(['envois', 'lettres'] as const).map((x) => <Tabs.Tab key={x} value={x}>{t.tirages.tabs[x]}</Tabs.Tab>)}</Tabs.List>
      <Tabs.Panel value="envois"><Envois /></Tabs.Panel>
      <Tabs.Panel value="lettres"><Page title={t.tirages.title}><Tirages /></Page></Tabs.Panel>
    </Tabs>
  )
}

function Envois() {
  const t = useT()
  const etat = (useSearch({ strict: false }) as { etat?: Schemas['Envoi']['etat'] }).etat
  const pages = usePages(['envois', 'list', etat], (curseur, signal) => ok(api.GET('/v1/envois', { params: { query: { etat, curseur } }, signal })), { refetchInterval: 10_000 })
  const counts = Object.entries(pages.first?.comptes ?? {}).map(([state, n]) => `${(t.state.envoi as Record<string, string>)[state] ?? state} ${integer(n)}`)
  return (
    <Page title={t.courrier.title} subtitle={counts.join(' · ')} actions={<StateFilter of="envoi" states={['QUEUED', 'PRINTED', 'SENT', 'DELIVERED', 'FAILED']} value={etat} />}>
      <Card flush>
        <DataTable
          label={t.courrier.title}
          {...pages}
          id={(e) => e.id}
          columns={[
            { title: t.courrier.what, head: true, cell: (e) => e.objet },
            { title: t.courrier.to, cell: (e) => (e.abonne_id && can('abonnes:l') ? <Link to={`/abonnes/${e.abonne_id}`} inherit>{e.nom}</Link> : e.nom) },
            { title: t.abonne.canal, wide: true, cell: (e) => <>{t.word.canal[e.canal]}{e.segments && <div className="soft">{t.textos.length(e.segments, e.encodage ?? '')}</div>}</> },
            { title: t.abonne.state, cell: (e) => <><State of="envoi" value={e.etat} />{e.erreur && <div className="soft">{(t.courrier.faults as Record<string, string>)[e.erreur] ?? e.erreur}</div>}</> },
            { title: t.courrier.created, num: true, wide: true, cell: (e) => instant(e.cree_a) },
            { title: t.abonne.sentAt, num: true, cell: (e) => (e.envoye_a ? instant(e.envoye_a) : '') },
          ]}
          empty={<Empty icon={IconMail} title={t.courrier.empty} />}
        />
      </Card>
    </Page>
  )
}
