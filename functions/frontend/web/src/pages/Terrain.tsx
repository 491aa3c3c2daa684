import { Center, Button, Group, SegmentedControl, Stack, Text } from '@mantine/core'
import { Link as RouterLink } from '@tanstack/react-router'
import { useState } from 'react'
import { api, ok, type Schemas } from '../api/client'
import { usePages } from '../api/hooks'
import { useSession } from '../api/session'
import { day, today } from '../format'
import { useT } from '../i18n'
import { IconMapPin, IconTool } from '../ui/icons'
import { Empty, Failure, Loading } from '../ui/Loaded'
import { Card, Page } from '../ui/Page'
import { State } from '../ui/State'

/** The technician's day, on a phone: own orders, and those that nobody has. */
export default function Terrain() {
  const t = useT()
  const me = useSession()?.utilisateur.id
  const [whose, setWhose] = useState('mine')
  const pages = usePages(['interventions', 'terrain'], (curseur, signal) => ok(api.GET('/v1/interventions', { params: { query: { etat: 'OUVERTES', limite: 200, curseur } }, signal })), { refetchInterval: 15_000 })
  const orders = pages.rows
  const mine = orders?.filter((o) => o.technicien === me) ?? []
  const free = orders?.filter((o) => !o.technicien) ?? []
  const shown = whose === 'mine' ? mine : free
  return (
    <Page title={t.terrain.title} width={640}>
      <Stack gap="md">
        <SegmentedControl size="lg" fullWidth value={whose} onChange={setWhose} aria-label={t.terrain.title} data={[{ value: 'mine', label: `${t.terrain.mine} (${mine.length})` }, { value: 'free', label: `${t.terrain.free} (${free.length})` }]} />
        {!orders ? (
          pages.error ? <Failure error={pages.error} retry={() => void pages.refetch()} /> : <Loading rows={6} />
        ) : shown.length === 0 ? (
          <Card flush><Empty icon={IconTool} title={whose === 'mine' ? t.terrain.emptyMine : t.terrain.emptyFree}>{whose === 'mine' ? t.terrain.emptyMineHint : undefined}</Empty></Card>
        ) : (
          shown.map((order) => <OrderCard key={order.id} order={order} />)
        )}
        {pages.hasNextPage && <Center><Button variant="subtle" onClick={() => void pages.fetchNextPage()}>{t.more}</Button></Center>}
      </Stack>
    </Page>
  )
}

function OrderCard({ order }: { order: Schemas['Intervention'] }) {
  const t = useT()
  const late = order.prevue_le < today()
  return (
    <RouterLink className="field-card" to="/interventions/$id" params={{ id: order.id }}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Text fw={650} fz="lg">{t.word.intervention[order.nature]}</Text>
        {order.priorite === 'URGENTE' ? <State of="priorite" value="URGENTE" /> : <State of="intervention" value={order.etat} />}
      </Group>
      <Group gap={6} mt={6} wrap="nowrap" align="flex-start">
        <IconMapPin size={18} aria-hidden style={{ flex: 'none', marginTop: 2 }} />
        <Text>{order.adresse.voie}, {order.adresse.commune}</Text>
      </Group>
      <Text size="sm" c="dimmed" mt={6}>
        {order.numero} · {order.prevue_le === today() ? t.interventions.today : day(order.prevue_le)}
        {late && <Text span inherit c="var(--mantine-color-error)" fw={600}> · {t.interventions.late}</Text>}
      </Text>
    </RouterLink>
  )
}
