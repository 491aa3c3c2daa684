import { Alert, Button, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { api, list, ok } from '../api/client'
import { useLang, useT } from '../i18n'
import { Explained } from '../ui/Explained'
import { IconPrinter } from '../ui/icons'
import { Page, PageOf } from '../ui/Page'

/** Why a bill is what it is, from what is stored with it. */
export default function ExplicationPage() {
  const t = useT()
  const lang = useLang()
  const { id } = useParams({ strict: false }) as { id: string }
  const query = useQuery({ queryKey: ['factures', id, 'explication'], queryFn: ({ signal }) => ok(api.GET('/v1/factures/{id}/explication', { params: { path: { id } }, signal })) })
  return (
    <PageOf title={t.explication.title} query={query}>
      {(e) => (
        <Page
          title={e.numero ? t.explication.of(e.numero) : t.explication.title}
          trail={[[e.numero ? t.facture.title(e.numero) : t.facture.draft, `/factures/${id}`]]}
          width={880}
          actions={<Button variant="default" leftSection={<IconPrinter size={16} />} onClick={() => window.print()}>{t.explication.print}</Button>}
        >
          <Stack gap="lg">
            {e.conforme ? list(e.resume).map((said) => <Text key={said.fr} fz="lg">{said[lang]}</Text>) : <Alert color="rouge" role="alert">{list(e.resume).map((said) => said[lang]).join(' ')}</Alert>}
            <Explained explication={e} />
            {e.conforme && list(e.troncons).length > 0 && <Text size="sm" c="dimmed">{t.explication.proof}</Text>}
          </Stack>
        </Page>
      )}
    </PageOf>
  )
}
