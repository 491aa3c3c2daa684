import { can } from '../api/session'
import { t, type Dictionary } from '../i18n'
import { type Icon, IconAlertTriangle, IconBuildingBank, IconCalculator, IconChartBar, IconCircleCheck, IconClipboardList, IconCoinEuro, IconCreditCard, IconDroplet, IconFileText, IconLayoutDashboard, IconListDetails, IconMail, IconRoute, IconScale, IconSend, IconStack2, IconTool, IconUserCog, IconUserPlus, IconUsers } from '../ui/icons'

export interface Entry {
  to: string
  label: string
  icon: Icon
  room?: string
}

/** What the session's role may open, in the order of the menu. */
export function entries({ nav }: Dictionary, role: string): Entry[] {
  // Rooms in the order of a bill's life: what is billed, the money that comes in, the books.
  const all: [string, string, string, Icon, string?][] = [
    [role === 'technicien' ? '' : 'tableau:l', '/', nav.home, IconLayoutDashboard],
    ['portail:l', '/espace', nav.espace, IconDroplet],
    ['portail:l', '/simuler', nav.simuler, IconCalculator],
    ['abonnes:l', '/abonnes', nav.abonnes, IconUsers, nav.roomClients],
    ['contrats:l', '/contrats', nav.contrats, IconFileText, nav.roomClients],
    ['contrats:c', '/souscription', nav.subscribe, IconUserPlus, nav.roomClients],
    ['tournees:l', '/tournees', nav.tournees, IconClipboardList, nav.roomReleve],
    ['releves:l', '/releves/suspects', nav.suspects, IconAlertTriangle, nav.roomReleve],
    ['lots:l', '/lots', nav.lots, IconStack2, nav.roomBilling],
    ['factures:l', '/fuites', nav.fuites, IconDroplet, nav.roomBilling],
    ['factures:l', '/resiliations', nav.resiliations, IconFileText, nav.roomBilling],
    ['tarifs:l', '/tarifs', nav.tarifs, IconCoinEuro, nav.roomBilling],
    ['factures:l', '/simuler', nav.simuler, IconCalculator, nav.roomBilling],
    ['factures:l', '/prestations', nav.prestations, IconFileText, nav.roomBilling],
    ['factures:l', '/depots', nav.depots, IconSend, nav.roomBilling],
    ['prelevements:l', '/prelevements', nav.prelevements, IconCreditCard, nav.roomMoney],
    ['paiements:l', '/encaissements', nav.encaissements, IconBuildingBank, nav.roomMoney],
    ['paiements:l', '/banque', nav.banque, IconBuildingBank, nav.roomMoney],
    ['relances:l', '/relances', nav.relances, IconSend, nav.roomMoney],
    ['comptabilite:l', '/balance', nav.balance, IconScale, nav.roomBooks],
    ['comptabilite:l', '/verification', nav.verification, IconCircleCheck, nav.roomBooks],
    ['comptabilite:l', '/indicateurs', nav.indicateurs, IconChartBar, nav.roomBooks],
    role === 'technicien' ? ['interventions:l', '/terrain', nav.terrain, IconTool] : ['interventions:l', '/interventions', nav.interventions, IconTool, nav.roomField],
    ['processus:l', '/processus', nav.processus, IconRoute, nav.roomAdmin],
    ['courrier:l', '/courrier', nav.courrier, IconMail, nav.roomAdmin],
    ['entites:l', '/entites', nav.entites, IconBuildingBank, nav.roomAdmin],
    ['reglages:l', '/reglages', nav.reglages, IconListDetails, nav.roomAdmin],
    ['utilisateurs:l', '/utilisateurs', nav.utilisateurs, IconUserCog, nav.roomAdmin],
  ]
  return all.filter(([right]) => can(right)).map(([, to, label, icon, room]) => ({ to, label, icon, room }))
}

/** Where a role starts: the first page that it may open. */
export const homeOf = (role: string | undefined) => entries(t(), role ?? '')[0]?.to ?? '/'
