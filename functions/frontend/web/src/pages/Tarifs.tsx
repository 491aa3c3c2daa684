import { Button, Checkbox, Group, Select, SimpleGrid, Stack, Table, Tabs, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { can } from '../api/session'
import { day, dayBefore, euros, integer, percent, rate, today } from '../format'
import { useT } from '../i18n'
import { PriceCurves } from '../ui/Curves'
import { DataTable } from '../ui/DataTable'
import { Ask, DayInput, done, sentence, showFields } from '../ui/forms'
import { IconCoinEuro, IconDownload, IconMapPin, IconPlus } from '../ui/icons'
import { Empty, Loaded } from '../ui/Loaded'
import { Card, Link, Page } from '../ui/Page'
import { communes, Compared, GrilleModal, type Grille, type Projet } from './GrilleModal'
import { TauxPublies } from './TauxPublies'

const tabs = ['grilles', 'comparaison', 'factures', 'redevances', 'communes', 'exemples'] as const
type Tab = (typeof tabs)[number]

const blank: Projet = { code: '', service: 'eau', du: today(), au: `${Number(today().slice(0, 4)) + 1}-01-01`, part_fixe_an_ue: 0, tranches: [{ prix_m3_ue: 0 }], tva_pm: 55, deliberation: '' }

/** Tariffs by service, commune and profile, and what they make of a bill. */
export default function Tarifs() {
  const t = useT()
  const navigate = useNavigate()
  const asked = (useSearch({ strict: false }) as { onglet?: string }).onglet
  const tab: Tab = tabs.find((x) => x === asked) ?? 'grilles'
  const query = useQuery({ queryKey: ['tarifs'], queryFn: ({ signal }) => ok(api.GET('/v1/tarifs', { signal })) })
  return (
    <Page title={t.tarifs.title} actions={<Link to="/tarifs/et-si">{t.whatif.title}</Link>}>
      <Tabs value={tab} onChange={(next) => void navigate({ to: '.', search: { onglet: next === 'grilles' ? undefined : (next ?? undefined) }, replace: true })} keepMounted={false}>
        <Tabs.List mb="lg" style={{ overflowX: 'auto', flexWrap: 'nowrap' }}>
          {tabs.map((name) => <Tabs.Tab key={name} value={name}>{t.grilles.tabs[name]}</Tabs.Tab>)}
        </Tabs.List>
        <Tabs.Panel value="grilles"><Loaded query={query} rows={8}>{(data) => <Chains tarifs={data} />}</Loaded></Tabs.Panel>
        <Tabs.Panel value="comparaison"><Loaded query={query} rows={8}>{(data) => <Comparison grilles={list(data.grilles)} />}</Loaded></Tabs.Panel>
        <Tabs.Panel value="factures"><TypicalBills /></Tabs.Panel>
        <Tabs.Panel value="redevances"><Loaded query={query} rows={8}>{(data) => <><Levies rows={list(data.redevances)} /><TauxPublies /></>}</Loaded></Tabs.Panel>
        <Tabs.Panel value="communes"><Communes /></Tabs.Panel>
        <Tabs.Panel value="exemples"><Examples /></Tabs.Panel>
      </Tabs>
    </Page>
  )
}

const inForce = ({ du, au }: { du: string; au: string }) => du <= today() && today() < au

/** The versions of each service, commune and profile, on a line of time. */
function Chains({ tarifs }: { tarifs: Schemas['TarifsEnVigueur'] }) {
  const t = useT()
  const g = t.grilles
  const known = useQuery(communes())
  const [adding, add] = useDisclosure()
  const chains = new Map<string, Grille[]>()
  for (const x of list(tarifs.grilles)) {
    const key = [x.service, x.commune ?? '', x.profil ?? ''].join('|')
    chains.set(key, [...(chains.get(key) ?? []), x])
  }
  const nameOf = (insee: string | undefined) => (insee ? (list(known.data?.communes).find((c) => c.code_insee === insee)?.nom ?? insee) : g.everywhere)
  const create = useCommand((body: Projet, header) => ok(api.POST('/v1/grilles', { params: { header }, body })), (made) => done(g.defined(made.code)))
  return (
    <Stack gap="lg">
      {can('tarifs:c') && <Group justify="flex-end"><Button leftSection={<IconPlus size={16} />} onClick={add.open}>{g.add}</Button></Group>}
      {chains.size === 0 && <Card flush><Empty icon={IconCoinEuro} title={t.tarifs.empty}>{t.tarifs.emptyHint}</Empty></Card>}
      {[...chains.values()].map((versions) => <Chain key={versions[0]!.id} versions={versions} commune={nameOf(versions[0]!.commune)} />)}
      <Card title={g.rules} hint={g.rulesHint} flush>
        <DataTable
          label={g.rules}
          rows={list(tarifs.regles)}
          id={(r) => `${r.code}${r.valeur_pm}${r.du}`}
          columns={[
            { title: g.rule, head: true, cell: (r) => g.ruleNames[r.code] },
            { title: g.value, num: true, cell: (r) => percent(r.valeur_pm) },
            { title: t.tarifs.period, cell: (r) => <span className="num">{`${r.du ? day(r.du) : '…'} – ${r.au ? dayBefore(r.au) : '…'}`}</span> },
            { title: t.tarifs.source, wide: true, cell: (r) => r.source },
          ]}
          empty={null}
        />
      </Card>
      <GrilleModal title={g.add} from={blank} opened={adding} onClose={add.close} submit={g.define} send={(p) => create.mutateAsync(p)} />
    </Stack>
  )
}

function Chain({ versions, commune }: { versions: Grille[]; commune: string }) {
  const t = useT()
  const g = t.grilles
  const last = versions.at(-1)!
  const [following, follow] = useDisclosure()
  const [correcting, setCorrecting] = useState<Grille | null>(null)
  const [ending, setEnding] = useState<Grille | null>(null)
  const [withdrawing, setWithdrawing] = useState<Grille | null>(null)
  const create = useCommand((body: Projet, header) => ok(api.POST('/v1/grilles', { params: { header }, body })), (made) => done(g.defined(made.code)))
  const correct = useCommand(({ id, body }: { id: string; body: Projet }, header) => ok(api.POST('/v1/grilles/{id}/correction', { params: { path: { id }, header }, body })), (made) => done(g.corrected(made.code)))
  const title = `${t.word.service[last.service]} · ${commune} · ${last.profil ? g.profiles[last.profil] : g.allProfiles}`
  const state = (v: Grille) => (inForce(v) ? t.tarifs.inForce : v.du > today() ? t.tarifs.future : t.tarifs.past)
  return (
    <Card title={title} flush aside={can('tarifs:c') && <Button variant="default" size="xs" leftSection={<IconPlus size={14} />} onClick={follow.open}>{g.next}</Button>}>
      <ol className="versions" aria-label={g.timeline}>
        {versions.map((v) => (
          <li key={v.id} data-now={inForce(v) || undefined} style={{ flexGrow: Math.max(1, (Date.parse(v.au) - Date.parse(v.du)) / 864e5) }}>
            <span className="num">{day(v.du)}</span> <strong>{v.code}</strong>
          </li>
        ))}
      </ol>
      <DataTable
        label={title}
        rows={versions.toReversed()}
        id={(v) => v.id}
        columns={[
          { title: g.code, head: true, cell: (v) => <>{v.code}<Text size="xs" c="dimmed">{v.deliberation}</Text></> },
          { title: t.tarifs.period, cell: (v) => <><span className="num">{`${day(v.du)} – ${dayBefore(v.au)}`}</span><Text size="xs" c="dimmed">{state(v)}{v.facturee_jusqu_au && ` · ${g.billedUpTo(day(v.facturee_jusqu_au))}`}</Text></> },
          { title: g.fixedShort, num: true, wide: true, cell: (v) => rate(v.part_fixe_an_ue) },
          { title: t.tarifs.perM3, num: true, wide: true, cell: (v) => list(v.tranches).map((x) => rate(x.prix_m3_ue)).join(' / ') },
          { title: t.tarifs.vat, num: true, wide: true, cell: (v) => percent(v.tva_pm) },
          { title: g.ref, num: true, cell: (v) => euros(v.facture_120_ht_centimes) },
          {
            title: g.actions,
            wide: true,
            cell: (v) =>
              can('tarifs:m') && (
                <Group gap={4} wrap="nowrap">
                  {!v.facturee_jusqu_au && <Button variant="subtle" size="compact-xs" aria-label={`${g.correct} ${v.code}`} onClick={() => setCorrecting(v)}>{g.correct}</Button>}
                  {!v.facturee_jusqu_au && <Button variant="subtle" size="compact-xs" color="rouge" aria-label={`${g.withdraw} ${v.code}`} onClick={() => setWithdrawing(v)}>{g.withdraw}</Button>}
                  {v === last && <Button variant="subtle" size="compact-xs" aria-label={`${g.end} ${v.code}`} onClick={() => setEnding(v)}>{g.end}</Button>}
                </Group>
              ),
          },
        ]}
        empty={null}
      />
      <GrilleModal title={g.next} from={last} opened={following} onClose={follow.close} submit={g.define} send={(p) => create.mutateAsync(p)} />
      {correcting && <GrilleModal title={`${g.correct} ${correcting.code}`} from={correcting} follows={false} opened onClose={() => setCorrecting(null)} submit={g.correct} send={(body) => correct.mutateAsync({ id: correcting.id, body })} />}
      {ending && <EndModal grille={ending} onClose={() => setEnding(null)} />}
      {withdrawing && <WithdrawModal grille={withdrawing} onClose={() => setWithdrawing(null)} />}
    </Card>
  )
}

function EndModal({ grille, onClose }: { grille: Grille; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const form = useForm({ initialValues: { au: grille.au }, validate: { au: (v) => (v ? null : t.form.required) } })
  const command = useCommand((au: string, header) => ok(api.POST('/v1/grilles/{id}/fin', { params: { path: { id: grille.id }, header }, body: { au } })), onClose)
  return (
    <Ask title={`${t.grilles.end} ${grille.code}`} opened onClose={onClose} submit={t.grilles.end} busy={command.isPending} error={error} onSubmit={() => !form.validate().hasErrors && command.mutate(form.values.au, { onError: (p) => setError(showFields(form, p)) })}>
      <Text size="sm">{t.grilles.endText}</Text>
      <DayInput label={t.grilles.to} withAsterisk data-autofocus {...form.getInputProps('au')} />
    </Ask>
  )
}

function WithdrawModal({ grille, onClose }: { grille: Grille; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const command = useCommand((_: null, header) => ok(api.POST('/v1/grilles/{id}/retrait', { params: { path: { id: grille.id }, header } })), onClose)
  return (
    <Ask title={`${t.grilles.withdraw} ${grille.code}`} opened onClose={onClose} submit={t.grilles.withdraw} danger busy={command.isPending} error={error} onSubmit={() => command.mutate(null, { onError: (p) => setError(p.message) })}>
      <Text size="sm">{t.grilles.withdrawText(grille.code, day(grille.du))}</Text>
    </Ask>
  )
}

/** Two versions side by side. */
function Comparison({ grilles }: { grilles: Grille[] }) {
  const t = useT()
  const g = t.grilles
  const current = grilles.find(inForce) ?? grilles[0]
  const chain = grilles.filter((x) => x.service === current?.service && x.commune === current?.commune && x.profil === current?.profil)
  const [left, setLeft] = useState<string | null>(chain.at(-2)?.id ?? current?.id ?? null)
  const [right, setRight] = useState<string | null>(chain.at(-1)?.id ?? null)
  const ids = [left, right].filter((x): x is string => Boolean(x))
  const query = useQuery({ queryKey: ['tarifs', 'prix', ids], enabled: ids.length === 2, queryFn: () => ok(api.POST('/v1/simulations/prix', { body: { ids } })) })
  if (!current) return <Card flush><Empty icon={IconCoinEuro} title={t.tarifs.empty}>{t.tarifs.emptyHint}</Empty></Card>
  const options = grilles.map((x) => ({ value: x.id, label: `${x.code} (${day(x.du)} – ${dayBefore(x.au)})` }))
  return (
    <Stack gap="lg">
      <Card>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Select label={g.before} data={options} value={left} onChange={setLeft} searchable allowDeselect={false} />
          <Select label={g.after} data={options} value={right} onChange={setRight} searchable allowDeselect={false} />
        </SimpleGrid>
      </Card>
      <Loaded query={query} rows={8}>
        {({ courbes }) => (
          <>
            <Card title={g.sideBySide} flush><SideBySide grilles={list(courbes).map((c) => c.grille)} /></Card>
            <Card title={g.bills} hint={g.billsHint} flush><Compared courbes={list(courbes)} /></Card>
            <PriceCurves title={g.curve} hint={g.billsHint} curves={list(courbes).map((c, i) => ({ name: list(courbes).findIndex((o) => o.grille.code === c.grille.code) === i ? c.grille.code : `${c.grille.code} (2)`, points: list(c.points).map((p) => ({ m3: p.m3, centimes: p.ttc_centimes })) }))} />
          </>
        )}
      </Loaded>
    </Stack>
  )
}

function SideBySide({ grilles }: { grilles: Grille[] }) {
  const t = useT()
  const slabs = Math.max(...grilles.map((x) => list(x.tranches).length))
  const slab = (x: Grille, i: number) => {
    const all = list(x.tranches)
    const tranche = all[i]
    if (!tranche) return '–'
    const from = all[i - 1]?.jusqua_m3 ?? 0
    const label = tranche.jusqua_m3 ? t.tarifs.from(integer(from), integer(tranche.jusqua_m3)) : from ? t.tarifs.beyond(integer(from)) : t.tarifs.any
    return <>{rate(tranche.prix_m3_ue)}<Text size="xs" c="dimmed">{label}</Text></>
  }
  const lines: [string, (x: Grille) => React.ReactNode][] = [
    [t.tarifs.period, (x) => `${day(x.du)} – ${dayBefore(x.au)}`],
    [t.tarifs.fixed, (x) => rate(x.part_fixe_an_ue)],
    ...Array.from({ length: slabs }, (_, i): [string, (x: Grille) => React.ReactNode] => [t.grilles.slab(i + 1), (x) => slab(x, i)]),
    [t.tarifs.vat, (x) => percent(x.tva_pm)],
    [t.tarifs.ref, (x) => euros(x.facture_120_ht_centimes)],
    [t.tarifs.decision, (x) => x.deliberation],
  ]
  return (
    <div className="table-scroll" role="region" aria-label={t.grilles.sideBySide} tabIndex={0}>
      <Table className="data-table">
        <Table.Thead><Table.Tr><Table.Th scope="col">{t.grilles.what}</Table.Th>{grilles.map((x, i) => <Table.Th key={i} scope="col" className="num">{x.code}</Table.Th>)}</Table.Tr></Table.Thead>
        <Table.Tbody>{lines.map(([label, cell]) => <Table.Tr key={label}><Table.Th scope="row">{label}</Table.Th>{grilles.map((x, i) => <Table.Td key={i} className="num">{cell(x)}</Table.Td>)}</Table.Tr>)}</Table.Tbody>
      </Table>
    </div>
  )
}

/** The bill of 120 m3 in each commune. */
function TypicalBills() {
  const t = useT()
  const g = t.grilles
  const [date, setDate] = useState<string | null>(today())
  const query = useQuery({ queryKey: ['tarifs', 'factures-types', date], enabled: Boolean(date), queryFn: ({ signal }) => ok(api.GET('/v1/tarifs/factures-types', { params: { query: { date: date! } }, signal })) })
  const share = (f: Schemas['FactureType'], code: string) => euros(list(f.rubriques).find((r) => r.code === code)?.ht_centimes ?? 0)
  return (
    <Stack gap="lg">
      <Group><DayInput label={g.onDay} value={date} onChange={setDate} /></Group>
      <Card title={g.typical} hint={g.typicalHint} flush>
        <DataTable
          label={g.typical}
          rows={query.data && list(query.data.factures)}
          error={query.error}
          id={(f) => f.code_insee || '-'}
          columns={[
            { title: g.commune, head: true, cell: (f) => f.nom || f.code_insee || g.everywhere },
            { title: t.word.rubrique.distribution, num: true, wide: true, cell: (f) => share(f, 'distribution') },
            { title: t.word.rubrique.eaux_usees, num: true, wide: true, cell: (f) => share(f, 'eaux_usees') },
            { title: t.word.rubrique.organismes_publics, num: true, wide: true, cell: (f) => share(f, 'organismes_publics') },
            { title: t.tarifs.vat, num: true, wide: true, cell: (f) => euros(f.tva_centimes) },
            { title: g.ttc, num: true, cell: (f) => (f.manque ? g.noTariff : euros(f.ttc_centimes)) },
            { title: g.perM3, num: true, cell: (f) => (f.manque ? '–' : rate(Math.round((f.ttc_centimes * 10_000) / 120))) },
          ]}
          empty={<Empty icon={IconMapPin} title={g.noCommune} />}
        />
      </Card>
    </Stack>
  )
}

function Levies({ rows }: { rows: Schemas['Redevance'][] }) {
  const t = useT()
  const g = t.grilles
  const [adding, add] = useDisclosure()
  return (
    <Stack gap="lg">
      {can('tarifs:c') && <Group justify="flex-end"><Button leftSection={<IconPlus size={16} />} onClick={add.open}>{g.addLevy}</Button></Group>}
      <Card title={t.tarifs.levies} flush>
        <DataTable
          label={t.tarifs.levies}
          rows={rows}
          id={(r) => r.id}
          columns={[
            { title: t.tarifs.levy, head: true, cell: (r) => r.libelle },
            { title: g.basin, cell: (r) => r.bassin || g.anyBasin },
            { title: t.tarifs.period, wide: true, cell: (r) => <span className="num">{day(r.du)} – {dayBefore(r.au)}</span> },
            { title: t.tarifs.rate, num: true, cell: (r) => rate(r.taux_m3_ue) },
            { title: t.tarifs.coefficient, num: true, wide: true, cell: (r) => percent(r.coefficient_pm) },
            { title: t.tarifs.vat, num: true, wide: true, cell: (r) => percent(r.tva_pm) },
            { title: t.tarifs.source, wide: true, cell: (r) => r.source },
          ]}
          empty={<Empty icon={IconCoinEuro} title={t.tarifs.empty} />}
        />
      </Card>
      {adding && <LevyModal onClose={add.close} />}
    </Stack>
  )
}

function LevyModal({ onClose }: { onClose: () => void }) {
  const t = useT()
  const g = t.grilles
  const [error, setError] = useState<string | null>(null)
  const year = Number(today().slice(0, 4)) + 1
  const required = (v: string | null) => (v ? null : t.form.required)
  const form = useForm({
    initialValues: { code: '', libelle: '', service: 'eau', bassin: '', du: `${year}-01-01`, au: `${year + 1}-01-01`, taux_m3_ue: '', coefficient_pm: '1', source: '' },
    validate: { code: required, libelle: required, du: required, au: required, taux_m3_ue: required, source: required },
  })
  const number = (text: string) => Number(text.replace(',', '.'))
  const command = useCommand((v: typeof form.values, header) =>
    ok(api.POST('/v1/redevances', { params: { header }, body: { ...v, service: v.service as 'eau', taux_m3_ue: Math.round(number(v.taux_m3_ue) * 1e6), coefficient_pm: Math.round(number(v.coefficient_pm) * 1000), tva_pm: v.service === 'eau' ? 55 : 100 } })), onClose)
  return (
    <Ask title={g.addLevy} opened onClose={onClose} submit={g.define} busy={command.isPending} error={error} size="lg" onSubmit={() => !form.validate().hasErrors && command.mutate(form.values, { onError: (p) => setError(showFields(form, p)) })}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <TextInput label={g.code} withAsterisk maxLength={60} data-autofocus {...form.getInputProps('code')} />
        <TextInput label={t.tarifs.levy} withAsterisk maxLength={120} {...form.getInputProps('libelle')} />
        <Select label={g.service} data={[{ value: 'eau', label: t.word.service.eau! }, { value: 'assainissement', label: t.word.service.assainissement! }]} allowDeselect={false} {...form.getInputProps('service')} />
        <TextInput label={g.basin} description={g.basinHint} maxLength={60} {...form.getInputProps('bassin')} />
        <DayInput label={g.from} withAsterisk {...form.getInputProps('du')} />
        <DayInput label={g.to} withAsterisk {...form.getInputProps('au')} />
        <TextInput label={t.tarifs.rate} withAsterisk inputMode="decimal" {...form.getInputProps('taux_m3_ue')} />
        <TextInput label={t.tarifs.coefficient} withAsterisk inputMode="decimal" {...form.getInputProps('coefficient_pm')} />
      </SimpleGrid>
      <TextInput label={t.tarifs.source} withAsterisk maxLength={200} {...form.getInputProps('source')} />
    </Ask>
  )
}

function Communes() {
  const t = useT()
  const g = t.grilles
  const query = useQuery(communes())
  const [editing, setEditing] = useState<Partial<Schemas['Commune']> | null>(null)
  return (
    <Stack gap="lg">
      {can('tarifs:m') && <Group justify="flex-end"><Button leftSection={<IconPlus size={16} />} onClick={() => setEditing({})}>{g.addCommune}</Button></Group>}
      <Card title={g.tabs.communes} flush>
        <DataTable
          label={g.tabs.communes}
          rows={query.data && list(query.data.communes)}
          error={query.error}
          id={(c) => c.code_insee}
          columns={[
            { title: g.commune, head: true, cell: (c) => <>{c.nom || g.unlisted} <Text span size="xs" c="dimmed">{c.code_insee}</Text></> },
            { title: g.basin, cell: (c) => c.bassin || '–' },
            { title: g.entity, wide: true, cell: (c) => c.entite },
            { title: g.kind, wide: true, cell: (c) => [c.rurale && g.rural, c.touristique && g.tourist].filter(Boolean).join(', ') || '–' },
            { title: g.contracts, num: true, cell: (c) => integer(c.contrats) },
            { title: g.actions, cell: (c) => can('tarifs:m') && <Button variant="subtle" size="compact-xs" aria-label={`${g.edit} ${c.nom || c.code_insee}`} onClick={() => setEditing(c)}>{g.edit}</Button> },
          ]}
          empty={<Empty icon={IconMapPin} title={g.noCommune}>{g.noCommuneHint}</Empty>}
        />
      </Card>
      {editing && <CommuneModal commune={editing} entites={list(query.data?.entites).map((e) => e.code)} onClose={() => setEditing(null)} />}
    </Stack>
  )
}

function CommuneModal({ commune, entites, onClose }: { commune: Partial<Schemas['Commune']>; entites: string[]; onClose: () => void }) {
  const t = useT()
  const g = t.grilles
  const [error, setError] = useState<string | null>(null)
  const form = useForm({
    initialValues: { code_insee: commune.code_insee ?? '', nom: commune.nom ?? '', bassin: commune.bassin ?? '', entite: commune.entite ?? 'principale', rurale: commune.rurale ?? false, touristique: commune.touristique ?? false },
    validate: { code_insee: (v) => (/^[0-9AB]{5}$/.test(v) ? null : g.insee), nom: (v) => (v ? null : t.form.required) },
  })
  const command = useCommand((body: typeof form.values, header) => ok(api.POST('/v1/communes', { params: { header }, body })), onClose)
  return (
    <Ask title={commune.code_insee ? g.edit : g.addCommune} opened onClose={onClose} submit={g.save} busy={command.isPending} error={error} onSubmit={() => !form.validate().hasErrors && command.mutate(form.values, { onError: (p) => setError(showFields(form, p)) })}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <TextInput label={g.inseeLabel} withAsterisk maxLength={5} disabled={Boolean(commune.code_insee)} {...form.getInputProps('code_insee')} />
        <TextInput label={g.commune} withAsterisk maxLength={80} data-autofocus {...form.getInputProps('nom')} />
        <TextInput label={g.basin} description={g.basinHint} maxLength={60} {...form.getInputProps('bassin')} />
        <Select label={g.entity} data={entites} allowDeselect={false} {...form.getInputProps('entite')} />
      </SimpleGrid>
      <Group>
        <Checkbox label={g.rural} {...form.getInputProps('rurale', { type: 'checkbox' })} />
        <Checkbox label={g.tourist} {...form.getInputProps('touristique', { type: 'checkbox' })} />
      </Group>
    </Ask>
  )
}

function Examples() {
  const t = useT()
  const g = t.grilles
  const query = useQuery({ queryKey: ['exemples-tarifs'], queryFn: ({ signal }) => ok(api.GET('/v1/exemples-tarifs', { signal })), staleTime: Infinity })
  const [importing, setImporting] = useState<Schemas['Exemple'] | null>(null)
  return (
    <>
      <Card title={g.tabs.exemples} hint={g.examplesHint} flush>
        <DataTable
          label={g.tabs.exemples}
          rows={query.data && list(query.data.exemples)}
          error={query.error}
          id={(e) => e.code}
          columns={[
            { title: g.publisher, head: true, cell: (e) => <>{e.service}{e.annee ? `, ${e.annee}` : ''}<Text size="xs" c="dimmed">{`${e.editeur} · ${e.adresse} · ${e.publie_le}`}</Text></> },
            { title: g.computed, num: true, cell: (e) => euros(e.ttc_centimes) },
            { title: g.printed, num: true, cell: (e) => list(e.factures_publiees).map((f) => <div key={f.m3}>{`${f.m3}\u00a0m³ : ${euros(f.publiee_ttc_centimes)}`}</div>) },
            { title: g.gap, wide: true, cell: (e) => <>{list(e.factures_publiees).map((f) => <span key={f.m3} className="num">{`${euros(f.calculee_ttc_centimes - f.publiee_ttc_centimes)} `}</span>)}<Text size="xs" c="dimmed">{e.raison_de_l_ecart}</Text></> },
            { title: g.actions, cell: (e) => can('tarifs:c') && <Button variant="subtle" size="compact-xs" leftSection={<IconDownload size={14} />} aria-label={`${g.import} ${e.service} ${e.annee ?? ''}`} onClick={() => setImporting(e)}>{g.import}</Button> },
          ]}
          empty={null}
        />
      </Card>
      {importing && <ImportModal exemple={importing} onClose={() => setImporting(null)} />}
    </>
  )
}

function ImportModal({ exemple, onClose }: { exemple: Schemas['Exemple']; onClose: () => void }) {
  const t = useT()
  const g = t.grilles
  const known = useQuery(communes())
  const [commune, setCommune] = useState<string | null>(null)
  const [error, setError] = useState<string | null>(null)
  const command = useCommand((body: Schemas['ImporterExemple'], header) => ok(api.POST('/v1/exemples-tarifs/importation', { params: { header }, body })), () => {
    done(g.imported(exemple.service))
    onClose()
  })
  return (
    <Ask title={`${g.import} ${exemple.service}`} opened onClose={onClose} submit={g.import} disabled={!commune} busy={command.isPending} error={error} onSubmit={() => commune && command.mutate({ code: exemple.code, commune }, { onError: (p) => setError(sentence(p)) })}>
      <Text size="sm">{g.importText(list(exemple.grilles).length, list(exemple.redevances).length)}</Text>
      <Select label={g.commune} withAsterisk data-autofocus searchable data={list(known.data?.communes).filter((c) => c.connue).map((c) => ({ value: c.code_insee, label: `${c.nom} (${c.code_insee})` }))} value={commune} onChange={setCommune} />
    </Ask>
  )
}
