import { Button, Select, Stack, Text, TextInput, Timeline } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { can } from '../api/session'
import { instant } from '../format'
import { useT } from '../i18n'
import { Ask, done, showFields } from './forms'
import { Loaded } from './Loaded'
import { Card } from './Page'

const origins = ['APPEL', 'GUICHET', 'ECRIT'] as const

/** Whether an abonne wants text messages, and what they said before. */
export function Textos({ id, telephone, own }: { id: string; telephone?: string; own?: boolean }) {
  const t = useT()
  const query = useQuery({ queryKey: ['abonnes', id, 'contact'], queryFn: ({ signal }) => ok(api.GET('/v1/abonnes/{id}/contact', { params: { path: { id } }, signal })) })
  const [asking, ask] = useState<'yes' | 'no'>()
  const may = own || can('abonnes:m')
  const c = query.data
  return (
    <Card title={t.textos.title} aside={c && may && (c.accepte ? <Button variant="default" size="compact-sm" onClick={() => ask('no')}>{t.textos.stop}</Button> : <Button variant="default" size="compact-sm" onClick={() => ask('yes')}>{t.textos.start}</Button>)}>
      <Loaded query={query} rows={1}>
        {(c) => (
          <Stack gap="xs">
            <Text size="sm" c={c.accepte ? undefined : 'dimmed'}>{c.accepte ? t.textos.at(c.numero ?? '') : t.textos.none}</Text>
            {!c.ouvert && <Text size="sm" c="dimmed">{t.textos.closed}</Text>}
            {list(c.historique).length > 0 && (
              <Timeline bulletSize={12} lineWidth={1} aria-label={t.textos.history}>
                {list(c.historique).slice(0, 5).map((h, i) => (
                  <Timeline.Item key={i}>
                    <Text size="sm">{h.accepte ? t.textos.said(h.numero) : t.textos.refused} · {t.textos.origins[h.origine]}</Text>
                    <Text size="xs" c="dimmed">{instant(h.le)}</Text>
                  </Timeline.Item>
                ))}
              </Timeline>
            )}
          </Stack>
        )}
      </Loaded>
      {asking && <Consent id={id} accepte={asking === 'yes'} telephone={telephone} own={own} onClose={() => ask(undefined)} />}
    </Card>
  )
}

function Consent({ id, accepte, telephone, own, onClose }: { id: string; accepte: boolean; telephone?: string; own?: boolean; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const form = useForm({ initialValues: { numero: telephone ?? '', langue: 'fr' as 'fr' | 'en', origine: 'APPEL' as (typeof origins)[number] } })
  const command = useCommand(
    (body: Schemas['ConsentirSMS'], header) => ok(api.POST('/v1/abonnes/{id}/sms', { params: { path: { id }, header }, body })),
    () => (onClose(), done(accepte ? t.textos.started : t.textos.stopped)),
  )
  const send = () => command.mutate({ accepte, ...(accepte ? { numero: form.values.numero.trim(), langue: form.values.langue } : {}), ...(own ? {} : { origine: form.values.origine }) }, { onError: (p) => setError(showFields(form, p)) })
  return (
    <Ask title={accepte ? t.textos.start : t.textos.stop} opened onClose={onClose} submit={accepte ? t.textos.start : t.textos.stop} busy={command.isPending} error={error} disabled={accepte && !form.values.numero.trim()} onSubmit={send}>
      <Text size="sm">{accepte ? t.textos.consent : t.textos.stopText}</Text>
      {accepte && <TextInput label={t.textos.number} withAsterisk type="tel" maxLength={30} {...form.getInputProps('numero')} />}
      {accepte && <Select label={t.textos.language} allowDeselect={false} data={[{ value: 'fr', label: 'Français' }, { value: 'en', label: 'English' }]} {...form.getInputProps('langue')} />}
      {!own && <Select label={t.textos.how} allowDeselect={false} data={origins.map((o) => ({ value: o, label: t.textos.origins[o] }))} {...form.getInputProps('origine')} />}
    </Ask>
  )
}
