import { Button } from '@mantine/core'
import { useSearch } from '@tanstack/react-router'
import { api, ok, type Schemas } from '../api/client'
import { useCommand, usePages } from '../api/hooks'
import { can } from '../api/session'
import { day, euros, today } from '../format'
import { lang, useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { failed } from '../ui/forms'
import { IconFileText } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Link, Page } from '../ui/Page'
import { State } from '../ui/State'
import { StateFilter } from '../ui/StateFilter'

type Resiliation = Schemas['Resiliation']

/** Contracts that ended: each with its last bill, or why it waits and until when. */
export default function Resiliations() {
  const t = useT()
  const etat = (useSearch({ strict: false }) as { etat?: Resiliation['etat'] }).etat
  const pages = usePages(['resiliations', 'list', etat], (curseur, signal) => ok(api.GET('/v1/resiliations', { params: { query: { etat, curseur } }, signal })))
  const solder = useCommand((id: string, header) => ok(api.POST('/v1/contrats/{id}/solde', { params: { path: { id }, header } })))
  return (
    <Page title={t.resiliations.title} subtitle={t.resiliations.hint} actions={<StateFilter of="resiliation" states={['EN_ATTENTE', 'SOLDEE', 'SANS_OBJET']} value={etat} />}>
      <Card flush>
        <DataTable
          label={t.resiliations.title}
          {...pages}
          id={(r) => r.contrat_id}
          columns={[
            { title: t.fuites.who, head: true, cell: (r) => <>{can('abonnes:l') ? <Link to={`/abonnes/${r.abonne_id}`} inherit fw={600}>{r.nom}</Link> : r.nom}<div className="soft">{`${r.contrat} · ${r.lieu}`}</div></> },
            { title: t.resiliations.ended, num: true, cell: (r) => day(r.date) },
            { title: t.resiliations.limit, num: true, cell: (r) => <span data-tone={r.etat === 'EN_ATTENTE' && r.limite < today() ? 'bad' : undefined}>{day(r.limite)}</span> },
            { title: t.abonne.state, cell: (r) => <><State of="resiliation" value={r.etat} />{r.detail && <div className="soft">{lang() === 'en' ? r.detail_en : r.detail}</div>}</> },
            {
              title: t.resiliations.bill,
              num: true,
              cell: (r) =>
                r.facture ? <><Link to={`/factures/${r.facture_id}`} inherit>{r.facture}</Link><div className="soft">{euros(r.ttc_centimes)}</div></>
                : r.etat === 'EN_ATTENTE' && can('factures:c') ? <Button size="compact-sm" variant="default" loading={solder.isPending && solder.variables === r.contrat_id} onClick={() => solder.mutate(r.contrat_id, { onError: failed })}>{t.resiliations.retry}</Button>
                : null,
            },
          ]}
          empty={<Empty icon={IconFileText} title={t.resiliations.empty} />}
        />
      </Card>
    </Page>
  )
}
