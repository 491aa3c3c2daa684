import { ActionIcon, Alert, Autocomplete, Menu, Select, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand, type Command } from '../api/hooks'
import { facturesOuvertes } from '../api/queries'
import { day, euros } from '../format'
import { useT } from '../i18n'
import { Ask, centimes, done, EuroInput, sentence } from './forms'
import { IconAlertTriangle, IconDots } from './icons'
import { Loaded } from './Loaded'

type Payment = Schemas['Paiement']
type Act = 'match' | 'unmatch' | 'foreign' | 'back'

/** What can be done about a payment: put it on a bill, take it off one, say that it is another's, take it back. */
export function PaymentActs({ payment: p }: { payment: Payment }) {
  const t = useT().paymentActs
  const [act, setAct] = useState<Act>()
  if (p.rejete_le) return null
  const close = () => setAct(undefined)
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target><ActionIcon variant="subtle" aria-label={t.menu(day(p.recu_le), euros(p.montant_centimes))}><IconDots size={18} /></ActionIcon></Menu.Target>
        <Menu.Dropdown>
          {p.avance_centimes > 0 && <Menu.Item onClick={() => setAct('match')}>{t.match}</Menu.Item>}
          {list(p.lettrages).length > 0 && <Menu.Item onClick={() => setAct('unmatch')}>{t.unmatch}</Menu.Item>}
          {p.mode !== 'ESPECES' && <Menu.Item onClick={() => setAct('foreign')}>{t.foreign}</Menu.Item>}
          <Menu.Item color="rouge" onClick={() => setAct('back')}>{t.back}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {act === 'match' && <Match payment={p} onClose={close} />}
      {act === 'unmatch' && <Unmatch payment={p} onClose={close} />}
      {act === 'foreign' && <Remove act="foreign" payment={p} onClose={close} />}
      {act === 'back' && <Remove act="back" payment={p} onClose={close} />}
    </>
  )
}

/** What an act changes, line by line. */
function Effect({ lines }: { lines: (string | false)[] }) {
  const t = useT().paymentActs
  return (
    <Alert color="eau" icon={<IconAlertTriangle size={18} aria-hidden />} title={t.effect}>
      <Stack gap={4}>{lines.map((line) => line && <Text key={line} size="sm">{line}</Text>)}</Stack>
    </Alert>
  )
}

/** The bills that lose this payment, in words. */
function reopened(t: ReturnType<typeof useT>['paymentActs'], p: Payment) {
  return list(p.lettrages).map((l) => t.reopens(l.numero, euros(l.montant_centimes)))
}

/** Takes a payment from its abonne: the money is gone, or it waits for its owner. */
function Remove({ act, payment: p, onClose }: { act: 'foreign' | 'back'; payment: Payment; onClose: () => void }) {
  const t = useT().paymentActs
  const [motif, setMotif] = useState('')
  const [error, setError] = useState<string | null>(null)
  const path = act === 'back' ? '/v1/paiements/{id}/rejet' : '/v1/paiements/{id}/desaffectation'
  const command = useCommand((body: { motif: string }, header) => ok(api.POST(path, { params: { header, path: { id: p.id } }, body })), () => (onClose(), done(act === 'back' ? t.backDone : t.foreignDone)))
  const title = act === 'back' ? t.backTitle : t.foreignTitle
  return (
    <Ask title={title(euros(p.montant_centimes), day(p.recu_le))} danger opened onClose={onClose} submit={act === 'back' ? t.back : t.foreign} busy={command.isPending} error={error} disabled={!motif.trim()} onSubmit={() => command.mutate({ motif: motif.trim() }, { onError: (problem) => setError(sentence(problem)) })}>
      <Autocomplete label={t.reason} required maxLength={200} data-autofocus data={act === 'back' ? Object.values(t.reasons) : []} value={motif} onChange={setMotif} />
      <Effect
        lines={[
          ...reopened(t, p),
          p.avance_centimes > 0 && t.losesAdvance(euros(p.avance_centimes)),
          (p.rembourse_centimes ?? 0) > 0 && t.losesRefund(euros(p.rembourse_centimes ?? 0)),
          act === 'back' ? t.leavesBooks(euros(p.montant_centimes)) : t.waits(euros(p.montant_centimes)),
        ]}
      />
    </Ask>
  )
}

