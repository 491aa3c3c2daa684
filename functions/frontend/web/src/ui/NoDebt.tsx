import { api, ok } from '../api/client'
import { useT } from '../i18n'
import { DocumentButton } from './DocumentButton'

/** The certificate that an abonne owes nothing; while something is owed the refusal says what. */
export function NoDebt({ id }: { id: string }) {
  const t = useT()
  const read = () => ok(api.GET('/v1/abonnes/{id}/attestation-non-dette', { params: { path: { id } }, parseAs: 'blob' }))
  return <DocumentButton label={t.documents.noDebt} file="attestation-non-dette.pdf" read={read} />
}
