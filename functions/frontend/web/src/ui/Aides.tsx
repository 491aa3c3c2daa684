import { Alert, Badge, Button, FileInput, Group, Select, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { can } from '../api/session'
import { addDays, day, today } from '../format'
import { useT } from '../i18n'
import { base64 } from './base64'
import { DocumentButton } from './DocumentButton'
import { Ask, DayInput, done, showFields } from './forms'
import { IconHourglass } from './icons'
import { Loaded } from './Loaded'
import { Card } from './Page'

type Aide = Schemas['Aide']
const natures = ['TARIF_SOCIAL', 'FSL', 'CCAS'] as const
const aides = (id: string) => ({ queryKey: ['abonnes', id, 'aides'], queryFn: ({ signal }: { signal: AbortSignal }) => ok(api.GET('/v1/abonnes/{id}/aides', { params: { path: { id } }, signal })) })

/** What holds the letters to a household up today; nothing when nothing does. */
export function Held({ id }: { id: string }) {
  const t = useT()
  const query = useQuery(aides(id))
  return list(query.data?.suspensions).map((s) => (
    <Alert key={s.id} color="ambre" icon={<IconHourglass size={18} aria-hidden />} mb="md" title={t.aides.held(t.relances.reasons[s.motif], day(s.jusqua))}>{s.detail}</Alert>
  ))
}

/** How a household is helped: recorded on evidence, renewed, ended. */
export function Aides({ id }: { id: string }) {
  const t = useT()
  const query = useQuery(aides(id))
  const [granting, grant] = useState<Aide | 'new'>()
  const [ending, end] = useState<Aide>()
  return (
    <Card title={t.aides.title} aside={can('relances:m') && <Button variant="default" size="compact-sm" onClick={() => grant('new')}>{t.aides.add}</Button>}>
      <Loaded query={query} rows={2}>
        {(l) => (
          <Stack gap="md">
            <Text size="sm" c={l.aidee ? undefined : 'dimmed'}>{l.aidee ? t.aides.helped : t.aides.notHelped}</Text>
            {list(l.aides).map((a) => (
              <Stack key={a.id} gap={4}>
                <Group gap="xs"><Text size="sm" fw={600}>{t.aides.natures[a.nature]}</Text>{a.en_cours && <Badge variant="light" color="vert" tt="none">{t.aides.running}</Badge>}</Group>
                <Text size="sm">{a.nature === 'TARIF_SOCIAL' ? t.aides.between(day(a.du), a.au && day(a.au)) : t.aides.on(day(a.du), day(a.effet_jusqua))}</Text>
                <Text size="sm" c="dimmed">{a.justificatif}</Text>
                <Group gap="xs">
                  {a.document_nom && <DocumentButton size="compact-sm" label={a.document_nom} file={a.document_nom} read={() => ok(api.GET('/v1/aides/{id}/document', { params: { path: { id: a.id } }, parseAs: 'blob' }))} />}
                  {can('relances:m') && a.nature === 'TARIF_SOCIAL' && a.au && <Button size="compact-sm" variant="subtle" aria-label={`${t.aides.renew}, ${day(a.au)}`} onClick={() => grant(a)}>{t.aides.renew}</Button>}
                  {can('relances:m') && a.nature === 'TARIF_SOCIAL' && (!a.au || a.au > today()) && <Button size="compact-sm" variant="subtle" color="rouge" onClick={() => end(a)}>{t.aides.end}</Button>}
                </Group>
              </Stack>
            ))}
          </Stack>
        )}
      </Loaded>
      {granting && <Grant id={id} after={granting === 'new' ? undefined : granting} onClose={() => grant(undefined)} />}
      {ending && <End aide={ending} onClose={() => end(undefined)} />}
    </Card>
  )
}

function Grant({ id, after, onClose }: { id: string; after?: Aide; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const [file, setFile] = useState<File | null>(null)
  const required = (v: string | null) => (v ? null : t.form.required)
  const du = after?.au ? addDays(after.au, 1) : today()
  const form = useForm({
    initialValues: { nature: (after?.nature ?? 'TARIF_SOCIAL') as (typeof natures)[number], du, au: after ? addDays(du, 364) : (null as string | null), justificatif: '' },
    validate: { du: required, justificatif: (v) => required(v.trim()) },
  })
  const social = form.values.nature === 'TARIF_SOCIAL'
  const command = useCommand(
    async (v: typeof form.values & { name?: string; size?: number }, header) =>
      ok(api.POST('/v1/abonnes/{id}/aides', {
        params: { path: { id }, header },
        body: { nature: v.nature, du: v.du, justificatif: v.justificatif.trim(), ...(social && v.au ? { au: v.au } : {}), ...(file ? { document_nom: file.name, document_mime: file.type as 'application/pdf', document: await base64(file) } : {}) },
      })),
    () => (onClose(), done(t.aides.added)),
  )
  return (
    <Ask title={after ? t.aides.renew : t.aides.add} opened onClose={onClose} submit={t.aides.add} busy={command.isPending} error={error} onSubmit={() => !form.validate().hasErrors && command.mutate({ ...form.values, name: file?.name, size: file?.size }, { onError: (p) => setError(showFields(form, p)) })}>
      <Select label={t.aides.nature} allowDeselect={false} disabled={!!after} data={natures.map((n) => ({ value: n, label: t.aides.natures[n] }))} {...form.getInputProps('nature')} />
      <Text size="sm" c="dimmed">{t.aides.effect[form.values.nature]}</Text>
      <Group grow align="flex-start">
        <DayInput label={social ? t.aides.from : t.aides.given} withAsterisk {...form.getInputProps('du')} />
        {social && <DayInput label={t.aides.to} clearable {...form.getInputProps('au')} />}
      </Group>
      <TextInput label={t.aides.evidence} description={t.aides.evidenceHint} withAsterisk maxLength={200} {...form.getInputProps('justificatif')} />
      <FileInput label={t.relances.document} description={t.relances.documentHint} accept="application/pdf,image/jpeg,image/png" clearable clearButtonProps={{ 'aria-label': t.clear }} value={file} onChange={setFile} />
    </Ask>
  )
}

function End({ aide, onClose }: { aide: Aide; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const form = useForm({ initialValues: { au: today() }, validate: { au: (v: string | null) => (v ? null : t.form.required) } })
  const command = useCommand((au: string, header) => ok(api.POST('/v1/aides/{id}/fin', { params: { path: { id: aide.id }, header }, body: { au } })), () => (onClose(), done(t.aides.ended)))
  return (
    <Ask title={t.aides.endTitle} danger opened onClose={onClose} submit={t.aides.end} busy={command.isPending} error={error} onSubmit={() => !form.validate().hasErrors && command.mutate(form.values.au, { onError: (p) => setError(showFields(form, p)) })}>
      <Text size="sm">{t.aides.endText}</Text>
      <DayInput label={t.aides.to} withAsterisk data-autofocus {...form.getInputProps('au')} />
    </Ask>
  )
}
