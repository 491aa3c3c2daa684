import { Button, Center, Skeleton, Table } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useT } from '../i18n'
import { Failure } from './Loaded'

export interface Column<R> {
  title: string
  cell: (row: R) => ReactNode
  num?: boolean
  /** The cell that names the row. */
  head?: boolean
  /** Left out on a phone. */
  wide?: boolean
}

interface Rows<R> {
  rows: R[] | undefined
  error?: unknown
  refetch?: () => unknown
  hasNextPage?: boolean
  fetchNextPage?: () => unknown
  isFetchingNextPage?: boolean
}

interface Props<R> extends Rows<R> {
  label: string
  columns: Column<R>[]
  id: (row: R) => string
  /** Address that a click anywhere on the row opens; its head cell holds the real link. */
  to?: (row: R) => string
  empty: ReactNode
  foot?: ReactNode
}

export function DataTable<R>({ label, columns, rows, id, to, empty, foot, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage }: Props<R>) {
  const t = useT()
  const navigate = useNavigate()
  if (!rows && error) return <Failure error={error} retry={refetch && (() => void refetch())} />
  if (rows?.length === 0) return empty
  const className = (c: Column<R>) => [c.num && 'num', c.wide && 'mantine-visible-from-sm'].filter(Boolean).join(' ') || undefined
  return (
    <>
      <div className="table-scroll" role="region" aria-label={label} tabIndex={0}>
        <Table className="data-table" highlightOnHover={Boolean(to)} aria-busy={!rows}>
          <Table.Thead>
            <Table.Tr>{columns.map((c) => <Table.Th key={c.title} className={className(c)} scope="col">{c.title}</Table.Th>)}</Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows?.map((row) => (
              <Table.Tr
                key={id(row)}
                className={to && 'link'}
                onClick={to && ((e) => !(e.target as Element).closest('a,button,input') && !getSelection()?.toString() && void navigate({ to: to(row) }))}
              >
                {columns.map((c) =>
                  c.head ? <Table.Th key={c.title} scope="row" className={className(c)}>{c.cell(row)}</Table.Th> : <Table.Td key={c.title} className={className(c)}>{c.cell(row)}</Table.Td>,
                )}
              </Table.Tr>
            )) ?? Array.from({ length: 6 }, (_, i) => <Table.Tr key={i}>{columns.map((c) => <Table.Td key={c.title} className={className(c)}><Skeleton h={14} w={`${80 - ((i * 13) % 40)}%`} /></Table.Td>)}</Table.Tr>)}
          </Table.Tbody>
          {foot && <Table.Tfoot>{foot}</Table.Tfoot>}
        </Table>
      </div>
      {hasNextPage && (
        <Center p="sm">
          <Button variant="subtle" loading={isFetchingNextPage} onClick={() => void fetchNextPage?.()}>{t.more}</Button>
        </Center>
      )}
    </>
  )
}
