import { Button, Select, SimpleGrid, Stack, Tabs, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand, usePages } from '../api/hooks'
import { can } from '../api/session'
import { addDays, euros, instant, integer, today } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { Ask, DayInput, done, showFields } from '../ui/forms'
import { IconCreditCard, IconPlus } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Facts, Link, Page } from '../ui/Page'
import { State } from '../ui/State'

/** The files of direct debits, who debits, and what the bank's codes mean. */
export default function Prelevements() {
  const t = useT()
  const [preparing, prepare] = useDisclosure()
  const pages = usePages(['remises'], (curseur, signal) => ok(api.GET('/v1/remises', { params: { query: { curseur } }, signal })))
  const button = can('prelevements:c') && <Button leftSection={<IconPlus size={16} />} onClick={prepare.open}>{t.prelevements.prepare}</Button>
  return (
    <Page title={t.prelevements.title} actions={button}>
      <Tabs defaultValue="remises" keepMounted={false}>
        <Tabs.List mb="lg">
          <Tabs.Tab value="remises">{t.prelevements.title}</Tabs.Tab>
          <Tabs.Tab value="creancier">{t.prelevements.creditor}</Tabs.Tab>
          <Tabs.Tab value="codes">{t.prelevements.codes}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="remises">
          <Card flush>
            <DataTable
              label={t.prelevements.title}
              {...pages}
              id={(r) => r.id}
              to={(r) => `/prelevements/${r.id}`}
              columns={[
                { title: t.prelevements.reference, head: true, cell: (r) => <Link to={`/prelevements/${r.id}`} inherit fw={600} className="id">{r.reference}</Link> },
                { title: t.prelevements.created, wide: true, cell: (r) => instant(r.cree_a) },
                { title: t.abonne.state, cell: (r) => <State of="remise" value={r.etat} /> },
                { title: t.prelevements.debits, num: true, wide: true, cell: (r) => integer(r.nombre) },
                { title: t.prelevements.amount, num: true, cell: (r) => euros(r.montant_centimes) },
                { title: t.prelevements.settled, num: true, wide: true, cell: (r) => euros(r.regles_centimes) },
                { title: t.prelevements.rejected, num: true, wide: true, cell: (r) => euros(r.rejetes_centimes) },
              ]}
              empty={<Empty icon={IconCreditCard} title={t.prelevements.empty} action={button}>{t.prelevements.emptyHint}</Empty>}
            />
          </Card>
        </Tabs.Panel>
        <Tabs.Panel value="creancier"><Creditors /></Tabs.Panel>
        <Tabs.Panel value="codes"><Codes /></Tabs.Panel>
      </Tabs>
      <PrepareModal opened={preparing} onClose={prepare.close} />
    </Page>
  )
}

