import { Group, Switch, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, list, ok } from '../api/client'
import { integer } from '../format'
import { useT } from '../i18n'
import { DocumentButton } from './DocumentButton'
import { IconPrinter } from './icons'
import { Loaded } from './Loaded'
import { Card } from './Page'

/** The bills of an issued lot, to print or to keep: in parts, in the order of the post. */
export function Cahiers({ id }: { id: string }) {
  const t = useT()
  const [poste, setPoste] = useState(true)
  const query = useQuery({ queryKey: ['lots', id, 'cahiers', poste], queryFn: ({ signal }) => ok(api.GET('/v1/lots/{id}/cahiers', { params: { path: { id }, query: { poste } }, signal })) })
  const read = (rang: number, kind: 'pdf' | 'zip') => () =>
    kind === 'pdf'
      ? ok(api.GET('/v1/lots/{id}/cahiers/{rang}/pdf', { params: { path: { id, rang }, query: { poste } }, parseAs: 'blob' }))
      : ok(api.GET('/v1/lots/{id}/cahiers/{rang}/zip', { params: { path: { id, rang }, query: { poste } }, parseAs: 'blob' }))
  return (
    <Card title={t.documents.print} hint={t.documents.printHint} flush pb="lg" aside={<Switch label={t.documents.post} checked={poste} onChange={(e) => setPoste(e.currentTarget.checked)} />}>
      <Loaded query={query} rows={2}>
        {({ cahiers, factures }) =>
          factures === 0 ? <Text px="lg" c="dimmed" size="sm">{t.documents.none}</Text> : (
            <div className="table-scroll" role="region" aria-label={t.documents.print} tabIndex={0}>
              <Table className="data-table">
                <Table.Thead>
                  <Table.Tr><Table.Th scope="col">{t.documents.part}</Table.Th><Table.Th scope="col" className="num">{t.lot.bills}</Table.Th><Table.Th scope="col">{t.documents.from}</Table.Th><Table.Th scope="col">{t.documents.files}</Table.Th></Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {list(cahiers).map((c) => (
                    <Table.Tr key={c.rang}>
                      <Table.Th scope="row">{t.documents.nth(c.rang)}</Table.Th>
                      <Table.Td className="num">{integer(c.factures)}</Table.Td>
                      <Table.Td>{c.premier === c.dernier ? c.premier : `${c.premier} – ${c.dernier}`}</Table.Td>
                      <Table.Td>
                        <Group gap="xs" wrap="nowrap">
                          <DocumentButton size="xs" label={t.documents.pdf} name={`${t.documents.pdf}, ${t.documents.nth(c.rang)}`} file={`cahier-${c.rang}.pdf`} icon={<IconPrinter size={16} />} read={read(c.rang, 'pdf')} />
                          <DocumentButton size="xs" label={t.documents.zip} name={`${t.documents.zip}, ${t.documents.nth(c.rang)}`} file={`cahier-${c.rang}.zip`} read={read(c.rang, 'zip')} />
                        </Group>
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </div>
          )
        }
      </Loaded>
    </Card>
  )
}
