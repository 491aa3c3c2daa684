import { Alert, Button, Group, Stack, Switch, Tabs, Text, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand, usePages } from '../api/hooks'
import { can } from '../api/session'
import { cubicMetres, day, dayBefore, euros, instant, today } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { Ask, centimes, DayInput, done, EuroInput, showFields, WholeInput } from '../ui/forms'
import { IconPlus } from '../ui/icons'
import { Empty, Loaded } from '../ui/Loaded'
import { Card, Page } from '../ui/Page'

type Reglages = Schemas['ReglagesDuService']
type Mention = Schemas['Mention']
type Controle = Schemas['ControleDEntite']
const tabs = ['mentions', 'controles', 'dates', 'journal'] as const

/** What the service has settled about its bills, and who changed it. */
export default function Reglages() {
  const t = useT()
  const navigate = useNavigate()
  const asked = (useSearch({ strict: false }) as { onglet?: string }).onglet
  const tab = tabs.find((x) => x === asked) ?? 'mentions'
  const query = useQuery({ queryKey: ['reglages'], queryFn: ({ signal }) => ok(api.GET('/v1/reglages', { signal })) })
  return (
    <Page title={t.reglages.title}>
      <Tabs value={tab} onChange={(next) => void navigate({ to: '.', search: { onglet: next === 'mentions' ? undefined : (next ?? undefined) }, replace: true })} keepMounted={false}>
        <Tabs.List mb="lg" style={{ overflowX: 'auto', flexWrap: 'nowrap' }}>
          {tabs.map((name) => <Tabs.Tab key={name} value={name}>{t.reglages.tabs[name]}</Tabs.Tab>)}
        </Tabs.List>
        <Tabs.Panel value="mentions"><Loaded query={query} rows={8}>{(r) => <Mentions reglages={r} />}</Loaded></Tabs.Panel>
        <Tabs.Panel value="controles"><Loaded query={query} rows={4}>{(r) => <Controles rows={list(r.controles)} />}</Loaded></Tabs.Panel>
        <Tabs.Panel value="dates"><Loaded query={query} rows={4}>{(r) => <Dates reglages={r} />}</Loaded></Tabs.Panel>
        <Tabs.Panel value="journal"><Journal /></Tabs.Panel>
      </Tabs>
    </Page>
  )
}

function Mentions({ reglages }: { reglages: Reglages }) {
  const t = useT()
  const m = t.reglages
  const [adding, add] = useDisclosure()
  const [changed, change] = useState<Mention>()
  const [closed, close] = useState<Mention>()
  const may = can('reglages:m')
  return (
    <>
      <Card title={m.tabs.mentions} hint={reglages.premier_jour ? m.firstDay(day(reglages.premier_jour)) : m.anyDay} aside={may && <Button leftSection={<IconPlus size={16} />} onClick={add.open}>{m.add}</Button>} flush>
        <DataTable
          label={m.tabs.mentions}
          rows={list(reglages.mentions)}
          id={(x) => x.code + x.du}
          columns={[
            { title: m.words, head: true, cell: (x) => <>{x.titre || m.codes[x.code] || x.code}<Text component="div" size="sm" fw={400} c="dimmed" style={{ whiteSpace: 'normal', minWidth: '14rem' }}>{x.texte}</Text></> },
            { title: m.place, wide: true, cell: (x) => m.places[x.place] },
            { title: t.prestations.dates, cell: (x) => (x.au ? `${day(x.du)} – ${dayBefore(x.au)}` : t.prestations.since(day(x.du))) },
            { title: m.source, wide: true, cell: (x) => <Text size="sm" style={{ whiteSpace: 'normal' }}>{x.source}</Text> },
            {
              title: m.change,
              cell: (x) => may && (!x.au || x.au > today()) && (
                <Group gap="xs">
                  <Button size="compact-sm" variant="default" aria-label={`${m.change} ${x.titre || x.code}`} onClick={() => change(x)}>{m.change}</Button>
                  {!x.au && <Button size="compact-sm" variant="subtle" aria-label={`${m.close} ${x.titre || x.code}`} onClick={() => close(x)}>{m.close}</Button>}
                </Group>
              ),
            },
          ]}
          empty={<Empty title={m.noMention} />}
        />
      </Card>
      {(adding || changed) && <MentionModal of={changed} first={reglages.premier_jour} onClose={() => (add.close(), change(undefined))} />}
      {closed && <CloseModal of={closed} first={reglages.premier_jour} onClose={() => close(undefined)} />}
    </>
  )
}

