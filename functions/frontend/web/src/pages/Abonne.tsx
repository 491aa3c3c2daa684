import { Alert, Button, Grid, Group, Stack, Tabs, Text, Timeline } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { api, list, ok, type Schemas } from '../api/client'
import { usePages } from '../api/hooks'
import { compte, ficheAbonne, releves } from '../api/queries'
import { can } from '../api/session'
import { address, ago, cubicMetres, day, euros, fullName, instant, integer } from '../format'
import { useT } from '../i18n'
import { Aides, Held } from '../ui/Aides'
import { Bills } from '../ui/Bills'
import { VolumeChart } from '../ui/Chart'
import { bars, lastYear, names } from '../ui/consumption'
import { DataTable } from '../ui/DataTable'
import { type Icon, IconClipboardList, IconCoinEuro, IconFileInvoice, IconFileText, IconMail, IconPlus, IconTool } from '../ui/icons'
import { DocumentButton } from '../ui/DocumentButton'
import { Identity } from '../ui/Numbers'
import { NoDebt } from '../ui/NoDebt'
import { Empty, Loaded } from '../ui/Loaded'
import { Card, Facts, Figure, Link, Page, PageOf } from '../ui/Page'
import { Mandats } from '../ui/Mandats'
import { PaymentActs } from '../ui/PaymentActs'
import { PayModal } from '../ui/PayModal'
import { Plans } from '../ui/Plans'
import { Refunds } from '../ui/Refunds'
import { State } from '../ui/State'
import { Textos } from '../ui/Textos'
import { ContratCard } from './ContratCard'

const tabs = ['vue', 'releves', 'factures', 'paiements', 'interventions', 'envois', 'chronologie'] as const
type Tab = (typeof tabs)[number]
const rights: Partial<Record<Tab, string>> = { releves: 'releves:l', factures: 'factures:l', paiements: 'paiements:l', interventions: 'interventions:l', envois: 'courrier:l' }

/** Everything about one abonne. */
export default function Abonne() {
  const t = useT()
  const { id } = useParams({ strict: false }) as { id: string }
  const navigate = useNavigate()
  const asked = (useSearch({ strict: false }) as { onglet?: string }).onglet
  const allowed = tabs.filter((tab) => !rights[tab] || can(rights[tab]))
  const tab = allowed.find((x) => x === asked) ?? 'vue'
  const fiche = useQuery({
    ...ficheAbonne(id),
    // A signed contract becomes active by itself: look again until it is.
    refetchInterval: ({ state }) => (list(state.data?.contrats).some((c) => c.etat === 'SIGNE') ? 4000 : false),
  })
  const [paying, pay] = useDisclosure()
  return (
    <PageOf title={t.nav.abonnes} query={fiche}>
      {({ abonne, contrats }) => (
        <Page
          title={fullName(abonne)}
          trail={[[t.nav.abonnes, '/abonnes']]}
          subtitle={<Subtitle abonne={abonne} contrats={list(contrats)} />}
          actions={
            <>
              {can('contrats:c') && <Button variant="default" leftSection={<IconPlus size={16} />} onClick={() => void navigate({ to: '/souscription', search: { abonne: id } })}>{t.nav.subscribe}</Button>}
              {can('factures:l') && <NoDebt id={id} />}
              {can('paiements:c') && <Button leftSection={<IconCoinEuro size={16} />} onClick={pay.open}>{t.abonne.pay}</Button>}
            </>
          }
        >
          {can('relances:l') && <Held id={id} />}
          <Tabs value={tab} onChange={(next) => void navigate({ to: '.', search: { onglet: next === 'vue' ? undefined : (next ?? undefined) }, replace: true })} keepMounted={false}>
            <Tabs.List mb="lg" style={{ overflowX: 'auto', flexWrap: 'nowrap' }}>
              {allowed.map((name) => <Tabs.Tab key={name} value={name}>{t.abonne.tabs[name]}</Tabs.Tab>)}
            </Tabs.List>
            <Tabs.Panel value="vue"><Overview abonne={abonne} contrats={list(contrats)} /></Tabs.Panel>
            <Tabs.Panel value="releves"><Readings id={id} /></Tabs.Panel>
            <Tabs.Panel value="factures"><AbonneBills id={id} /></Tabs.Panel>
            <Tabs.Panel value="paiements"><Payments id={id} /></Tabs.Panel>
            <Tabs.Panel value="interventions"><Orders id={id} /></Tabs.Panel>
            <Tabs.Panel value="envois"><Mails id={id} /></Tabs.Panel>
            <Tabs.Panel value="chronologie"><Card><Events id={id} /></Card></Tabs.Panel>
          </Tabs>
          <PayModal opened={paying} onClose={pay.close} abonne={id} />
        </Page>
      )}
    </PageOf>
  )
}

