import { Button, EmptyState, Skeleton, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { asProblem } from '../api/problem'
import { useT } from '../i18n'
import { type Icon, IconLock, IconMoodEmpty, IconPlugConnectedX, IconRefresh, IconSearch } from './icons'

// What a page shows when it has nothing to show: designed once, used everywhere.

export function Empty({ icon: Shape = IconMoodEmpty, title, children, action }: { icon?: Icon; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <EmptyState py="xl" withIndicatorBackground icon={<Shape aria-hidden stroke={1.5} />} title={title} description={children}>
      {action && <EmptyState.Actions>{action}</EmptyState.Actions>}
    </EmptyState>
  )
}

export function Forbidden() {
  const t = useT()
  return <Empty icon={IconLock} title={t.error.forbidden}>{t.error.forbiddenHint}</Empty>
}

export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const t = useT()
  const problem = asProblem(error)
  if (problem.status === 403) return <Forbidden />
  if (problem.status === 404) return <Empty icon={IconSearch} title={t.error.notFound}>{problem.message}</Empty>
  return (
    <div role="alert">
      <Empty
        icon={IconPlugConnectedX}
        title={problem.status === 0 || problem.status === 503 ? t.error.away : t.error.title}
        action={retry && <Button variant="default" leftSection={<IconRefresh size={16} />} onClick={retry}>{t.error.retry}</Button>}
      >
        {problem.message}
        {problem.traceID && <Text component="span" display="block" size="xs" mt={4}>{t.error.trace} {problem.traceID}</Text>}
      </Empty>
    </div>
  )
}

export function Loading({ rows = 4 }: { rows?: number }) {
  const t = useT()
  return (
    <Stack gap="sm" role="status" aria-label={t.loading}>
      {Array.from({ length: rows }, (_, i) => <Skeleton key={i} h={20} w={`${94 - ((i * 17) % 40)}%`} />)}
    </Stack>
  )
}

export interface Query<T> {
  data: T | undefined
  error: unknown
  refetch: () => unknown
}

/** The answer of a query, or what there is to say until it comes. */
export function Loaded<T>({ query, rows, children }: { query: Query<T>; rows?: number; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return children(query.data)
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />
  return <Loading rows={rows} />
}