/** Words from a day on. */
function MentionModal({ of, first, onClose }: { of?: Mention; first?: string; onClose: () => void }) {
  const t = useT()
  const m = t.reglages
  const [error, setError] = useState<string | null>(null)
  const required = (v: string | null) => (v?.trim() ? null : t.form.required)
  const form = useForm({
    initialValues: { code: of?.code ?? '', titre: of?.titre ?? '', texte: of?.texte ?? '', source: of?.source ?? '', du: (first && first > today() ? first : today()) as string | null },
    validate: { code: (v) => (/^[a-z0-9_]+$/.test(v) ? null : m.codeForm), titre: (v) => (of ? null : required(v)), texte: required, source: required, du: required },
  })
  const command = useCommand(
    (body: Schemas['DefinirMention'], header) => ok(api.POST('/v1/reglages/mentions', { params: { header }, body })),
    () => (done(m.saved), onClose()),
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    const { du, titre, ...v } = form.values
    command.mutate({ ...v, du: du!, ...(titre ? { titre } : {}) }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={of ? of.titre || of.code : m.add} size="lg" opened onClose={onClose} onSubmit={submit} submit={m.save} busy={command.isPending} error={error}>
      {!of && <TextInput label={m.code} description={m.codeForm} withAsterisk maxLength={40} data-autofocus {...form.getInputProps('code')} />}
      {(!of || of.place === 'verso') && <TextInput label={m.titre} withAsterisk={!of} maxLength={80} {...form.getInputProps('titre')} />}
      <Textarea label={m.texte} withAsterisk autosize minRows={3} maxLength={600} {...form.getInputProps('texte')} />
      <TextInput label={m.source} description={m.sourceHint} withAsterisk maxLength={200} {...form.getInputProps('source')} />
      <DayInput label={m.from} minDate={first} withAsterisk {...form.getInputProps('du')} />
      <Text size="sm" c="dimmed">{m.consequence}</Text>
    </Ask>
  )
}

function CloseModal({ of, first, onClose }: { of: Mention; first?: string; onClose: () => void }) {
  const t = useT()
  const m = t.reglages
  const [error, setError] = useState<string | null>(null)
  const form = useForm({ initialValues: { au: (first && first > today() ? first : today()) as string | null, source: '' }, validate: { au: (v) => (v ? null : t.form.required), source: (v) => (v.trim() ? null : t.form.required) } })
  const command = useCommand(
    (body: Schemas['FermerMention'], header) => ok(api.POST('/v1/reglages/mentions/fermeture', { params: { header }, body })),
    () => (done(m.saved), onClose()),
  )
  return (
    <Ask title={m.closeTitle(of.titre || of.code)} danger opened onClose={onClose} submit={m.close} busy={command.isPending} error={error} onSubmit={() => !form.validate().hasErrors && command.mutate({ code: of.code, au: form.values.au!, source: form.values.source }, { onError: (problem) => setError(showFields(form, problem)) })}>
      <Alert color="ambre">{m.closeConsequence(of.source)}</Alert>
      <DayInput label={m.until} minDate={first} withAsterisk {...form.getInputProps('au')} />
      <TextInput label={m.why} withAsterisk maxLength={200} data-autofocus {...form.getInputProps('source')} />
    </Ask>
  )
}

function Controles({ rows }: { rows: Controle[] }) {
  const t = useT()
  const m = t.reglages
  const [set, setOf] = useState<Controle>()
  return (
    <>
      <Card title={m.tabs.controles} hint={m.controlesHint} flush>
        <DataTable
          label={m.tabs.controles}
          rows={rows}
          id={(c) => c.entite}
          columns={[
            { title: t.compta.entity, head: true, cell: (c) => <>{c.nom}{!c.propre && <div className="soft">{m.inherited}</div>}</> },
            { title: m.approval, cell: (c) => (c.deux_personnes ? m.two : m.one) },
            { title: m.large, num: true, cell: (c) => euros(c.fortes_centimes) },
            { title: m.largeVolume, num: true, wide: true, cell: (c) => cubicMetres(c.forts_litres) },
            { title: m.source, wide: true, cell: (c) => c.source },
            { title: m.change, cell: (c) => can('reglages:m') && <Button size="compact-sm" variant="default" aria-label={`${m.change} ${c.nom}`} onClick={() => setOf(c)}>{m.change}</Button> },
          ]}
          empty={null}
        />
      </Card>
      {set && <ControleModal of={set} onClose={() => setOf(undefined)} />}
    </>
  )
}

function ControleModal({ of, onClose }: { of: Controle; onClose: () => void }) {
  const t = useT()
  const m = t.reglages
  const [error, setError] = useState<string | null>(null)
  const form = useForm({
    initialValues: { deux_personnes: of.deux_personnes, euros: of.fortes_centimes / 100, m3: Math.round(of.forts_litres / 1000), source: '' },
    validate: { euros: (v) => (Number(v) > 0 ? null : t.form.required), m3: (v) => (Number(v) > 0 ? null : t.form.required), source: (v) => (v.trim() ? null : t.form.required) },
  })
  const command = useCommand(
    (body: Schemas['ReglerControle'], header) => ok(api.POST('/v1/controle-lots', { params: { header }, body })),
    () => (done(m.saved), onClose()),
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    const v = form.values
    command.mutate({ entite: of.entite, deux_personnes: v.deux_personnes, fortes_centimes: centimes(v.euros), forts_litres: Number(v.m3) * 1000, source: v.source }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={of.nom} opened onClose={onClose} onSubmit={submit} submit={m.save} busy={command.isPending} error={error}>
      <Switch label={m.two} description={m.twoHint} {...form.getInputProps('deux_personnes', { type: 'checkbox' })} />
      {!form.values.deux_personnes && <Alert color="ambre">{m.oneConsequence}</Alert>}
      <EuroInput label={m.large} withAsterisk {...form.getInputProps('euros')} />
      <WholeInput label={`${m.largeVolume} (m³)`} min={1} withAsterisk {...form.getInputProps('m3')} />
      <TextInput label={m.decided} description={m.decidedHint} withAsterisk maxLength={200} {...form.getInputProps('source')} />
    </Ask>
  )
}

function Dates({ reglages }: { reglages: Reglages }) {
  const t = useT()
  const m = t.reglages
  return (
    <Stack gap="lg">
      <Alert color={reglages.plateforme.raccordee ? 'eau' : 'ambre'}>{reglages.plateforme.raccordee ? m.plugged : t.depots.unplugged}</Alert>
      <Card title={m.tabs.dates} hint={m.datesHint(m.sizes[reglages.plateforme.taille])} flush>
        <DataTable
          label={m.tabs.dates}
          rows={list(reglages.obligations)}
          id={(o) => o.code + o.taille}
          columns={[
            { title: m.duty, head: true, cell: (o) => m.duties[o.code] },
            { title: m.size, cell: (o) => m.sizes[o.taille] },
            { title: m.from, cell: (o) => day(o.du) },
            { title: m.source, wide: true, cell: (o) => o.source },
          ]}
          empty={null}
        />
      </Card>
    </Stack>
  )
}

function Journal() {
  const t = useT()
  const m = t.reglages
  const pages = usePages(['reglages', 'journal'], (curseur, signal) => ok(api.GET('/v1/reglages/journal', { params: { query: { curseur } }, signal })))
  return (
    <Card title={m.tabs.journal} flush>
      <DataTable
        label={m.tabs.journal}
        {...pages}
        id={(j) => j.id}
        columns={[
          { title: m.when, cell: (j) => instant(j.instant) },
          { title: m.who, cell: (j) => j.par },
          { title: m.what, head: true, cell: (j) => `${m.objects[j.objet]} · ${j.cle}` },
          { title: m.before, wide: true, cell: (j) => <Text size="sm" style={{ whiteSpace: 'normal' }}>{j.avant || '–'}</Text> },
          { title: m.after, cell: (j) => <Text size="sm" style={{ whiteSpace: 'normal' }}>{j.apres || '–'}</Text> },
        ]}
        empty={<Empty title={m.noChange} />}
      />
    </Card>
  )
}
