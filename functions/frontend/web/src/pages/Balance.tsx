import { Alert, Button, Group, SegmentedControl, Select, SimpleGrid, Stack, Table, Tabs, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand, usePages } from '../api/hooks'
import { can } from '../api/session'
import { day, euros, instant, integer, percent, today } from '../format'
import { lang, useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { DocumentButton } from '../ui/DocumentButton'
import { Ask, DayInput, done, sentence } from '../ui/forms'
import { IconAlertTriangle, IconCheck, IconLock, IconScale } from '../ui/icons'
import { Empty, Loaded } from '../ui/Loaded'
import { Card, Figure, Link, Page } from '../ui/Page'
import { Roles } from './Roles'

type Quoi = 'JOURNAL' | 'BALANCE' | 'BALANCE_AGEE' | 'GRAND_LIVRE' | 'TVA' | 'ROLE'
type Entite = Schemas['EntiteComptable']
type Days = { du?: string; au?: string }

const tabs = ['balance', 'agee', 'journal', 'tva', 'roles', 'cloture'] as const
type Tab = (typeof tabs)[number]

/** The books: what they say over days, and the closing of months. */
export default function Balance() {
  const t = useT()
  const navigate = useNavigate()
  const { onglet, compte } = useSearch({ strict: false }) as { onglet?: string; compte?: string }
  const tab: Tab = tabs.find((x) => x === onglet) ?? 'balance'
  const [days, setDays] = useState<Days>({ du: `${today().slice(0, 4)}-01-01` })
  const dated = tab === 'balance' || tab === 'journal' || tab === 'tva'
  return (
    <Page title={t.compta.title}>
      <Tabs value={tab} onChange={(value) => void navigate({ to: '.', search: { onglet: value === 'balance' ? undefined : (value ?? undefined) }, replace: true })} keepMounted={false}>
        <Tabs.List mb="lg">{tabs.map((x) => <Tabs.Tab key={x} value={x}>{t.compta.tabs[x]}</Tabs.Tab>)}</Tabs.List>
        <Stack gap="lg">
          {dated && (
            <Group gap="md" align="flex-end" className="no-print">
              <DayInput label={t.compta.du} clearable value={days.du ?? null} onChange={(v) => setDays({ ...days, du: v ?? undefined })} />
              <DayInput label={t.compta.au} clearable value={days.au ?? null} onChange={(v) => setDays({ ...days, au: v ?? undefined })} />
            </Group>
          )}
          <Tabs.Panel value="balance">{compte ? <Account compte={compte} days={days} /> : <Trial days={days} />}</Tabs.Panel>
          <Tabs.Panel value="agee"><Aged /></Tabs.Panel>
          <Tabs.Panel value="journal"><Entries days={days} /></Tabs.Panel>
          <Tabs.Panel value="tva"><VAT days={days} /></Tabs.Panel>
          <Tabs.Panel value="roles"><Roles /></Tabs.Panel>
          <Tabs.Panel value="cloture"><Closing /></Tabs.Panel>
        </Stack>
      </Tabs>
    </Page>
  )
}

/** Files of what one sees, for a spreadsheet. */
function Files({ quoi, days = {}, compte }: { quoi: Quoi; days?: Days; compte?: string }) {
  if (!can('comptabilite:e')) return null
  const read = (format: 'CSV' | 'XLSX') => () =>
    ok(api.GET('/v1/comptabilite/exports/{quoi}', { params: { path: { quoi }, query: { format, compte, ...days } }, parseAs: 'blob' }))
  const name = quoi.toLowerCase().replaceAll('_', '-')
  return (
    <Group gap="xs" className="no-print">
      <DocumentButton label="CSV" name={`CSV ${name}`} file={`${name}.csv`} read={read('CSV')} size="xs" />
      <DocumentButton label="XLSX" name={`XLSX ${name}`} file={`${name}.xlsx`} read={read('XLSX')} size="xs" />
    </Group>
  )
}

function Trial({ days }: { days: Days }) {
  const t = useT()
  const query = useQuery({ queryKey: ['balance', days], queryFn: ({ signal }) => ok(api.GET('/v1/balance', { params: { query: days }, signal })) })
  const checks = useQuery({ queryKey: ['controles'], queryFn: ({ signal }) => ok(api.GET('/v1/comptabilite/controles', { signal })) })
  const broken = list(checks.data?.controles).filter((c) => c.anomalies !== 0)
  return (
    <Loaded query={query} rows={6}>
      {(b) => {
        const balanced = b.debit_centimes === b.credit_centimes
        return (
          <Stack gap="lg">
            <Alert color={balanced ? 'vert' : 'rouge'} icon={balanced ? <IconCheck aria-hidden /> : <IconAlertTriangle aria-hidden />}>
              {balanced ? t.balance.balanced : t.balance.unbalanced}{checks.data && broken.length === 0 && ` ${t.compta.checked(list(checks.data.controles).length)}`}
            </Alert>
            {broken.map((c) => (
              <Alert key={c.code} color="rouge" icon={<IconAlertTriangle aria-hidden />} title={t.compta.broken}>{lang() === 'en' ? c.libelle_en : c.libelle} {t.compta.off(c.anomalies, euros(c.ecart_centimes))}</Alert>
            ))}
            <Card title={t.balance.title} aside={<Files quoi="BALANCE" days={days} />} flush>
              <DataTable
                label={t.balance.title}
                rows={list(b.comptes)}
                id={(c) => c.compte}
                to={(c) => `/balance?compte=${c.compte}`}
                columns={[
                  { title: t.balance.account, head: true, cell: (c) => <Link to={`/balance?compte=${c.compte}`} inherit><span className="num">{c.compte}</span></Link> },
                  { title: t.balance.label, cell: (c) => c.libelle },
                  { title: t.compta.opening, num: true, wide: true, cell: (c) => euros(c.ouverture_centimes) },
                  { title: t.balance.debit, num: true, cell: (c) => euros(c.debit_centimes) },
                  { title: t.balance.credit, num: true, cell: (c) => euros(c.credit_centimes) },
                  { title: t.balance.solde, num: true, wide: true, cell: (c) => euros(c.solde_centimes) },
                ]}
                foot={
                  <Table.Tr>
                    <Table.Th scope="row" colSpan={2}>{t.balance.total}</Table.Th>
                    <Table.Td className="num mantine-visible-from-sm" />
                    <Table.Td className="num">{euros(b.debit_centimes)}</Table.Td>
                    <Table.Td className="num">{euros(b.credit_centimes)}</Table.Td>
                    <Table.Td className="num mantine-visible-from-sm">{euros(b.debit_centimes - b.credit_centimes)}</Table.Td>
                  </Table.Tr>
                }
                empty={<Empty icon={IconScale} title={t.balance.empty}>{t.balance.emptyHint}</Empty>}
              />
            </Card>
          </Stack>
        )
      }}
    </Loaded>
  )
}

/** The movements of an account. */
function Account({ compte, days }: { compte: string; days: Days }) {
  const t = useT()
  const pages = usePages(['grand-livre', compte, days], (curseur, signal) => ok(api.GET('/v1/comptabilite/comptes/{compte}', { params: { path: { compte }, query: { ...days, curseur } }, signal })))
  const title = `${compte} ${pages.first?.libelle ?? ''}`
  return (
    <Stack gap="sm">
      <Link to="/balance" size="sm">{t.compta.back}</Link>
      <Card title={title} hint={pages.first && `${t.compta.opening} ${euros(pages.first.ouverture_centimes)}`} aside={<Files quoi="GRAND_LIVRE" days={days} compte={compte} />} flush>
        <DataTable
          label={title}
          {...pages}
          id={(l) => l.ecriture_id}
          columns={[
            { title: t.date, head: true, cell: (l) => day(l.date) },
            { title: t.compta.journal, wide: true, cell: (l) => t.compta.journals[l.journal] },
            { title: t.compta.piece, wide: true, cell: (l) => l.piece },
            { title: t.balance.label, cell: (l) => (l.abonne_id ? <Link to={`/abonnes/${l.abonne_id}`} inherit>{l.libelle}</Link> : l.libelle) },
            { title: t.balance.debit, num: true, cell: (l) => (l.debit_centimes ? euros(l.debit_centimes) : '') },
            { title: t.balance.credit, num: true, cell: (l) => (l.credit_centimes ? euros(l.credit_centimes) : '') },
            { title: t.balance.solde, num: true, wide: true, cell: (l) => euros(l.solde_centimes) },
          ]}
          empty={<Empty icon={IconScale} title={t.compta.noEntry}>{t.compta.noEntryHint}</Empty>}
        />
      </Card>
    </Stack>
  )
}

const ages = ['NON_ECHU', 'J0_30', 'J31_60', 'J61_90', 'J90_PLUS', 'AVANCE'] as const

function Aged() {
  const t = useT()
  const [tranche, setTranche] = useState<(typeof ages)[number]>()
  const pages = usePages(['balance-agee', tranche], (curseur, signal) => ok(api.GET('/v1/comptabilite/balance-agee', { params: { query: { tranche, curseur } }, signal })))
  const total = pages.first?.total
  const cells = (c: Schemas['CompteAge']) => [c.non_echu_centimes, c.j0_30_centimes, c.j31_60_centimes, c.j61_90_centimes, c.j90_plus_centimes, c.avance_centimes]
  return (
    <Stack gap="lg">
      <Card title={t.compta.tabs.agee} hint={t.compta.agedHint} aside={<Files quoi="BALANCE_AGEE" />}>
        {total && <SimpleGrid cols={{ base: 2, sm: 4, lg: 7 }}>{[...cells(total), total.solde_centimes].map((v, i) => <Figure key={i} label={i < ages.length ? t.compta.ages[ages[i]!] : t.balance.solde} value={euros(v)} />)}</SimpleGrid>}
      </Card>
      <Select aria-label={t.compta.age} clearable placeholder={t.all} w={{ base: '100%', sm: 260 }} data={ages.map((a) => ({ value: a, label: t.compta.ages[a] }))} value={tranche ?? null} onChange={(v) => setTranche(ages.find((a) => a === v))} className="no-print" />
      <Card flush>
        <DataTable
          label={t.compta.tabs.agee}
          {...pages}
          id={(c) => c.abonne_id ?? ''}
          to={(c) => `/abonnes/${c.abonne_id}?onglet=factures`}
          columns={[
            { title: t.abonnes.name, head: true, cell: (c) => (c.abonne_id ? <Link to={`/abonnes/${c.abonne_id}?onglet=factures`} inherit>{c.nom}</Link> : t.compta.nobody) },
            ...ages.map((a, i) => ({ title: t.compta.ages[a], num: true, wide: true, cell: (c: Schemas['CompteAge']) => (cells(c)[i] ? euros(cells(c)[i]!) : '') })),
            { title: t.balance.solde, num: true, cell: (c) => euros(c.solde_centimes) },
          ]}
          empty={<Empty icon={IconCheck} title={t.compta.nothingOwed}>{t.compta.nothingOwedHint}</Empty>}
        />
      </Card>
    </Stack>
  )
}

const journals = ['VT', 'BQ', 'CA', 'OD'] as const

function Entries({ days }: { days: Days }) {
  const t = useT()
  const [journal, setJournal] = useState<(typeof journals)[number]>()
  const pages = usePages(['ecritures', journal, days], (curseur, signal) => ok(api.GET('/v1/comptabilite/ecritures', { params: { query: { journal, ...days, curseur } }, signal })))
  const rows = pages.rows?.flatMap((e) => list(e.mouvements).map((m, i) => ({ ...m, e, first: i === 0 })))
  const choice = {
    size: 'xs',
    'aria-label': t.compta.journal,
    data: [{ value: '', label: t.all }, ...journals.map((j) => ({ value: j as string, label: t.compta.journals[j] }))],
    value: journal ?? '',
    onChange: (v: string | null) => setJournal(journals.find((j) => j === v)),
  }
  return (
    <Card
      title={t.compta.tabs.journal}
      aside={<Group gap="md"><SegmentedControl visibleFrom="md" {...choice} /><Select hiddenFrom="md" allowDeselect={false} {...choice} /><Files quoi="JOURNAL" days={days} /></Group>}
      flush
    >
      <DataTable
        label={t.compta.tabs.journal}
        {...pages}
        rows={rows}
        id={(m) => m.e.id + m.compte}
        columns={[
          { title: t.date, cell: (m) => (m.first ? day(m.e.date) : '') },
          { title: t.compta.number, num: true, wide: true, cell: (m) => (m.first && m.e.numero ? integer(m.e.numero) : '') },
          { title: t.compta.piece, wide: true, cell: (m) => (m.first ? m.e.piece : '') },
          { title: t.balance.account, head: true, cell: (m) => <span title={m.libelle}>{m.compte}</span> },
          { title: t.balance.label, wide: true, cell: (m) => (m.first ? m.e.libelle : m.libelle) },
          { title: t.balance.debit, num: true, cell: (m) => (m.debit_centimes ? euros(m.debit_centimes) : '') },
          { title: t.balance.credit, num: true, cell: (m) => (m.credit_centimes ? euros(m.credit_centimes) : '') },
        ]}
        empty={<Empty icon={IconScale} title={t.compta.noEntry}>{t.compta.noEntryHint}</Empty>}
      />
    </Card>
  )
}

function VAT({ days }: { days: Days }) {
  const t = useT()
  const period = { du: days.du ?? '2000-01-01', au: days.au ?? today() }
  const query = useQuery({ queryKey: ['tva', period], queryFn: ({ signal }) => ok(api.GET('/v1/comptabilite/tva', { params: { query: period }, signal })) })
  return (
    <Loaded query={query} rows={4}>
      {(v) => (
        <Card title={t.compta.tabs.tva} hint={t.compta.vatOn[v.exigibilite]} aside={<Files quoi="TVA" days={period} />} flush>
          <DataTable
            label={t.compta.tabs.tva}
            rows={list(v.lignes)}
            id={(l) => l.mois + l.taux_pm}
            columns={[
              { title: t.chart.month, head: true, cell: (l) => l.mois.slice(0, 7).split('-').reverse().join('/') },
              { title: t.compta.rate, num: true, cell: (l) => percent(l.taux_pm) },
              { title: t.compta.base, num: true, cell: (l) => euros(l.base_centimes) },
              { title: t.compta.vat, num: true, cell: (l) => euros(l.tva_centimes) },
            ]}
            foot={
              <Table.Tr>
                <Table.Th scope="row" colSpan={2}>{t.balance.total}</Table.Th>
                <Table.Td className="num">{euros(v.base_centimes)}</Table.Td>
                <Table.Td className="num">{euros(v.tva_centimes)}</Table.Td>
              </Table.Tr>
            }
            empty={<Empty icon={IconScale} title={t.compta.noEntry}>{t.compta.noEntryHint}</Empty>}
          />
          <Text size="sm" c="dimmed" px="lg" py="sm">{t.compta.vatJournal(euros(v.journal_centimes))}</Text>
        </Card>
      )}
    </Loaded>
  )
}

/** The last day of the month before a day. */
const endOfLastMonth = (now: string) => new Date(Date.parse(`${now.slice(0, 7)}-01T12:00:00Z`) - 864e5).toISOString().slice(0, 10)

function Closing() {
  const t = useT()
  const [asking, ask] = useDisclosure()
  const [setting, set] = useState<Entite>()
  const entites = useQuery({ queryKey: ['entites-comptables'], queryFn: ({ signal }) => ok(api.GET('/v1/comptabilite/entites', { signal })) })
  const past = useQuery({ queryKey: ['clotures'], queryFn: ({ signal }) => ok(api.GET('/v1/comptabilite/clotures', { signal })) })
  const year = Number(today().slice(0, 4))
  return (
    <Stack gap="lg">
      <Loaded query={entites} rows={3}>
        {(e) => (
          <Card title={t.compta.entities} flush>
            <DataTable
              label={t.compta.entities}
              rows={list(e.items)}
              id={(x) => x.entite}
              columns={[
                { title: t.compta.entity, head: true, cell: (x) => x.nom || x.entite },
                { title: 'SIREN', cell: (x) => x.siren ?? '–' },
                { title: t.compta.regime, cell: (x) => t.compta.regimes[x.regime] },
                { title: t.compta.vat, wide: true, cell: (x) => t.compta.vatOn[x.tva_exigibilite] },
                { title: t.compta.closedUpTo, cell: (x) => (x.close_jusqua ? day(x.close_jusqua) : '–') },
                {
                  title: t.compta.files,
                  cell: (x) =>
                    can('comptabilite:e') && x.regime === 'PRIVE' && x.siren && x.close_jusqua ? (
                      <Group gap="xs">
                        {[year, year - 1].filter((y) => x.close_jusqua! >= `${y}-01-31`).map((y) => (
                          <DocumentButton key={y} label={`FEC ${y}`} size="xs" file={`${x.siren}FEC${(x.close_jusqua! < `${y}-12-31` ? x.close_jusqua! : `${y}-12-31`).replaceAll('-', '')}.txt`} read={() => ok(api.GET('/v1/comptabilite/exports/{quoi}', { params: { path: { quoi: 'FEC' }, query: { exercice: y, entite: x.entite } }, parseAs: 'blob' }))} />
                        ))}
                      </Group>
                    ) : x.regime === 'REGIE' ? (
                      <Link to="/balance?onglet=roles" size="sm">{t.compta.tabs.roles}</Link>
                    ) : (
                      <Text size="sm" c="dimmed">{t.compta.noFEC}</Text>
                    ),
                },
                { title: t.compta.settings, cell: (x) => can('comptabilite:m') && <Button size="compact-sm" variant="default" onClick={() => set(x)}>{t.compta.set}</Button> },
              ]}
              empty={null}
            />
          </Card>
        )}
      </Loaded>
      <Card title={t.compta.tabs.cloture} aside={can('comptabilite:v') && <Button leftSection={<IconLock size={16} />} onClick={ask.open}>{t.compta.close}</Button>} flush>
        <DataTable
          label={t.compta.tabs.cloture}
          rows={past.data && list(past.data.items)}
          error={past.error}
          id={(c) => c.entite + c.jusqua}
          columns={[
            { title: t.compta.closedUpTo, head: true, cell: (c) => day(c.jusqua) },
            { title: t.compta.entity, wide: true, cell: (c) => c.entite },
            { title: t.compta.entries, num: true, cell: (c) => integer(c.ecritures) },
            { title: t.compta.numbers, num: true, wide: true, cell: (c) => (c.premier_numero ? `${integer(c.premier_numero)} – ${integer(c.dernier_numero ?? 0)}` : '–') },
            { title: t.balance.debit, num: true, cell: (c) => euros(c.debit_centimes) },
            { title: t.compta.closedAt, wide: true, cell: (c) => c.cloturee_a && instant(c.cloturee_a) },
          ]}
          empty={<Empty icon={IconLock} title={t.compta.nothingClosed}>{t.compta.nothingClosedHint}</Empty>}
        />
      </Card>
      {asking && <CloseModal onClose={ask.close} />}
      {setting && <SettingsModal of={setting} onClose={() => set(undefined)} />}
    </Stack>
  )
}

/** How an entity keeps its books. */
function SettingsModal({ of, onClose }: { of: Entite; onClose: () => void }) {
  const t = useT()
  const [siren, setSiren] = useState(of.siren ?? '')
  const [regime, setRegime] = useState(of.regime)
  const [vat, setVAT] = useState(of.tva_exigibilite)
  const [from, setFrom] = useState<string | null>(null)
  const [source, setSource] = useState('')
  const command = useCommand(
    (body: Schemas['ReglerComptabilite'], header) => ok(api.POST('/v1/comptabilite/entites', { params: { header }, body })),
    onClose,
  )
  return (
    <Ask title={of.nom || of.entite} opened onClose={onClose} submit={t.compta.set} busy={command.isPending} error={command.error && sentence(command.error)} onSubmit={() => command.mutate({ entite: of.entite, siren: siren.replaceAll(' ', '') || undefined, regime, tva_exigibilite: vat, tva_depuis: from ?? undefined, tva_source: source || undefined })}>
      <TextInput label="SIREN" inputMode="numeric" maxLength={11} value={siren} onChange={(e) => setSiren(e.currentTarget.value)} data-autofocus />
      <Select label={t.compta.regime} allowDeselect={false} data={(['REGIE', 'PRIVE'] as const).map((r) => ({ value: r, label: t.compta.regimes[r] }))} value={regime} onChange={(v) => setRegime(v === 'PRIVE' ? 'PRIVE' : 'REGIE')} />
      <Select label={t.compta.vat} allowDeselect={false} data={(['DEBITS', 'ENCAISSEMENTS'] as const).map((v) => ({ value: v, label: t.compta.vatOn[v] }))} value={vat} onChange={(v) => setVAT(v === 'ENCAISSEMENTS' ? 'ENCAISSEMENTS' : 'DEBITS')} />
      {vat !== of.tva_exigibilite && (
        <>
          <DayInput label={t.compta.vatFrom} description={t.compta.vatFromHint} clearable value={from} onChange={setFrom} />
          <TextInput label={t.compta.vatSource} maxLength={200} value={source} onChange={(e) => setSource(e.currentTarget.value)} />
        </>
      )}
    </Ask>
  )
}

/** Says what closing does, in figures, before it does it. */
function CloseModal({ onClose }: { onClose: () => void }) {
  const t = useT()
  const [jusqua, setJusqua] = useState(endOfLastMonth(today()))
  const seen = useQuery({ queryKey: ['apercu-cloture', jusqua], queryFn: ({ signal }) => ok(api.GET('/v1/comptabilite/clotures/apercu', { params: { query: { jusqua } }, signal })), retry: false })
  const command = useCommand(
    (_: null, header) => ok(api.POST('/v1/comptabilite/clotures', { params: { header }, body: { jusqua } })),
    (c) => (onClose(), done(t.compta.closed(day(c.jusqua)))),
  )
  const c = seen.data
  return (
    <Ask title={t.compta.close} danger opened onClose={onClose} submit={t.compta.close} busy={command.isPending} error={command.error?.message ?? (seen.error as Error | null)?.message} disabled={!c} onSubmit={() => command.mutate(null)}>
      <DayInput label={t.compta.closeUpTo} value={jusqua} onChange={(v) => v && setJusqua(v)} data-autofocus />
      {c && (
        <>
          <Text size="sm">{t.compta.consequence(integer(c.ecritures), euros(c.debit_centimes), day(c.jusqua))}</Text>
          {c.premier_numero && <Text size="sm">{t.compta.numbersTaken(integer(c.premier_numero), integer(c.dernier_numero ?? 0), c.jusqua.slice(0, 4))}</Text>}
          {(c.lots_ouverts ?? 0) > 0 && <Alert color="ambre" icon={<IconAlertTriangle size={18} aria-hidden />}>{t.compta.openLots(c.lots_ouverts!)}</Alert>}
        </>
      )}
    </Ask>
  )
}
