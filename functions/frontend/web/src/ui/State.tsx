import { useT, type Dictionary } from '../i18n'
import { type Icon, IconAlertTriangle, IconBan, IconCircle, IconCircleCheck, IconCircleDashed, IconCircleDot, IconCircleX, IconHourglass, IconScale, IconSend } from './icons'

export type Tone = 'neutral' | 'info' | 'good' | 'warn' | 'bad'

const shapes: Record<string, [Tone, Icon]> = {}
const say = (tone: Tone, icon: Icon, ...states: string[]) => states.forEach((state) => (shapes[state] = [tone, icon]))
say('neutral', IconCircleDashed, 'A_VENIR', 'PLANIFIEE', 'INVITE', 'ATTENTE_PIECE', 'QUEUED', 'BASSE')
say('neutral', IconBan, 'ABANDONNEE', 'ABANDONNE', 'IGNOREE', 'DOUBLON', 'REVOQUE', 'CADUC', 'EPUISE', 'ANNULE', 'ANNULEE', 'REJETE', 'REJETEE', 'REMPLACEE')
say('neutral', IconCircle, 'CALCULEE', 'NORMALE', 'CLOS', 'ADMIS_EN_NON_VALEUR', 'ADMISE')
say('info', IconSend, 'EN_RELANCE')
say('neutral', IconHourglass, 'SUSPENDU')
say('warn', IconAlertTriangle, 'A_TRANSMETTRE', 'PROPOSEE')
say('bad', IconScale, 'EN_CONTENTIEUX', 'OUVERT')
say('info', IconCircleDot, 'TRANSMISE', 'RECUE', 'TRANSMIS', 'A_TRAITER', 'SIGNE', 'EN_COURS', 'AFFECTEE', 'ACCEPTEE', 'EN_ROUTE', 'SUR_PLACE', 'SENDING', 'PRINTED', 'PREPARE', 'EMISSION', 'EMISE')
say('warn', IconHourglass, 'PREPAREE', 'A_AFFECTER', 'A_SIGNER', 'EN_RETRACTATION', 'CALCULE', 'CONTROLE', 'PARTIELLE')
say('warn', IconAlertTriangle, 'SUSPECTE', 'ESTIMEE')
say('good', IconCircleCheck, 'REGLE', 'ENCAISSEE', 'ACTIF', 'VALIDEE', 'CONFIRMEE', 'EMIS', 'PAYEE', 'REALISEE', 'TERMINE', 'FAITE', 'SENT', 'DELIVERED')
say('bad', IconCircleX, 'REJET', 'REFUSEE', 'ECHEC', 'IMPOSSIBLE', 'FAILED', 'VERROUILLE')
say('bad', IconAlertTriangle, 'URGENTE', 'ECHUE')
say('warn', IconAlertTriangle, 'A_VERIFIER')
say('neutral', IconBan, 'ANNULEE_PAR_AVOIR', 'RESILIE', 'CLASSEE', 'SANS_OBJET')
say('warn', IconHourglass, 'OUVERTE', 'EN_ATTENTE')
say('warn', IconHourglass, 'A_DEPOSER')
say('good', IconCircleCheck, 'DEPOSEE', 'APPROUVEE', 'ATTESTEE', 'SOLDEE', 'PRIS_EN_CHARGE')
say('good', IconCircleCheck, 'SOLDE', 'PAYE')
say('bad', IconAlertTriangle, 'ROMPU', 'EN_RETARD')
say('warn', IconHourglass, 'DEMANDE')
say('info', IconCircleDot, 'APPROUVE')
say('neutral', IconBan, 'REFUSE')

/** A state of the domain: a shape and a word; the colour only repeats them. */
export function State<K extends keyof Dictionary['state']>({ of, value }: { of: K; value: string }) {
  const words = useT().state[of] as Record<string, string>
  const [tone, Shape] = shapes[value] ?? ['neutral', IconCircle]
  return (
    <span className="state" data-tone={tone}>
      <Shape aria-hidden stroke={2} />
      {words[value] ?? value}
    </span>
  )
}