function PrepareModal({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const t = useT()
  const navigate = useNavigate()
  const [error, setError] = useState<string | null>(null)
  const form = useForm({ initialValues: { jusqua: addDays(today(), 21) } })
  const command = useCommand((body: { jusqua: string }, header) => ok(api.POST('/v1/remises', { params: { header }, body })), (remise) => void navigate({ to: `/prelevements/${remise.id}` }))
  return (
    <Ask
      title={t.prelevements.prepare}
      opened={opened}
      onClose={onClose}
      submit={t.prelevements.prepare}
      busy={command.isPending}
      error={error}
      onSubmit={() => (setError(null), command.mutate(form.values, { onError: (problem) => setError(showFields(form, problem)) }))}
    >
      <Text size="sm">{t.prelevements.prepareText}</Text>
      <DayInput label={t.prelevements.until} description={t.prelevements.untilHint} data-autofocus {...form.getInputProps('jusqua')} />
    </Ask>
  )
}

/** Who debits for each entity, and the delays that the day of a debit follows. */
function Creditors() {
  const t = useT()
  const query = useQuery({ queryKey: ['creanciers'], queryFn: ({ signal }) => ok(api.GET('/v1/creanciers', { signal })) })
  const [editing, edit] = useDisclosure()
  const items = list(query.data?.items)
  return (
    <Stack gap="lg">
      <Card title={t.prelevements.creditor} hint={t.prelevements.creditorText} aside={can('prelevements:v') && <Button variant="default" onClick={edit.open}>{t.prelevements.creditorEdit}</Button>}>
        {query.data && items.length === 0 && <Text size="sm">{t.prelevements.creditorNone}</Text>}
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          {items.map((c) => (
            <Facts key={c.entite} items={[[t.prelevements.entity, c.entite], [t.prelevements.name, c.nom], [t.prelevements.ics, c.ics], [t.mandat.iban, c.iban_masque], [t.prelevements.format, c.format]]} />
          ))}
        </SimpleGrid>
      </Card>
      <Card title={t.prelevements.rules} flush>
        <DataTable
          label={t.prelevements.rules}
          rows={query.data && list(query.data.regles)}
          error={query.error}
          refetch={query.refetch}
          id={(r) => r.code}
          columns={[
            { title: t.prelevements.rules, head: true, cell: (r) => t.prelevements.rule[r.code] ?? r.code },
            { title: t.prelevements.day, num: true, cell: (r) => integer(r.valeur) },
            { title: t.prelevements.source, wide: true, cell: (r) => <Text size="sm" c="dimmed">{r.source}</Text> },
          ]}
          empty={null}
        />
      </Card>
      {editing && <CreditorModal current={items[0]} onClose={edit.close} />}
    </Stack>
  )
}

function CreditorModal({ current, onClose }: { current?: Schemas['Creancier']; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const form = useForm({ initialValues: { entite: current?.entite ?? 'principale', nom: current?.nom ?? '', ics: current?.ics ?? '', iban: '', bic: current?.bic ?? '', format: current?.format ?? 'pain.008.001.02' } })
  const command = useCommand(
    (body: Schemas['DefinirCreancier'], header) => ok(api.POST('/v1/creanciers', { params: { header }, body })),
    () => (onClose(), done(t.prelevements.saved)),
  )
  const submit = () => {
    setError(null)
    command.mutate({ ...form.values, format: form.values.format as Schemas['DefinirCreancier']['format'], bic: form.values.bic || undefined }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={t.prelevements.creditorEdit} opened onClose={onClose} submit={t.prelevements.creditorEdit} busy={command.isPending} error={error} onSubmit={submit}>
      <TextInput label={t.prelevements.entity} required maxLength={40} {...form.getInputProps('entite')} />
      <TextInput label={t.prelevements.name} required maxLength={70} data-autofocus {...form.getInputProps('nom')} />
      <TextInput label={t.prelevements.ics} required maxLength={35} {...form.getInputProps('ics')} />
      <TextInput label={t.mandat.iban} required maxLength={42} autoComplete="off" {...form.getInputProps('iban')} />
      <TextInput label={t.mandat.bic} maxLength={11} {...form.getInputProps('bic')} />
      <Select label={t.prelevements.format} data={['pain.008.001.02', 'pain.008.001.08']} allowDeselect={false} {...form.getInputProps('format')} />
    </Ask>
  )
}

function Codes() {
  const t = useT()
  const query = useQuery({ queryKey: ['codes-rejet'], queryFn: ({ signal }) => ok(api.GET('/v1/codes-rejet', { signal })) })
  return (
    <Card flush>
      <DataTable
        label={t.prelevements.codes}
        rows={query.data && list(query.data.items)}
        error={query.error}
        refetch={query.refetch}
        id={(c) => c.code}
        columns={[
          { title: t.prelevements.code, head: true, cell: (c) => <span className="id">{c.code}</span> },
          { title: t.prelevements.meaning, cell: (c) => c.libelle },
          { title: t.prelevements.action, cell: (c) => t.prelevements.actions[c.action] ?? c.action },
        ]}
        empty={null}
      />
    </Card>
  )
}