function Unmatch({ payment: p, onClose }: { payment: Payment; onClose: () => void }) {
  const t = useT().paymentActs
  const all = list(p.lettrages)
  const [facture, setFacture] = useState(all[0]?.facture_id ?? '')
  const [motif, setMotif] = useState('')
  const [error, setError] = useState<string | null>(null)
  const command = useCommand((body: { facture_id: string; motif: string }, header) => ok(api.POST('/v1/paiements/{id}/delettrage', { params: { header, path: { id: p.id } }, body })), () => (onClose(), done(t.unmatched)))
  const chosen = all.find((l) => l.facture_id === facture)
  return (
    <Ask title={t.unmatch} opened onClose={onClose} submit={t.unmatch} busy={command.isPending} error={error} disabled={!chosen || !motif.trim()} onSubmit={() => command.mutate({ facture_id: facture, motif: motif.trim() }, { onError: (problem) => setError(sentence(problem)) })}>
      <Select label={t.bill} data={all.map((l) => ({ value: l.facture_id, label: `${l.numero} (${euros(l.montant_centimes)})` }))} value={facture} onChange={(v) => setFacture(v ?? '')} allowDeselect={false} />
      <Autocomplete label={t.reason} required maxLength={200} data-autofocus value={motif} onChange={setMotif} />
      {chosen && <Effect lines={[t.reopens(chosen.numero, euros(chosen.montant_centimes)), t.staysAdvance(euros(p.avance_centimes + chosen.montant_centimes))]} />}
    </Ask>
  )
}

function Match({ payment: p, onClose }: { payment: Payment; onClose: () => void }) {
  const t = useT().paymentActs
  const bills = useQuery(facturesOuvertes(p.abonne_id))
  const [facture, setFacture] = useState<string | null>(null)
  const [montant, setMontant] = useState<number | string>('')
  const [error, setError] = useState<string | null>(null)
  const command = useCommand((body: { facture_id: string; montant_centimes: number }, header: Command) => ok(api.POST('/v1/paiements/{id}/lettrage', { params: { header, path: { id: p.id } }, body })), () => (onClose(), done(t.matched)))
  const chosen = bills.data?.find((f) => f.id === facture)
  const most = Math.min(p.avance_centimes, chosen?.reste_centimes ?? 0)
  const sum = montant === '' ? most : centimes(montant)
  return (
    <Ask title={t.match} opened onClose={onClose} submit={t.match} busy={command.isPending} error={error} disabled={!chosen || sum <= 0 || sum > most} onSubmit={() => command.mutate({ facture_id: facture!, montant_centimes: sum }, { onError: (problem) => setError(sentence(problem)) })}>
      <Text size="sm">{t.hasLeft(euros(p.avance_centimes))}</Text>
      <Loaded query={bills} rows={1}>
        {(open) =>
          open.length === 0 ? <Text size="sm" c="dimmed">{t.noBill}</Text> : (
            <Select label={t.bill} data={open.map((f) => ({ value: f.id, label: `${f.numero} (${euros(f.reste_centimes)})` }))} value={facture} onChange={setFacture} data-autofocus />
          )
        }
      </Loaded>
      {chosen && (
        <>
          <EuroInput label={t.sum} description={t.atMost(euros(most))} max={most / 100} placeholder={euros(most)} value={montant} onChange={setMontant} />
          <Effect lines={[chosen.reste_centimes === sum ? t.paysBill(chosen.numero ?? '') : t.leavesBill(chosen.numero ?? '', euros(chosen.reste_centimes - sum)), p.avance_centimes > sum && t.staysAdvance(euros(p.avance_centimes - sum))]} />
        </>
      )}
    </Ask>
  )
}
