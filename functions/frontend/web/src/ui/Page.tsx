import { Anchor, Box, Group, Paper, Stack, Text, Title, type PaperProps } from '@mantine/core'
import { Link as RouterLink } from '@tanstack/react-router'
import { useEffect, useRef, type ReactNode } from 'react'
import { useT } from '../i18n'
import { IconChevronRight } from './icons'
import { Loaded, type Query } from './Loaded'

/** A link within the application, to an address already made. */
export function Link({ to, children, ...rest }: { to: string; children: ReactNode; fw?: number; size?: string; inherit?: boolean; className?: string }) {
  return <Anchor component={RouterLink} to={to} {...rest}>{children}</Anchor>
}

interface Props {
  title: string
  /** Where one comes from: label and address. */
  trail?: [string, string][]
  subtitle?: ReactNode
  state?: ReactNode
  actions?: ReactNode
  children: ReactNode
  width?: number
}

/** A page: its heading takes the focus when one arrives, so that a screen reader says where one is. */
export function Page({ title, trail, subtitle, state, actions, children, width = 1280 }: Props) {
  const t = useT()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · AquaERP`
    if (!document.activeElement || document.activeElement === document.body) heading.current?.focus({ preventScroll: true })
  }, [title])
  return (
    <Box maw={width} mx="auto">
      <Group justify="space-between" align="flex-end" mb="lg" gap="md">
        <Stack gap={4} miw={0}>
          {trail && (
            <Group component="nav" gap={4} aria-label={t.app.trail}>
              {trail.map(([label, to]) => (
                <Group key={to} gap={4}>
                  <Link to={to} size="sm">{label}</Link>
                  <IconChevronRight size={14} aria-hidden />
                </Group>
              ))}
            </Group>
          )}
          <Group gap="sm">
            <Title order={1} ref={heading} tabIndex={-1}>{title}</Title>
            {state}
          </Group>
          {subtitle && <Text c="dimmed" size="sm" component="div">{subtitle}</Text>}
        </Stack>
        {actions && <Group gap="xs" className="no-print">{actions}</Group>}
      </Group>
      {children}
    </Box>
  )
}

/** A page about one object: until it is there, or when it is not, the page says so under its general title. */
export function PageOf<T>({ title, query, children }: { title: string; query: Query<T>; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return children(query.data)
  return <Page title={title}><Loaded query={query} rows={8}>{() => null}</Loaded></Page>
}

/** A titled surface; what stands beside the title goes below it where there is no room. With `flush`, its content (a table) touches the edges. */
export function Card({ title, hint, aside, flush, children, ...rest }: { title?: string; hint?: string; aside?: ReactNode; flush?: boolean; children: ReactNode } & PaperProps) {
  return (
    <Paper component="section" className={flush ? 'card flush' : 'card'} p={flush ? 0 : 'lg'} {...rest}>
      {title && (
        <Group justify="space-between" px={flush ? 'lg' : 0} pt={flush ? 'md' : 0} pb={flush ? 'xs' : 'md'}>
          <Box flex="1 1 12rem">
            <Title order={2} size="h3">{title}</Title>
            {hint && <Text size="sm" c="dimmed">{hint}</Text>}
          </Box>
          {aside && <Box flex="none" maw="100%">{aside}</Box>}
        </Group>
      )}
      {children}
    </Paper>
  )
}

/** A figure with its name. */
export function Figure({ label, value, hint }: { label: string; value: ReactNode; hint?: ReactNode }) {
  return (
    <div>
      <Text size="sm" c="dimmed">{label}</Text>
      <div className="figure-value num">{value}</div>
      {hint && <Text size="xs" c="dimmed">{hint}</Text>}
    </div>
  )
}

/** Names and values, a line each. */
export function Facts({ items }: { items: ([string, ReactNode] | false | undefined | null | '')[] }) {
  return (
    <Stack component="dl" gap={8} m={0}>
      {items.map((item) => item && (
        <Group key={item[0]} component="div" gap="md" justify="space-between" align="baseline" wrap="nowrap">
          <Text component="dt" size="sm" c="dimmed" style={{ flex: 'none' }}>{item[0]}</Text>
          <Text component="dd" size="sm" m={0} miw={0} ta="right" style={{ overflowWrap: 'anywhere' }}>{item[1]}</Text>
        </Group>
      ))}
    </Stack>
  )
}
