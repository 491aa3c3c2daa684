import { createTheme, rem, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core'

// Every colour, size and default of the interface. The shades are chosen so
// that text on them reaches 4.5:1 in both schemes; the end-to-end test holds
// them to it with axe.

const eau: MantineColorsTuple = ['#edf6fa', '#d8ebf4', '#aed5e7', '#7fbcd8', '#58a6ca', '#3790b9', '#1b76a3', '#0f6088', '#0b4f74', '#083a57']
const gray: MantineColorsTuple = ['#f6f8fa', '#eef2f5', '#e1e7ec', '#cfd8df', '#b3bfc9', '#8a97a4', '#5d6a77', '#4a5662', '#323c46', '#1a222a']
const dark: MantineColorsTuple = ['#dbe3ea', '#b8c3cd', '#9aa7b3', '#6e7c8a', '#3f4b57', '#323d48', '#232c35', '#161d24', '#10161c', '#0b1015']
const vert: MantineColorsTuple = ['#e9f7f0', '#d2eee0', '#a3dcc1', '#70c79f', '#46b482', '#2b9d6c', '#1a8157', '#136a47', '#0e5438', '#093d29']
const ambre: MantineColorsTuple = ['#fdf4e3', '#fae7c3', '#f4cf88', '#ecb44d', '#df9b22', '#c08010', '#9a640a', '#7f5108', '#653f07', '#4a2e05']
const rouge: MantineColorsTuple = ['#fdefed', '#fadbd7', '#f3b5ad', '#ea897d', '#e06355', '#d2463a', '#b9332a', '#9c2821', '#7d201b', '#5c1713']

const tones: Record<string, string> = { eau: 'info', vert: 'good', ambre: 'warn', rouge: 'bad' }

export const theme = createTheme({
  colors: { eau, gray, dark, vert, ambre, rouge },
  primaryColor: 'eau',
  primaryShade: { light: 8, dark: 6 },
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  headings: {
    fontFamily: "'Inter Variable', system-ui, sans-serif",
    fontWeight: '650',
    sizes: {
      h1: { fontSize: rem(24), lineHeight: '1.3' },
      h2: { fontSize: rem(18), lineHeight: '1.35' },
      h3: { fontSize: rem(15), lineHeight: '1.4' },
    },
  },
  fontSizes: { xs: rem(12.5), sm: rem(14), md: rem(15), lg: rem(17), xl: rem(20) },
  spacing: { xs: rem(8), sm: rem(12), md: rem(16), lg: rem(24), xl: rem(32) },
  radius: { xs: rem(3), sm: rem(6), md: rem(8), lg: rem(12), xl: rem(20) },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  focusRing: 'auto',
  components: {
    Paper: { defaultProps: { radius: 'lg', withBorder: true } },
    Table: { defaultProps: { verticalSpacing: rem(9), horizontalSpacing: 'md', fz: 'sm' } },
    Tooltip: { defaultProps: { openDelay: 300, events: { hover: true, focus: true, touch: true } } },
    Alert: { vars: (_: unknown, { color }: { color?: string }) => ({ root: { '--alert-bg': `var(--aq-tone-${tones[color ?? ''] ?? 'info'}-bg)` } }) },
    Modal: { defaultProps: { centered: true, radius: 'lg', padding: 'lg' }, styles: { title: { fontSize: rem(18), fontWeight: 650 } } },
    Anchor: { defaultProps: { underline: 'hover' } },
    Skeleton: { defaultProps: { radius: 'sm' } },
  },
})

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--mantine-color-text': gray[9],
    '--mantine-color-dimmed': gray[6],
    '--mantine-color-placeholder': gray[6],
    '--mantine-color-anchor': eau[7],
    '--mantine-color-error': rouge[6],
    '--mantine-color-default-border': gray[2],
    '--aq-ground': gray[0],
    '--aq-surface': '#ffffff',
    '--aq-line': gray[2],
    '--aq-hover': gray[1],
    '--aq-nav-active': eau[1],
    '--aq-nav-active-text': eau[9],
    '--aq-chart': eau[6],
    '--aq-chart-soft': eau[2],
    '--aq-chart-alert': rouge[5],
    '--aq-tone-neutral': gray[7],
    '--aq-tone-neutral-bg': gray[1],
    '--aq-tone-info': eau[8],
    '--aq-tone-info-bg': eau[0],
    '--aq-tone-good': vert[7],
    '--aq-tone-good-bg': vert[0],
    '--aq-tone-warn': ambre[7],
    '--aq-tone-warn-bg': ambre[0],
    '--aq-tone-bad': rouge[7],
    '--aq-tone-bad-bg': rouge[0],
  },
  dark: {
    '--mantine-color-body': dark[7],
    '--mantine-color-text': dark[0],
    '--mantine-color-dimmed': dark[2],
    '--mantine-color-placeholder': dark[2],
    '--mantine-color-anchor': eau[3],
    '--mantine-color-error': rouge[3],
    '--mantine-color-default-border': dark[5],
    '--aq-ground': dark[8],
    '--aq-surface': dark[7],
    '--aq-line': dark[6],
    '--aq-hover': dark[6],
    '--aq-nav-active': '#12364a',
    '--aq-nav-active-text': eau[1],
    '--aq-chart': eau[4],
    '--aq-chart-soft': '#2a7397',
    '--aq-chart-alert': rouge[4],
    '--aq-tone-neutral': dark[1],
    '--aq-tone-neutral-bg': dark[6],
    '--aq-tone-info': eau[2],
    '--aq-tone-info-bg': '#10303f',
    '--aq-tone-good': vert[2],
    '--aq-tone-good-bg': '#0d3023',
    '--aq-tone-warn': ambre[2],
    '--aq-tone-warn-bg': '#37260a',
    '--aq-tone-bad': rouge[2],
    '--aq-tone-bad-bg': '#3d1a17',
  },
})