function Subtitle({ abonne, contrats }: { abonne: Schemas['Abonne']; contrats: Schemas['Contrat'][] }) {
  const parts = [contrats[0]?.pdl.adresse.voie ?? abonne.adresse.voie, contrats[0]?.pdl.reference, abonne.telephone, abonne.email].filter(Boolean)
  return <Group gap="xs" component="span">{parts.join(' · ')}</Group>
}

function Overview({ abonne, contrats }: { abonne: Schemas['Abonne']; contrats: Schemas['Contrat'][] }) {
  const t = useT()
  const navigate = useNavigate()
  return (
    <Grid gap="lg">
      <Grid.Col span={{ base: 12, lg: 8 }}>
        <Stack gap="lg">
          {contrats.length === 0 ? <Card flush><Empty icon={IconFileText} title={t.abonne.noContract} /></Card> : contrats.map((c) => <ContratCard key={c.id} contrat={c} />)}
          {can('releves:l') && <Consumption id={abonne.id} />}
        </Stack>
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 4 }}>
        <Stack gap="lg">
          {can('paiements:l') && <Account id={abonne.id} />}
          {can('prelevements:l') && <Mandats id={abonne.id} titulaire={fullName(abonne)} />}
          {can('relances:l') && <Aides id={abonne.id} />}
          <Card title={t.abonne.identity} aside={abonne.nature === 'ORGANISATION' && can('abonnes:m') && <Identity abonne={abonne} />}>
            <Facts
              items={[
                [t.abonne.nature, t.word.abonne[abonne.nature]],
                abonne.nature === 'ORGANISATION' && ['SIREN', abonne.siren || <Text span size="sm" c="dimmed">{t.abonne.noSiren}</Text>],
                abonne.siret && ['SIRET', abonne.siret],
                abonne.numero_tva && [t.abonne.tva, abonne.numero_tva],
                [t.abonne.email, abonne.email ?? <Text span size="sm" c="dimmed">{t.abonne.noEmail}</Text>],
                abonne.telephone && [t.abonne.phone, abonne.telephone],
                [t.abonne.address, address(abonne.adresse)],
              ]}
            />
          </Card>
          {can('abonnes:l') && <Textos id={abonne.id} telephone={abonne.telephone} />}
          <Card title={t.abonne.lastEvents} aside={<Button variant="subtle" size="compact-sm" onClick={() => void navigate({ to: '.', search: { onglet: 'chronologie' } })}>{t.abonne.allEvents}</Button>}>
            <Events id={abonne.id} max={6} />
          </Card>
        </Stack>
      </Grid.Col>
    </Grid>
  )
}

function Account({ id }: { id: string }) {
  const t = useT()
  const query = useQuery(compte(id))
  return (
    <Card title={t.abonne.account}>
      <Loaded query={query} rows={2}>
        {({ solde_centimes: solde, echu_centimes: echu }) => (
          <Stack gap="xs">
            <Figure
              label={solde > 0 ? t.abonne.owed : solde < 0 ? t.abonne.credit : t.abonne.balance}
              value={euros(Math.abs(solde))}
              hint={solde === 0 ? t.abonne.settled : undefined}
            />
            {echu > 0 && <Group gap="xs"><State of="facture" value="ECHUE" /><Text size="sm">{t.abonne.overdue(euros(echu))}</Text></Group>}
          </Stack>
        )}
      </Loaded>
    </Card>
  )
}

export function Consumption({ id, title }: { id: string; title?: string }) {
  const t = useT()
  const query = useQuery(releves(id))
  return (
    <Loaded query={query} rows={6}>
      {(page) => {
        const data = bars(list(page.items), t)
        if (data.length === 0) return <Card title={title ?? t.chart.consumption}><Empty icon={IconClipboardList} title={t.abonne.noReadings}>{t.abonne.noReadingsHint}</Empty></Card>
        return <VolumeChart title={title ?? t.chart.consumption} hint={t.espace.yearly(cubicMetres(lastYear(list(page.items))))} data={data} by={t.chart.readOn} names={names(t)} />
      }}
    </Loaded>
  )
}

