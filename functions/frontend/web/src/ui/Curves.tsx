import { SegmentedControl, Table } from '@mantine/core'
import { lazy, Suspense, useState } from 'react'
import { euros, integer } from '../format'
import { useT } from '../i18n'
import { Loading } from './Loaded'
import { Card } from './Page'

const Lines = lazy(() => import('./Lines'))

export interface Curve {
  name: string
  points: { m3: number; centimes: number }[]
}

/** Prices by volume: curves, and the same figures as a table. */
export function PriceCurves({ title, hint, curves, height = 280 }: { title: string; hint?: string; curves: Curve[]; height?: number }) {
  const t = useT()
  const [view, setView] = useState('chart')
  return (
    <Card title={title} hint={hint} aside={<SegmentedControl size="xs" className="no-print" aria-label={t.chart.view} value={view} onChange={setView} data={[{ value: 'chart', label: t.chart.chart }, { value: 'table', label: t.chart.table }]} />}>
      {view === 'chart' ? (
        <div role="img" aria-label={`${title}. ${t.chart.inTable}`}>
          <Suspense fallback={<Loading rows={6} />}><Lines curves={curves} height={height} /></Suspense>
        </div>
      ) : (
        <div className="table-scroll" role="region" aria-label={title} tabIndex={0} style={{ maxHeight: height, overflow: 'auto' }}>
          <Table className="data-table" stickyHeader>
            <Table.Thead><Table.Tr><Table.Th scope="col">{t.chart.volume}</Table.Th>{curves.map((c) => <Table.Th key={c.name} scope="col" className="num">{c.name}</Table.Th>)}</Table.Tr></Table.Thead>
            <Table.Tbody>
              {curves[0]?.points.map(({ m3 }, i) => (
                <Table.Tr key={m3}><Table.Th scope="row">{`${integer(m3)}\u00a0m³`}</Table.Th>{curves.map((c) => <Table.Td key={c.name} className="num">{euros(c.points[i]?.centimes ?? 0)}</Table.Td>)}</Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </Card>
  )
}
