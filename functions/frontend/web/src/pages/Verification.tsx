import { Alert, Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { api, list, ok } from '../api/client'
import { integer } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { IconAlertTriangle, IconCheck } from '../ui/icons'
import { Loaded } from '../ui/Loaded'
import { Card, Page } from '../ui/Page'

/** Whether every bill is still what was issued. */
export default function Verification() {
  const t = useT().verification
  const query = useQuery({ queryKey: ['verification'], queryFn: ({ signal }) => ok(api.GET('/v1/verification', { signal })), staleTime: Infinity })
  return (
    <Page title={t.title} width={1080} subtitle={t.lead}>
      <Loaded query={query} rows={4}>
        {(v) => (
          <Stack gap="lg">
            <Alert color={v.valide ? 'vert' : 'rouge'} icon={v.valide ? <IconCheck aria-hidden /> : <IconAlertTriangle aria-hidden />}>{v.valide ? t.valid : t.invalid}</Alert>
            {v.sans_ecriture + v.ecritures_fausses > 0 && <Alert color="rouge" icon={<IconAlertTriangle aria-hidden />}>{t.journal(v.sans_ecriture, v.ecritures_fausses)}</Alert>}
            <Card flush>
              <DataTable
                label={t.title}
                rows={list(v.series)}
                id={(s) => s.serie}
                columns={[
                  { title: t.series, head: true, cell: (s) => <span className="id">{s.serie}</span> },
                  { title: t.sealed, num: true, cell: (s) => integer(s.scellees) },
                  { title: t.toSeal, num: true, wide: true, cell: (s) => integer(s.a_sceller) },
                  { title: t.gaps, num: true, cell: (s) => integer(s.manquantes) },
                  { title: t.first, cell: (s) => (s.defaut ? `${s.defaut.numero || s.defaut.rang} : ${t.raison[s.defaut.raison]}` : '–') },
                  { title: t.head, wide: true, cell: (s) => <span className="id" title={s.tete}>{s.tete.slice(0, 16)}</span> },
                ]}
                empty={null}
              />
            </Card>
          </Stack>
        )}
      </Loaded>
    </Page>
  )
}