function Readings({ id }: { id: string }) {
  const t = useT()
  const pages = usePages(['abonnes', id, 'releves'], (curseur, signal) => ok(api.GET('/v1/abonnes/{id}/releves', { params: { path: { id }, query: { curseur } }, signal })))
  return (
    <Stack gap="lg">
      <Consumption id={id} />
      <Card flush>
        <DataTable
          label={t.abonne.tabs.releves}
          {...pages}
          id={(r) => r.id}
          columns={[
            { title: t.chart.readOn, head: true, cell: (r) => day(r.date) },
            { title: t.abonne.index, num: true, cell: (r) => integer(r.index) },
            { title: t.chart.volume, num: true, cell: (r) => cubicMetres(r.volume_litres) },
            { title: t.abonne.days, num: true, wide: true, cell: (r) => integer(r.jours) },
            { title: t.abonne.source, wide: true, cell: (r) => t.word.source[r.source] },
            { title: t.abonne.meter, wide: true, cell: (r) => r.compteur },
            { title: t.abonne.state, cell: (r) => <State of="releve" value={r.etat} /> },
          ]}
          empty={<Empty icon={IconClipboardList} title={t.abonne.noReadings}>{t.abonne.noReadingsHint}</Empty>}
        />
      </Card>
    </Stack>
  )
}

export function AbonneBills({ id }: { id: string }) {
  const t = useT()
  const pages = usePages(['abonnes', id, 'factures'], (curseur, signal) => ok(api.GET('/v1/abonnes/{id}/factures', { params: { path: { id }, query: { curseur } }, signal })))
  return <Card flush><Bills pages={pages} label={t.abonne.tabs.factures} empty={<Empty icon={IconFileInvoice} title={t.abonne.noBills}>{t.abonne.noBillsHint}</Empty>} /></Card>
}

function Payments({ id }: { id: string }) {
  const t = useT()
  const query = useQuery(compte(id))
  return (
    <Stack gap="lg">
      <Account id={id} />
      <Card flush>
        <DataTable
          label={t.abonne.tabs.paiements}
          rows={query.data && list(query.data.paiements)}
          error={query.error}
          refetch={query.refetch}
          id={(p) => p.id}
          columns={[
            { title: t.abonne.received, head: true, cell: (p) => day(p.recu_le) },
            { title: t.abonne.amount, num: true, cell: (p) => euros(p.montant_centimes) },
            { title: t.abonne.mode, cell: (p) => (t.word.mode as Record<string, string>)[p.mode] ?? p.mode },
            {
              title: t.abonne.matched,
              cell: (p) => (
                <>
                  {list(p.lettrages).map((l) => <div key={l.facture_id}><Link to={`/factures/${l.facture_id}`} inherit>{l.numero}</Link> <span className="num soft">{euros(l.montant_centimes)}</span></div>)}
                  {!p.rejete_le && p.avance_centimes > 0 && <div className="soft">{t.abonne.advance(euros(p.avance_centimes))}</div>}
                  {!p.rejete_le && (p.rembourse_centimes ?? 0) > 0 && <div className="soft">{t.paymentActs.aside(euros(p.rembourse_centimes ?? 0))}</div>}
                  {p.rejete_le && <div className="soft">{t.paymentActs.taken(day(p.rejete_le), p.rejet_motif ?? '')}</div>}
                </>
              ),
            },
            {
              title: t.documents.receipt,
              cell: (p) => !p.rejete_le && (
                <DocumentButton small label={t.documents.receipt} name={`${t.documents.receipt} ${day(p.recu_le)}, ${euros(p.montant_centimes)}`} file={`recu-${p.recu_le}.pdf`} read={() => ok(api.GET('/v1/paiements/{id}/recu', { params: { path: { id: p.id } }, parseAs: 'blob' }))} />
              ),
            },
            ...(can('paiements:m') ? [{ title: t.paymentActs.act, cell: (p: Schemas['Paiement']) => <PaymentActs payment={p} /> }] : []),
          ]}
          empty={<Empty icon={IconCoinEuro} title={t.abonne.noPayments} />}
        />
      </Card>
      <Plans id={id} />
      <Refunds abonne={id} />
    </Stack>
  )
}

