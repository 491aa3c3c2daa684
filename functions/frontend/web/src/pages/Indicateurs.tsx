import { Button, Select, SimpleGrid, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { api, list, ok } from '../api/client'
import { asProblem } from '../api/problem'
import { euros, month, rate, today } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { failed } from '../ui/forms'
import { IconDownload, IconMapPin } from '../ui/icons'
import { Empty, Loaded } from '../ui/Loaded'
import { Card, Figure, Page } from '../ui/Page'

/** Figures of the annual report of a year, each with its definition and its source. */
export default function Indicateurs() {
  const t = useT()
  const d = t.indicateurs
  const navigate = useNavigate()
  const now = Number(today().slice(0, 4))
  const asked = Number((useSearch({ strict: false }) as { annee?: string }).annee)
  const annee = asked >= 2000 && asked <= 2200 ? asked : now
  const years = [...new Set([annee, ...Array.from({ length: 8 }, (_, i) => now - i)])].sort((a, b) => b - a)
  const query = useQuery({ queryKey: ['indicateurs', annee], queryFn: ({ signal }) => ok(api.GET('/v1/indicateurs/{annee}', { params: { path: { annee } }, signal })) })
  const download = useMutation({
    mutationFn: () => ok(api.GET('/v1/indicateurs/{annee}/csv', { params: { path: { annee } }, parseAs: 'blob' })),
    onSuccess: (csv) => {
      const link = document.createElement('a')
      link.href = URL.createObjectURL(csv as unknown as Blob)
      link.download = `indicateurs-${annee}.csv`
      link.click()
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
    },
    onError: (error) => failed(asProblem(error)),
  })
  return (
    <Page
      title={d.title}
      subtitle={d.hint}
      actions={
        <>
          <Select aria-label={d.year} w={110} data={years.map(String)} value={String(annee)} allowDeselect={false} onChange={(next) => void navigate({ to: '.', search: { annee: next ?? undefined }, replace: true })} />
          <Button variant="default" leftSection={<IconDownload size={16} />} loading={download.isPending} onClick={() => download.mutate()}>{d.csv}</Button>
        </>
      }
    >
      <Loaded query={query} rows={8}>
        {(i) => {
          const name = (code: string) => list(i.definitions).find((x) => x.code === code)?.nom ?? code
          return (
            <Stack gap="lg">
              <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
                {list(i.impayes).map((x) => (
                  <Card key={x.code}>
                    <Figure label={`${x.code} · ${name(x.code)}`} value={x.taux_pdm === undefined ? '–' : `${(x.taux_pdm / 100).toFixed(2).replace('.', ',')}\u00a0%`} hint={x.taux_pdm === undefined ? d.nothing(annee - 1) : d.unpaid(euros(x.impaye_centimes), euros(x.facture_centimes), annee - 1, annee)} />
                  </Card>
                ))}
              </SimpleGrid>
              <Card title={d.prices(annee + 1)} flush>
                <DataTable
                  label={d.prices(annee + 1)}
                  rows={list(i.prix)}
                  id={(p) => p.code + p.code_insee}
                  columns={[
                    { title: t.grilles.commune, head: true, cell: (p) => p.nom || p.code_insee || t.grilles.everywhere },
                    { title: d.indicator, cell: (p) => <>{p.code}<Text size="xs" c="dimmed">{name(p.code)}</Text></> },
                    { title: d.bill120, num: true, wide: true, cell: (p) => euros(p.facture_120_centimes) },
                    { title: d.perM3, num: true, cell: (p) => rate(p.prix_m3_ue) },
                  ]}
                  empty={<Empty icon={IconMapPin} title={d.noPrice(annee + 1)}>{d.noPriceHint}</Empty>}
                />
              </Card>
              <Card title={d.months} flush>
                <DataTable
                  label={d.months}
                  rows={list(i.mois)}
                  id={(m) => m.mois}
                  columns={[
                    { title: t.chart.month, head: true, cell: (m) => month(m.mois) },
                    { title: name('facture'), num: true, cell: (m) => euros(m.facture_centimes) },
                    { title: name('encaisse'), num: true, cell: (m) => euros(m.encaisse_centimes) },
                    { title: name('echu'), num: true, cell: (m) => euros(m.echu_centimes) },
                  ]}
                  empty={null}
                />
              </Card>
              <Card title={d.definitions}>
                <Stack component="dl" gap="sm" m={0}>
                  {list(i.definitions).map((x) => (
                    <div key={x.code}>
                      <Text component="dt" size="sm" fw={550}>{x.nom} ({x.unite})</Text>
                      <Text component="dd" size="sm" m={0}>{x.formule}. <Text span c="dimmed">{x.source}</Text></Text>
                    </div>
                  ))}
                </Stack>
              </Card>
            </Stack>
          )
        }}
      </Loaded>
    </Page>
  )
}
