import { Alert, Button, Group, Kbd, Paper, SimpleGrid, Stack, Text, Textarea, Title } from '@mantine/core'
import { useDisclosure, useHotkeys } from '@mantine/hooks'
import { useEffect, useRef, useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand, usePages } from '../api/hooks'
import { can } from '../api/session'
import { cubicMetres, day, integer } from '../format'
import { lang, useT } from '../i18n'
import { VolumeChart } from '../ui/Chart'
import { bars, names } from '../ui/consumption'
import { Ask, done } from '../ui/forms'
import { IconAlertTriangle, IconCheck, IconChevronLeft, IconChevronRight, IconCircleCheck, IconX } from '../ui/icons'
import { Empty, Failure, Loading } from '../ui/Loaded'
import { Card, Figure, Link, Page } from '../ui/Page'

type Suspect = Schemas['ReleveSuspect']

/** The readings that wait for a decision, one after the other, by keyboard if one likes. */
export default function Suspects() {
  const t = useT()
  const pages = usePages(['releves', 'suspects'], (curseur, signal) => ok(api.GET('/v1/releves/suspects', { params: { query: { curseur } }, signal })))
  const rows = pages.rows
  const [at, setAt] = useState(0)
  const index = Math.min(at, Math.max(0, (rows?.length ?? 1) - 1))
  const current = rows?.[index]
  const move = (by: number) => setAt(Math.max(0, Math.min(index + by, (rows?.length ?? 1) - 1)))
  useHotkeys([
    ['J', () => move(1)],
    ['K', () => move(-1)],
  ])
  const here = useRef<HTMLButtonElement>(null)
  useEffect(() => here.current?.scrollIntoView({ block: 'nearest' }), [index])
  const { fetchNextPage, hasNextPage } = pages
  useEffect(() => {
    if (rows && hasNextPage && index >= rows.length - 3) void fetchNextPage()
  }, [rows, index, hasNextPage, fetchNextPage])

  return (
    <Page title={t.suspects.title} subtitle={rows && rows.length > 0 && t.suspects.count(pages.first?.total ?? rows.length)}>
      {!rows && pages.error ? (
        <Failure error={pages.error} retry={() => void pages.refetch()} />
      ) : !rows ? (
        <Loading rows={8} />
      ) : !current ? (
        <Card flush><Empty icon={IconCircleCheck} title={t.suspects.empty}>{t.suspects.emptyHint}</Empty></Card>
      ) : (
        <Group align="flex-start" gap="lg" wrap="nowrap">
          <Paper component="nav" className="card" aria-label={t.suspects.queue} visibleFrom="md" w={280} p={0} py={4} flex="none" style={{ maxHeight: 'calc(100dvh - 200px)', overflowY: 'auto' }}>
            {rows.map((r, i) => (
              <button key={r.id} type="button" ref={i === index ? here : undefined} className="queue-item" aria-current={i === index} onClick={() => setAt(i)}>
                <Text size="sm" fw={600} truncate>{r.nom}</Text>
                <Text size="xs" className="soft" truncate>{list(r.motifs).map((m) => t.word.motif[m.code]).join(', ')}</Text>
                <Text size="xs" className="soft num">{cubicMetres(r.volume_litres)} · {day(r.date)}</Text>
              </button>
            ))}
          </Paper>
          <Stack flex={1} miw={0} gap="sm">
            <Group hiddenFrom="md" justify="space-between">
              <Button variant="default" size="sm" leftSection={<IconChevronLeft size={16} />} disabled={index === 0} onClick={() => move(-1)}>{t.suspects.prevOne}</Button>
              <Text size="sm" className="num">{index + 1} / {pages.first?.total ?? rows.length}</Text>
              <Button variant="default" size="sm" rightSection={<IconChevronRight size={16} />} disabled={index === rows.length - 1} onClick={() => move(1)}>{t.suspects.nextOne}</Button>
            </Group>
            <Decision key={current.id} releve={current} />
          </Stack>
        </Group>
      )}
    </Page>
  )
}