function Orders({ id }: { id: string }) {
  const t = useT()
  const pages = usePages(['abonnes', id, 'interventions'], (curseur, signal) => ok(api.GET('/v1/abonnes/{id}/interventions', { params: { path: { id }, query: { curseur } }, signal })))
  return (
    <Card flush>
      <DataTable
        label={t.abonne.tabs.interventions}
        {...pages}
        id={(i) => i.id}
        to={(i) => `/interventions/${i.id}`}
        columns={[
          { title: t.interventions.number, head: true, cell: (i) => <Link to={`/interventions/${i.id}`} inherit fw={600} className="id">{i.numero}</Link> },
          { title: t.interventions.nature, cell: (i) => t.word.intervention[i.nature] },
          { title: t.interventions.day, cell: (i) => day(i.prevue_le) },
          { title: t.interventions.technician, wide: true, cell: (i) => i.nom_technicien },
          { title: t.abonne.state, cell: (i) => <State of="intervention" value={i.etat} /> },
        ]}
        empty={<Empty icon={IconTool} title={t.abonne.noOrders} />}
      />
    </Card>
  )
}

function Mails({ id }: { id: string }) {
  const t = useT()
  const pages = usePages(['abonnes', id, 'envois'], (curseur, signal) => ok(api.GET('/v1/abonnes/{id}/envois', { params: { path: { id }, query: { curseur } }, signal })))
  return (
    <Card flush>
      <DataTable
        label={t.abonne.tabs.envois}
        {...pages}
        id={(e) => e.id}
        columns={[
          { title: t.abonne.subject, head: true, cell: (e) => e.objet },
          { title: t.abonne.canal, wide: true, cell: (e) => t.word.canal[e.canal] },
          { title: t.abonne.state, cell: (e) => <State of="envoi" value={e.etat} /> },
          { title: t.abonne.sentAt, num: true, cell: (e) => (e.envoye_a ? instant(e.envoye_a) : '') },
        ]}
        empty={<Empty icon={IconMail} title={t.abonne.noMails} />}
      />
    </Card>
  )
}

const marks: Record<string, Icon> = { contrat: IconFileText, releve: IconClipboardList, facture: IconFileInvoice, paiement: IconCoinEuro, intervention: IconTool, envoi: IconMail }
/** An event of a day has no hour. */
const when = (at: string) => (at.endsWith('T00:00:00Z') ? day(at) : instant(at))

const pageOf: Record<string, string> = { facture: '/factures/', intervention: '/interventions/' }

function Events({ id, max }: { id: string; max?: number }) {
  const t = useT()
  const query = useQuery({ queryKey: ['abonnes', id, 'chronologie'], queryFn: ({ signal }) => ok(api.GET('/v1/abonnes/{id}/chronologie', { params: { path: { id } }, signal })) })
  return (
    <Loaded query={query} rows={5}>
      {(data) => {
        const events = list(data.items).slice(0, max)
        if (events.length === 0) return <Text size="sm" c="dimmed">{t.abonne.noEvents}</Text>
        return (
          <>
            {list(data.indisponibles).length > 0 && <Alert color="ambre" mb="md">{t.error.partial(list(data.indisponibles).map((p) => (t.word.partie as Record<string, string>)[p] ?? p).join(', '))}</Alert>}
            <Timeline bulletSize={26} lineWidth={1} active={events.length}>
              {events.map((e, i) => {
                const Shape = marks[e.nature] ?? IconFileText
                const page = e.objet && pageOf[e.nature]
                return (
                  <Timeline.Item key={`${e.instant}${e.code}${i}`} bullet={<Shape size={14} aria-hidden />}>
                    <Text size="sm">{page ? <Link to={page + e.objet} inherit>{e.texte}</Link> : e.texte}</Text>
                    <Text size="xs" c="dimmed"><time dateTime={e.instant} title={when(e.instant)}>{max ? ago(e.instant) : when(e.instant)}</time>{e.par && ` · ${e.par}`}</Text>
                  </Timeline.Item>
                )
              })}
            </Timeline>
          </>
        )
      }}
    </Loaded>
  )
}
