import { Group, SimpleGrid, Stack, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { api, list, ok, type Schemas } from '../api/client'
import { day, dayBefore, euros, integer, percent, rate, today } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { IconCoinEuro } from '../ui/icons'
import { Empty, Loaded } from '../ui/Loaded'
import { Card, Facts, Figure, Page } from '../ui/Page'

/** Tariffs and redevances, those in force first. */
export default function Tarifs() {
  const t = useT()
  const query = useQuery({ queryKey: ['tarifs'], queryFn: ({ signal }) => ok(api.GET('/v1/tarifs', { signal })) })
  return (
    <Page title={t.tarifs.title}>
      <Loaded query={query} rows={8}>
        {(tarifs) => {
          const grilles = list(tarifs.grilles).toSorted((a, b) => Number(inForce(b)) - Number(inForce(a)) || b.du.localeCompare(a.du))
          return (
            <Stack gap="lg">
              {grilles.length === 0 ? <Card flush><Empty icon={IconCoinEuro} title={t.tarifs.empty}>{t.tarifs.emptyHint}</Empty></Card> : <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">{grilles.map((g) => <Grille key={g.id} grille={g} />)}</SimpleGrid>}
              <Card title={t.tarifs.levies} flush>
                <DataTable
                  label={t.tarifs.levies}
                  rows={list(tarifs.redevances)}
                  id={(r) => r.id}
                  columns={[
                    { title: t.tarifs.levy, head: true, cell: (r) => r.libelle },
                    { title: t.tarifs.period, wide: true, cell: (r) => <span className="num">{day(r.du)} – {dayBefore(r.au)}</span> },
                    { title: t.tarifs.rate, num: true, cell: (r) => rate(r.taux_m3_ue) },
                    { title: t.tarifs.coefficient, num: true, cell: (r) => percent(r.coefficient_pm) },
                    { title: t.tarifs.vat, num: true, wide: true, cell: (r) => percent(r.tva_pm) },
                    { title: t.tarifs.source, wide: true, cell: (r) => r.source },
                  ]}
                  empty={<Empty icon={IconCoinEuro} title={t.tarifs.empty} />}
                />
              </Card>
            </Stack>
          )
        }}
      </Loaded>
    </Page>
  )
}

const inForce = ({ du, au }: { du: string; au: string }) => du <= today() && today() < au

function Grille({ grille: g }: { grille: Schemas['Grille'] }) {
  const t = useT()
  const when = inForce(g) ? t.tarifs.inForce : g.du > today() ? t.tarifs.future : t.tarifs.past
  const tranches = list(g.tranches)
  return (
    <Card title={`${t.word.service[g.service]} · ${g.code}`} aside={<span className="state" data-tone={inForce(g) ? 'good' : 'neutral'} style={{ paddingLeft: 9 }}>{when}</span>}>
      <Stack gap="md">
        <Group justify="space-between" align="flex-start">
          <Figure label={t.tarifs.ref} value={euros(g.facture_120_ht_centimes)} />
          <Text size="sm" c="dimmed" className="num">{day(g.du)} – {dayBefore(g.au)}</Text>
        </Group>
        <Facts items={[[t.tarifs.fixed, <span key="f" className="num">{rate(g.part_fixe_an_ue)}</span>], [t.tarifs.vat, percent(g.tva_pm)], [t.tarifs.decision, g.deliberation]]} />
        <Table className="data-table" horizontalSpacing={0}>
          <Table.Thead><Table.Tr><Table.Th scope="col">{t.tarifs.slab}</Table.Th><Table.Th scope="col" className="num">{t.tarifs.perM3}</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {tranches.map((tranche, i) => {
              const from = tranches[i - 1]?.jusqua_m3 ?? 0
              const label = tranche.jusqua_m3 ? t.tarifs.from(integer(from), integer(tranche.jusqua_m3)) : from ? t.tarifs.beyond(integer(from)) : t.tarifs.any
              return <Table.Tr key={i}><Table.Th scope="row">{label}</Table.Th><Table.Td className="num">{rate(tranche.prix_m3_ue)}</Table.Td></Table.Tr>
            })}
          </Table.Tbody>
        </Table>
      </Stack>
    </Card>
  )
}
