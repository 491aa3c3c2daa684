import { Alert, Stack, Table } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { api, list, ok } from '../api/client'
import { euros } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { IconAlertTriangle, IconCheck, IconScale } from '../ui/icons'
import { Empty, Loaded } from '../ui/Loaded'
import { Card, Page } from '../ui/Page'

/** The trial balance of the journal. */
export default function Balance() {
  const t = useT()
  const query = useQuery({ queryKey: ['balance'], queryFn: ({ signal }) => ok(api.GET('/v1/balance', { signal })) })
  return (
    <Page title={t.balance.title} width={960}>
      <Loaded query={query} rows={6}>
        {(b) => {
          const balanced = b.debit_centimes === b.credit_centimes
          return (
            <Stack gap="lg">
              <Alert color={balanced ? 'vert' : 'rouge'} icon={balanced ? <IconCheck aria-hidden /> : <IconAlertTriangle aria-hidden />}>{balanced ? t.balance.balanced : t.balance.unbalanced}</Alert>
              <Card flush>
                <DataTable
                  label={t.balance.title}
                  rows={list(b.comptes)}
                  id={(c) => c.compte}
                  columns={[
                    { title: t.balance.account, head: true, cell: (c) => <span className="num">{c.compte}</span> },
                    { title: t.balance.label, cell: (c) => c.libelle },
                    { title: t.balance.debit, num: true, cell: (c) => euros(c.debit_centimes) },
                    { title: t.balance.credit, num: true, cell: (c) => euros(c.credit_centimes) },
                    { title: t.balance.solde, num: true, wide: true, cell: (c) => euros(c.debit_centimes - c.credit_centimes) },
                  ]}
                  foot={
                    <Table.Tr>
                      <Table.Th scope="row" colSpan={2}>{t.balance.total}</Table.Th>
                      <Table.Td className="num">{euros(b.debit_centimes)}</Table.Td>
                      <Table.Td className="num">{euros(b.credit_centimes)}</Table.Td>
                      <Table.Td className="num mantine-visible-from-sm">{euros(b.debit_centimes - b.credit_centimes)}</Table.Td>
                    </Table.Tr>
                  }
                  empty={<Empty icon={IconScale} title={t.balance.empty}>{t.balance.emptyHint}</Empty>}
                />
              </Card>
            </Stack>
          )
        }}
      </Loaded>
    </Page>
  )
}
