import { Alert, Button, Group, Stack, Text, Timeline } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { can } from '../api/session'
import { day, instant } from '../format'
import { useT } from '../i18n'
import { done, failed } from '../ui/forms'
import { IconCheck, IconCircleDot, IconHourglass, IconRefresh, IconX } from '../ui/icons'
import { Card, Facts, Link, Page, PageOf } from '../ui/Page'
import { State } from '../ui/State'

export default function PlanPage() {
  const t = useT()
  const { id } = useParams({ strict: false }) as { id: string }
  const query = useQuery({
    queryKey: ['plans', id],
    queryFn: ({ signal }) => ok(api.GET('/v1/plans/{id}', { params: { path: { id } }, signal })),
    refetchInterval: ({ state }) => (state.data?.etat === 'EN_COURS' ? 3000 : false),
  })
  const retry = useCommand(
    (_: null, header) => ok(api.POST('/v1/plans/{id}/relance', { params: { path: { id }, header } })),
    () => done(t.processus.retried),
  )
  return (
    <PageOf title={t.processus.title} query={query}>
      {(plan) => (
        <Page
          title={plan.titre}
          trail={[[t.processus.title, '/processus']]}
          state={<State of="plan" value={plan.etat} />}
          subtitle={`${(t.word.definition as Record<string, string>)[plan.definition] ?? plan.definition} v${plan.version} · ${t.processus.started.toLowerCase()} ${instant(plan.cree_a)}${plan.termine_a ? `, ${t.processus.ended(instant(plan.termine_a))}` : ''}`}
          actions={plan.etat === 'ECHEC' && can('processus:m') && <Button leftSection={<IconRefresh size={16} />} loading={retry.isPending} onClick={() => retry.mutate(null, { onError: failed })}>{t.processus.retry}</Button>}
          width={860}
        >
          <Stack gap="lg">
            {plan.etat === 'ECHEC' && <Alert color="rouge" icon={<IconX aria-hidden />}>{t.processus.failed}</Alert>}
            <Card title={t.processus.steps}><Steps etapes={list(plan.etapes)} /></Card>
            {plan.abonne_id && can('abonnes:l') && <Card><Facts items={[[t.processus.subject, <Link key="a" to={`/abonnes/${plan.abonne_id}`} inherit>{t.see}</Link>]]} /></Card>}
          </Stack>
        </Page>
      )}
    </PageOf>
  )
}

const marks = { A_VENIR: null, EN_COURS: <IconCircleDot size={14} />, FAITE: <IconCheck size={14} />, ECHEC: <IconX size={14} /> }

function Steps({ etapes }: { etapes: Schemas['Etape'][] }) {
  const t = useT()
  return (
    <Timeline bulletSize={28} lineWidth={2} active={etapes.findLastIndex((e) => e.etat !== 'A_VENIR')}>
      {etapes.map((e) => (
        <Timeline.Item key={e.code} bullet={e.etat === 'EN_COURS' && e.nature === 'ATTENTE_DATE' ? <IconHourglass size={14} /> : marks[e.etat]} color={e.etat === 'ECHEC' ? 'rouge' : undefined} title={<Group gap="xs">{e.titre}<State of="etape" value={e.etat} /></Group>}>
          <Text size="sm" c="dimmed">
            {[t.processus.nature[e.nature], e.entree_a && instant(e.entree_a), e.etat === 'EN_COURS' && e.jusqua && t.processus.until(day(e.jusqua)), e.essais && t.processus.tries(e.essais)].filter(Boolean).join(' · ')}
          </Text>
          {e.detail && <Text size="sm" mt={4}>{e.detail}</Text>}
        </Timeline.Item>
      ))}
    </Timeline>
  )
}
