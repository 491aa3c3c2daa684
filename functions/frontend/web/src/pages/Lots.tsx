import { Button, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, ok, type Schemas } from '../api/client'
import { useCommand, usePages } from '../api/hooks'
import { can } from '../api/session'
import { addDays, day, dayBefore, euros, integer, today } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { Ask, DayInput, showFields } from '../ui/forms'
import { IconPlus, IconStack2 } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Link, Page } from '../ui/Page'
import { State } from '../ui/State'
import { LotProgrammes } from './LotProgrammes'

export default function Lots() {
  const t = useT()
  const [preparing, prepare] = useDisclosure()
  const pages = usePages(['lots'], (curseur, signal) => ok(api.GET('/v1/lots', { params: { query: { curseur } }, signal })), { refetchInterval: 10_000 })
  const button = can('lots:c') && <Button leftSection={<IconPlus size={16} />} onClick={prepare.open}>{t.lots.prepare}</Button>
  return (
    <Page title={t.lots.title} actions={button}>
      <Stack gap="lg">
        <Card flush>
          <DataTable
            label={t.lots.title}
            {...pages}
            id={(l) => l.id}
            to={(l) => `/lots/${l.id}`}
            columns={[
              { title: t.lots.name, head: true, cell: (l) => <Link to={`/lots/${l.id}`} inherit fw={600}>{l.libelle}</Link> },
              { title: t.lots.period, wide: true, cell: (l) => `${day(l.du)} – ${dayBefore(l.au)}` },
              { title: t.abonne.state, cell: (l) => <State of="lot" value={l.etat} /> },
              { title: t.lots.bills, num: true, wide: true, cell: (l) => integer(l.calculees) },
              { title: t.lots.errors, num: true, wide: true, cell: (l) => integer(l.en_erreur) },
              { title: t.lots.total, num: true, cell: (l) => euros(l.ttc_centimes) },
              { title: t.lots.due, num: true, wide: true, cell: (l) => day(l.echeance) },
            ]}
            empty={<Empty icon={IconStack2} title={t.lots.empty} action={button}>{t.lots.emptyHint}</Empty>}
          />
        </Card>
        <LotProgrammes />
      </Stack>
      <PrepareModal opened={preparing} onClose={prepare.close} />
    </Page>
  )
}

/** The half-year that ended last, from 1 April and 1 October. */
function lastHalf(now: string): [string, string] {
  const year = Number(now.slice(0, 4))
  const md = now.slice(5)
  if (md >= '10-01') return [`${year}-04-01`, `${year}-10-01`]
  if (md >= '04-01') return [`${year - 1}-10-01`, `${year}-04-01`]
  return [`${year - 1}-04-01`, `${year - 1}-10-01`]
}

function PrepareModal({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const t = useT()
  const navigate = useNavigate()
  const [error, setError] = useState<string | null>(null)
  const [du, au] = lastHalf(today())
  const required = (v: string | null) => (v ? null : t.form.required)
  const form = useForm({
    initialValues: { libelle: `${day(du)} – ${dayBefore(au)}`, du, au, date_facturation: today(), echeance: addDays(today(), 30) },
    validate: { libelle: required, du: required, au: required, date_facturation: required, echeance: required },
  })
  const command = useCommand(
    (body: Schemas['PreparerLot'], header) => ok(api.POST('/v1/lots', { params: { header }, body })),
    (lot) => void navigate({ to: '/lots/$id', params: { id: lot.id } }),
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    setError(null)
    command.mutate(form.values, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={t.lots.prepare} opened={opened} onClose={onClose} onSubmit={submit} submit={t.lots.submit} busy={command.isPending} error={error} size="lg">
      <Stack gap="sm">
        <Text size="sm" c="dimmed">{t.lots.prepareText}</Text>
        <TextInput label={t.lots.label} withAsterisk maxLength={80} data-autofocus {...form.getInputProps('libelle')} />
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <DayInput label={t.lots.du} withAsterisk {...form.getInputProps('du')} />
          <DayInput label={t.lots.au} withAsterisk {...form.getInputProps('au')} />
          <DayInput label={t.lots.billing} withAsterisk {...form.getInputProps('date_facturation')} />
          <DayInput label={t.lots.due} description={t.lots.dueHint} inputWrapperOrder={['label', 'input', 'description', 'error']} withAsterisk {...form.getInputProps('echeance')} />
        </SimpleGrid>
      </Stack>
    </Ask>
  )
}