function Decision({ releve: r }: { releve: Suspect }) {
  const t = useT()
  const [rejecting, reject] = useDisclosure()
  const [motif, setMotif] = useState('')
  const history = list(r.historique)
  const before = history.at(-1)
  const counted = history.filter((h) => h.volume_litres > 0 && h.etat !== 'REJETEE')
  const mean = counted.length ? Math.round(counted.reduce((sum, h) => sum + h.volume_litres, 0) / counted.length / 100) * 100 : null
  const command = useCommand(
    (body: Schemas['Decider'], header) => ok(api.POST('/v1/releves/{id}/decision', { params: { path: { id: r.id }, header }, body })),
    (_, { decision }) => done(decision === 'CONFIRMER' ? t.suspects.confirmed : t.suspects.rejected),
  )
  const decide = (body: Schemas['Decider']) => !command.isPending && command.mutate(body)
  // A meter does not run backwards: most of these are misread.
  const backwards = list(r.motifs).some((m) => m.code === 'INDEX_RECULE')
  const may = can('releves:v')
  useHotkeys(may && !rejecting ? [['C', () => decide({ decision: 'CONFIRMER' })], ['R', reject.open]] : [])
  const data = bars([...history, r], t)
  return (
    <Card>
      <Stack gap="lg">
        <div>
          <Title order={2}>{r.abonne_id ? <Link to={`/abonnes/${r.abonne_id}`} inherit>{r.nom}</Link> : r.nom}</Title>
          <Text size="sm" c="dimmed">{r.adresse} · {r.pdl} · {t.abonne.meter.toLowerCase()} {r.compteur}</Text>
        </div>
        <Stack gap="xs" role="group" aria-label={t.suspects.why}>
          {list(r.motifs).map((m) => (
            <Alert key={m.code} color="ambre" icon={<IconAlertTriangle size={18} aria-hidden />} title={t.word.motif[m.code]}>{lang() === 'en' ? m.detail_en : m.detail}</Alert>
          ))}
        </Stack>
        <SimpleGrid cols={{ base: 2, sm: 4 }}>
          <Figure label={t.suspects.previous} value={before ? integer(before.index) : '–'} hint={before && day(before.date)} />
          <Figure label={t.suspects.now} value={integer(r.index)} hint={day(r.date)} />
          <Figure label={t.suspects.volume} value={cubicMetres(r.volume_litres)} hint={t.suspects.days(r.jours)} />
          <Figure label={t.suspects.mean} value={mean === null ? '–' : cubicMetres(mean)} hint={t.suspects.meanHint} />
        </SimpleGrid>
        <VolumeChart bare title={t.suspects.history} data={data} by={t.chart.readOn} height={220} names={names(t)} />
        {may && (
          <Stack gap="xs">
            <Text size="sm" c="dimmed">{backwards ? t.suspects.backwards : t.suspects.confirmText(cubicMetres(r.volume_litres))}</Text>
            {command.error && !rejecting && <Alert color="rouge" role="alert">{command.error.message}</Alert>}
            <Group gap="sm">
              <Button variant={backwards ? 'default' : 'filled'} leftSection={<IconCheck size={16} />} loading={command.isPending && !rejecting} onClick={() => decide({ decision: 'CONFIRMER' })}>{t.suspects.confirm}<Kbd ml={8} size="xs" visibleFrom="md" aria-hidden>C</Kbd></Button>
              <Button variant={backwards ? 'filled' : 'default'} leftSection={<IconX size={16} />} onClick={reject.open}>{t.suspects.reject}<Kbd ml={8} size="xs" visibleFrom="md" aria-hidden>R</Kbd></Button>
              <Text size="xs" c="dimmed" visibleFrom="md">{t.suspects.keys}</Text>
            </Group>
          </Stack>
        )}
      </Stack>
      <Ask title={t.suspects.rejectTitle} danger opened={rejecting} onClose={reject.close} submit={t.suspects.reject} busy={command.isPending} error={command.error?.message} disabled={!motif.trim()} onSubmit={() => decide({ decision: 'REJETER', motif: motif.trim() })}>
        <Text size="sm">{t.suspects.rejectText}</Text>
        <Textarea label={t.suspects.motif} withAsterisk data-autofocus autosize minRows={2} maxLength={400} value={motif} onChange={(e) => setMotif(e.currentTarget.value)} />
      </Ask>
    </Card>
  )
}
