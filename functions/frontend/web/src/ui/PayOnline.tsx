import { Alert, Anchor, Button, Stack, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { compte } from '../api/queries'
import { euros } from '../format'
import { useT } from '../i18n'
import { failed } from './forms'
import { IconCircleCheck, IconCircleX, IconCreditCard, IconHourglass } from './icons'
import { Failure } from './Loaded'
import { Link } from './Page'

/** Leaves for the payment provider's page, where the service has a provider. */
export function PayOnline({ facture, abonne }: { facture: string; abonne: string }) {
  const t = useT()
  const open = useQuery(compte(abonne)).data?.en_ligne
  const start = useCommand(
    (id: string, header) => ok(api.POST('/v1/factures/{id}/paiement-en-ligne', { params: { header, path: { id } } })),
    ({ url }) => { if (url) window.location.assign(url) },
  )
  if (!open) return null
  return <Button leftSection={<IconCreditCard size={16} />} loading={start.isPending} onClick={() => start.mutate(facture, { onError: failed })}>{t.encaissements.online}</Button>
}

/** What has become of an attempt, for the payer who comes back: the provider's word is waited for, never guessed. */
export function OnlineResult({ id, facture }: { id: string; facture: string }) {
  const t = useT()
  const client = useQueryClient()
  const { data: e, error, refetch } = useQuery({
    queryKey: ['paiements-en-ligne', id],
    queryFn: ({ signal }) => ok(api.GET('/v1/paiements-en-ligne/{id}', { params: { path: { id } }, signal })),
    refetchInterval: ({ state }) => (state.data?.etat === 'INITIE' ? 1_500 : false),
  })
  const etat = e?.etat
  useEffect(() => {
    // The bill was read before the provider's word came, perhaps.
    if (etat && etat !== 'INITIE') void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'paiements-en-ligne' })
  }, [etat, client])
  if (!e && error) return <Failure error={error} retry={refetch} />
  if (!e || e.facture_id !== facture) return null
  const [color, Icon] = e.etat === 'ACCEPTE' && !e.paiement?.rejete_le ? (['green', IconCircleCheck] as const) : e.etat === 'INITIE' || e.etat === 'EXPIRE' ? (['eau', IconHourglass] as const) : (['red', IconCircleX] as const)
  return (
    <Alert mb="lg" role="status" variant="light" color={color} icon={<Icon size={18} aria-hidden />} title={t.enLigne.title[e.etat]}>
      <Stack gap={4}>
        {e.etat === 'ACCEPTE' && e.paiement ? <Received paiement={e.paiement} facture={facture} /> : <Text size="sm">{t.enLigne.text[e.etat](euros(e.montant_centimes))}</Text>}
        {e.url && <Anchor href={e.url} size="sm">{t.enLigne.resume}</Anchor>}
      </Stack>
    </Alert>
  )
}

/** Where the money went: to this bill, to others that were open, or to an advance. */
function Received({ paiement: p, facture }: { paiement: Schemas['Paiement']; facture: string }) {
  const t = useT()
  if (p.rejete_le) return <Text size="sm">{t.enLigne.takenBack}</Text>
  const parts = list(p.lettrages)
  const here = parts.find((l) => l.facture_id === facture)
  return (
    <>
      <Text size="sm">{here ? t.enLigne.here(euros(here.montant_centimes)) : t.enLigne.already(euros(p.montant_centimes))}</Text>
      {parts.map((l) => l !== here && <Text key={l.facture_id} size="sm">{t.enLigne.other(euros(l.montant_centimes))} <Link to={`/factures/${l.facture_id}`} inherit>{l.numero}</Link></Text>)}
      {p.avance_centimes > 0 && <Text size="sm">{t.enLigne.advance(euros(p.avance_centimes))}</Text>}
    </>
  )
}
