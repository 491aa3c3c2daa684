import { Alert, Button, Group, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { Link as RouterLink } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { usePages, useCommand } from '../api/hooks'
import { can } from '../api/session'
import { instant, integer } from '../format'
import { lang, useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { done } from '../ui/forms'
import { IconAlertTriangle, IconClipboardList, IconUpload } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Figure, Page } from '../ui/Page'

const columns = 'pdl;compteur;date;index;source'

export default function Tournees() {
  const t = useT()
  const pages = usePages(['tournees'], (curseur, signal) => ok(api.GET('/v1/tournees', { params: { query: { curseur } }, signal })))
  return (
    <Page title={t.tournees.title}>
      <Stack gap="lg">
        {can('tournees:c') && <Import />}
        <Card title={t.tournees.past} flush>
          <DataTable
            label={t.tournees.past}
            {...pages}
            id={(x) => x.id}
            columns={[
              { title: t.tournees.label, head: true, cell: (x) => x.libelle },
              { title: t.tournees.when, wide: true, cell: (x) => instant(x.importee_a) },
              { title: t.tournees.lines, num: true, cell: (x) => integer(x.lignes) },
              { title: t.tournees.valid, num: true, cell: (x) => integer(x.valides) },
              { title: t.tournees.estimated, num: true, wide: true, cell: (x) => integer(x.estimees) },
              { title: t.tournees.suspect, num: true, wide: true, cell: (x) => integer(x.suspectes) },
              { title: t.tournees.waiting, num: true, cell: (x) => (x.en_attente > 0 ? <RouterLink to="/releves/suspects" className="count">{integer(x.en_attente)}</RouterLink> : '0') },
            ]}
            empty={<Empty icon={IconClipboardList} title={t.tournees.empty}>{t.tournees.emptyHint}</Empty>}
          />
        </Card>
      </Stack>
    </Page>
  )
}

/** A round's CSV, dropped or chosen; what was refused is listed line by line. */
function Import() {
  const t = useT()
  const [libelle, setLibelle] = useState('')
  const [file, setFile] = useState<File | null>(null)
  const [over, setOver] = useState(false)
  const [fault, setFault] = useState<string | null>(null)
  const [result, setResult] = useState<Schemas['Tournee'] | null>(null)
  const input = useRef<HTMLInputElement>(null)
  const command = useCommand(
    ({ libelle, csv }: { libelle: string; csv: string }, header) =>
      ok(api.POST('/v1/tournees', { params: { header, query: { libelle } }, body: csv, bodySerializer: (text: string) => text, headers: { 'Content-Type': 'text/csv; charset=utf-8' } })),
    (tournee) => {
      setResult(tournee)
      setFile(null)
      setLibelle('')
      done(t.tournees.ok(tournee.valides + tournee.estimees + tournee.suspectes))
    },
  )
  const take = (chosen: File | undefined) => {
    if (!chosen) return
    if (!/\.(csv|txt)$/i.test(chosen.name)) return setFault(t.tournees.notCSV)
    setFault(null)
    setResult(null)
    setFile(chosen)
    if (!libelle) setLibelle(chosen.name.replace(/\.\w+$/, ''))
  }
  const submit = async () => {
    if (!file) return setFault(t.form.required)
    command.mutate({ libelle: libelle.trim(), csv: await file.text() }, { onError: (problem) => setFault(problem.fields.map((f) => f.message).join(' ') || problem.message) })
  }
  return (
    <Card title={t.tournees.import}>
      <Stack gap="md">
        <div
          className="drop"
          data-over={over || undefined}
          onDragOver={(e) => (e.preventDefault(), setOver(true))}
          onDragLeave={() => setOver(false)}
          onDrop={(e) => (e.preventDefault(), setOver(false), take(e.dataTransfer.files[0]))}
        >
          <IconUpload size={28} stroke={1.5} aria-hidden className="soft" />
          {file ? <Text fw={600}>{t.tournees.chosen(file.name, `${integer(Math.ceil(file.size / 1024))} Ko`)}</Text> : <Text>{t.tournees.drop}</Text>}
          <Button variant="default" size="xs" onClick={() => input.current?.click()}>{t.tournees.choose}</Button>
          <input ref={input} type="file" accept=".csv,.txt,text/csv" hidden aria-label={t.tournees.choose} onChange={(e) => (take(e.currentTarget.files?.[0]), (e.currentTarget.value = ''))} />
          <Text size="xs" c="dimmed">{t.tournees.columns} <code>{columns}</code></Text>
        </div>
        {file && (
          <Group align="flex-end">
            <TextInput flex={1} miw={240} label={t.tournees.label} description={t.tournees.labelHint} maxLength={80} value={libelle} onChange={(e) => setLibelle(e.currentTarget.value)} />
            <Button loading={command.isPending} disabled={!libelle.trim()} onClick={() => void submit()}>{t.tournees.submit}</Button>
          </Group>
        )}
        {command.isPending && <Text size="sm" c="dimmed" role="status">{t.tournees.progress}</Text>}
        {fault && <Alert color="rouge" role="alert">{fault}</Alert>}
        {result && <Result tournee={result} />}
      </Stack>
    </Card>
  )
}

function Result({ tournee }: { tournee: Schemas['Tournee'] }) {
  const t = useT()
  const rejets = list(tournee.rejets)
  return (
    <Stack gap="md" role="status">
      <SimpleGrid cols={{ base: 2, sm: 5 }}>
        <Figure label={t.tournees.lines} value={integer(tournee.lignes)} />
        <Figure label={t.tournees.valid} value={integer(tournee.valides)} />
        <Figure label={t.tournees.estimated} value={integer(tournee.estimees)} />
        <Figure label={t.tournees.suspect} value={integer(tournee.suspectes)} />
        <Figure label={t.tournees.refused} value={integer(rejets.length)} />
      </SimpleGrid>
      {tournee.en_attente > 0 && <Button component={RouterLink} to="/releves/suspects" variant="light" w="fit-content" leftSection={<IconAlertTriangle size={16} />}>{t.tournees.verify(tournee.en_attente)}</Button>}
      {rejets.length > 0 && (
        <Card title={t.tournees.refusedTitle(rejets.length)} flush>
          <Text size="sm" c="dimmed" px="lg" pb="xs">{t.tournees.policy}</Text>
          <DataTable
            label={t.tournees.refusedTitle(rejets.length)}
            rows={rejets}
            id={(r) => `${r.ligne}${r.champ ?? ''}`}
            columns={[
              { title: t.tournees.line, num: true, head: true, cell: (r) => integer(r.ligne) },
              { title: t.tournees.column, cell: (r) => r.champ },
              { title: t.tournees.reason, cell: (r) => (lang() === 'en' ? r.detail_en : r.detail) },
            ]}
            empty={null}
          />
        </Card>
      )}
    </Stack>
  )
}
