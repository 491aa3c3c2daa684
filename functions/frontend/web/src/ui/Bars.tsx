import '@mantine/charts/styles.css'
import { BarChart } from '@mantine/charts'
import { useReducedMotion } from '@mantine/hooks'
import { cubicMetres, integer } from '../format'
import type { Bar, Tone } from './Chart'

const colors: Record<Tone, string> = { plain: 'var(--aq-chart)', soft: 'var(--aq-chart-soft)', alert: 'var(--aq-chart-alert)' }

/** The drawing itself, in a chunk of its own: the library is larger than a page. */
export default function Bars({ data, height, names, top }: { data: Bar[]; height: number; names: Record<Tone, string>; top?: number }) {
  const still = useReducedMotion()
  const tones = (Object.keys(colors) as Tone[]).filter((tone) => data.some((bar) => (bar.tone ?? 'plain') === tone))
  return (
    <BarChart
      h={height}
      type="stacked"
      data={data.map((bar) => ({ label: bar.label, [names[bar.tone ?? 'plain']]: bar.litres / 1000 }))}
      dataKey="label"
      series={tones.map((tone) => ({ name: names[tone], color: colors[tone] }))}
      tickLine="none"
      gridAxis="x"
      maxBarWidth={44}
      valueFormatter={(m3) => cubicMetres(m3 * 1000)}
      yAxisProps={{ width: 56, tickFormatter: (m3: number) => integer(m3), ...(top && { domain: [0, top / 1000], allowDataOverflow: true }) }}
      xAxisProps={{ interval: 'preserveStartEnd', minTickGap: 12 }}
      barProps={{ radius: [4, 4, 0, 0], isAnimationActive: !still, animationDuration: 300 }}
      barChartProps={{ accessibilityLayer: false }}
    />
  )
}
