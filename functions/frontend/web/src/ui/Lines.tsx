import '@mantine/charts/styles.css'
import { LineChart } from '@mantine/charts'
import { useReducedMotion } from '@mantine/hooks'
import { euros, integer } from '../format'
import type { Curve } from './Curves'

const strokes = [
  { color: 'var(--aq-chart)', dash: undefined },
  { color: 'var(--aq-chart-alert)', dash: '6 4' },
] as const

/** The drawing itself, in a chunk of its own: the library is larger than a page. */
export default function Lines({ curves, height }: { curves: Curve[]; height: number }) {
  const still = useReducedMotion()
  const data = (curves[0]?.points ?? []).map(({ m3 }, i) => ({ m3, ...Object.fromEntries(curves.map((c) => [c.name, (c.points[i]?.centimes ?? 0) / 100])) }))
  return (
    <LineChart
      h={height}
      data={data}
      dataKey="m3"
      series={curves.map((c, i) => ({ name: c.name, color: strokes[i % strokes.length]!.color, strokeDasharray: strokes[i % strokes.length]!.dash }))}
      withDots={false}
      withLegend={curves.length > 1}
      tickLine="none"
      curveType="linear"
      valueFormatter={(value) => euros(Math.round(value * 100))}
      yAxisProps={{ width: 64, tickFormatter: (value: number) => integer(value) }}
      xAxisProps={{ minTickGap: 24, tickFormatter: (m3: number) => `${integer(m3)}\u00a0m³` }}
      lineProps={{ isAnimationActive: !still, animationDuration: 300 }}
      lineChartProps={{ accessibilityLayer: false }}
    />
  )
}
