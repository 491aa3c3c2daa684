import { Group, SegmentedControl, Table, Text } from '@mantine/core'
import { lazy, Suspense, useState } from 'react'
import { useT } from '../i18n'
import { cubicMetres } from '../format'
import { Card } from './Page'
import { Loading } from './Loaded'

const Bars = lazy(() => import('./Bars'))

export type Tone = 'plain' | 'soft' | 'alert'

export interface Bar {
  label: string
  litres: number
  tone?: Tone
  note?: string
}

interface Props {
  title: string
  hint?: string
  data: Bar[]
  /** Heading of the first column of the table. */
  by: string
  height?: number
  /** What the tones mean, where there is more than one. */
  names?: Partial<Record<Tone, string>>
  bare?: boolean
}

/** Volumes over time: a chart, and the same figures as a table. */
export function VolumeChart({ title, hint, data, by, height = 240, names, bare }: Props) {
  const t = useT()
  const [view, setView] = useState('chart')
  const words = { plain: t.chart.volume, soft: t.chart.volume, alert: t.chart.volume, ...names }
  const tones = [...new Set(data.map((bar) => bar.tone ?? 'plain'))]
  // One doubtful bar must not flatten the history that it is judged by.
  const usual = 4 * Math.max(0, ...data.filter((bar) => bar.tone !== 'alert').map((bar) => bar.litres))
  const beyond = usual > 0 ? data.find((bar) => bar.litres > usual) : undefined
  const body =
    view === 'chart' ? (
      <figure aria-label={title} style={{ margin: 0 }}>
        <div role="img" aria-label={`${title}. ${t.chart.inTable}`}>
          <Suspense fallback={<Loading rows={6} />}>
            <Bars data={data} height={height} names={words} top={beyond && Math.ceil(usual / 20_000) * 20_000} />
          </Suspense>
        </div>
        <Group component="figcaption" gap="md" mt="xs" justify="center">
          {tones.length > 1 && tones.map((tone) => (
            <Group key={tone} gap={6}>
              <span aria-hidden className="swatch" data-tone={tone} />
              <Text size="xs" c="dimmed">{words[tone]}</Text>
            </Group>
          ))}
          {beyond && <Text size="xs" c="dimmed">{t.chart.beyond(cubicMetres(beyond.litres))}</Text>}
        </Group>
      </figure>
    ) : (
      <div className="table-scroll" role="region" aria-label={title} tabIndex={0} style={{ maxHeight: height, overflow: 'auto' }}>
        <Table className="data-table" stickyHeader>
          <Table.Thead><Table.Tr><Table.Th scope="col">{by}</Table.Th><Table.Th scope="col" className="num">{t.chart.volume}</Table.Th><Table.Th scope="col">{t.chart.note}</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {data.map((bar) => (
              <Table.Tr key={bar.label}><Table.Th scope="row">{bar.label}</Table.Th><Table.Td className="num">{cubicMetres(bar.litres)}</Table.Td><Table.Td>{bar.note}</Table.Td></Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    )
  const toggle = <SegmentedControl size="xs" className="no-print" aria-label={t.chart.view} value={view} onChange={setView} data={[{ value: 'chart', label: t.chart.chart }, { value: 'table', label: t.chart.table }]} />
  if (bare) return <div><Group justify="space-between" mb="xs" wrap="nowrap"><Text fw={600} size="sm">{title}</Text>{toggle}</Group>{body}</div>
  return <Card title={title} hint={hint} aside={toggle}>{body}</Card>
}
