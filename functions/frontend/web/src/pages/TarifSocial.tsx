import { Button, Group, SimpleGrid, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { can } from '../api/session'
import { day, dayBefore, today } from '../format'
import { useT } from '../i18n'
import { Ask, DayInput, showFields } from '../ui/forms'

type Profil = Schemas['ProfilAccorde']

/** The social tariff of a contract: what was granted, and granting it on evidence. */
export function TarifSocial({ contrat }: { contrat: string }) {
  const t = useT()
  const query = useQuery({ queryKey: ['contrats', contrat, 'profils'], queryFn: ({ signal }) => ok(api.GET('/v1/contrats/{id}/profils', { params: { path: { id: contrat } }, signal })) })
  const [granting, setGranting] = useState(false)
  const [ending, setEnding] = useState<Profil | null>(null)
  return (
    <>
      {list(query.data?.profils).map((p) => (
        <Group key={p.id} mt="sm" gap="xs">
          <Text size="sm">{`${t.social.title} : ${t.social.granted(day(p.du), dayBefore(p.au), p.justificatif)}`}</Text>
          {can('contrats:m') && p.au > today() && <Button variant="subtle" size="compact-xs" onClick={() => setEnding(p)}>{t.social.end}</Button>}
        </Group>
      ))}
      {can('contrats:m') && query.data && !list(query.data.profils).some((p) => p.au > today()) && <Group mt="sm"><Button variant="subtle" size="compact-sm" onClick={() => setGranting(true)}>{t.social.grant}</Button></Group>}
      {granting && <Grant contrat={contrat} onClose={() => setGranting(false)} />}
      {ending && <End profil={ending} onClose={() => setEnding(null)} />}
    </>
  )
}

function Grant({ contrat, onClose }: { contrat: string; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const required = (v: string | null) => (v ? null : t.form.required)
  const now = today()
  const form = useForm({ initialValues: { du: now, au: `${Number(now.slice(0, 4)) + 1}${now.slice(4)}`, justificatif: '' }, validate: { du: required, au: required, justificatif: required } })
  const command = useCommand((v: typeof form.values, header) => ok(api.POST('/v1/contrats/{id}/profils', { params: { path: { id: contrat }, header }, body: { ...v, profil: 'SOCIAL' } })), onClose)
  return (
    <Ask title={t.social.grant} opened onClose={onClose} submit={t.social.grant} busy={command.isPending} error={error} onSubmit={() => !form.validate().hasErrors && command.mutate(form.values, { onError: (p) => setError(showFields(form, p)) })}>
      <Text size="sm" c="dimmed">{t.social.grantText}</Text>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <DayInput label={t.grilles.from} withAsterisk {...form.getInputProps('du')} />
        <DayInput label={t.grilles.to} withAsterisk {...form.getInputProps('au')} />
      </SimpleGrid>
      <TextInput label={t.social.evidence} description={t.social.evidenceHint} withAsterisk maxLength={200} data-autofocus {...form.getInputProps('justificatif')} />
    </Ask>
  )
}

function End({ profil, onClose }: { profil: Profil; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const form = useForm({ initialValues: { au: today() }, validate: { au: (v: string | null) => (v ? null : t.form.required) } })
  const command = useCommand((au: string, header) => ok(api.POST('/v1/profils/{id}/fin', { params: { path: { id: profil.id }, header }, body: { au } })), onClose)
  return (
    <Ask title={t.social.endTitle} opened onClose={onClose} submit={t.social.end} busy={command.isPending} error={error} onSubmit={() => !form.validate().hasErrors && command.mutate(form.values.au, { onError: (p) => setError(showFields(form, p)) })}>
      <DayInput label={t.grilles.to} withAsterisk data-autofocus {...form.getInputProps('au')} />
    </Ask>
  )
}
