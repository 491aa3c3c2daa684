import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router'
import type { ComponentType, ReactNode } from 'react'
import { can, session } from './api/session'
import { NotFound, NotYours } from './pages/NotFound'
import { homeOf } from './shell/nav'
import { Shell } from './shell/Shell'
import { Failure, Loading } from './ui/Loaded'

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound })

const connexion = createRoute({
  getParentRoute: () => root,
  path: '/connexion',
  validateSearch: (search): { vers?: string } => (typeof search.vers === 'string' && /^\/(?!\/)/.test(search.vers) ? { vers: search.vers } : {}),
  beforeLoad: ({ search }) => {
    if (session()) throw redirect({ href: search.vers ?? homeOf(session()?.utilisateur.role) })
  },
  component: lazyRouteComponent(() => import('./pages/Login')),
})

const invitation = createRoute({
  getParentRoute: () => root,
  path: '/invitation',
  component: lazyRouteComponent(() => import('./pages/Invitation')),
})

// Everything else needs a session.
const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  beforeLoad: ({ location }) => {
    if (!session()) throw redirect({ to: '/connexion', search: location.href === '/' ? {} : { vers: location.href } })
  },
  component: Shell,
})

const text = (value: unknown) => (value === undefined || value === '' ? undefined : String(value))

/** A page of the application, and the right that opens it: one of those listed. */
function page<P extends string, S extends object = object>(path: P, right: string, load: () => Promise<{ default: () => ReactNode }>, validateSearch?: (search: Record<string, unknown>) => S) {
  const Component = lazyRouteComponent(load) as ComponentType
  const Guarded = (): ReactNode => (right.split(',').some(can) ? <Component /> : <NotYours />)
  return createRoute({ getParentRoute: () => app, path, component: Guarded, validateSearch: validateSearch ?? ((): S => ({}) as S) })
}

const byState = (search: Record<string, unknown>): { etat?: string } => ({ etat: text(search.etat) })

const routeTree = root.addChildren([
  connexion,
  invitation,
  app.addChildren([
    createRoute({
      getParentRoute: () => app,
      path: '/',
      beforeLoad: () => {
        const home = homeOf(session()?.utilisateur.role)
        if (home !== '/') throw redirect({ to: home })
      },
      component: lazyRouteComponent(() => import('./pages/Dashboard')),
    }),
    page('/abonnes', 'abonnes:l', () => import('./pages/Abonnes'), (search): { q?: string } => ({ q: text(search.q) })),
    page('/abonnes/$id', 'abonnes:l', () => import('./pages/Abonne'), (search): { onglet?: string } => ({ onglet: text(search.onglet) })),
    page('/contrats', 'contrats:l', () => import('./pages/Contrats'), byState),
    page('/souscription', 'contrats:c', () => import('./pages/Subscribe'), (search): { abonne?: string } => ({ abonne: text(search.abonne) })),
    page('/tournees', 'tournees:l', () => import('./pages/Tournees')),
    page('/releves/suspects', 'releves:l', () => import('./pages/Suspects')),
    page('/lots', 'lots:l', () => import('./pages/Lots')),
    page('/lots/$id', 'lots:l', () => import('./pages/Lot')),
    page('/factures/$id', 'factures:l,portail:l', () => import('./pages/Facture'), (search): { paiement?: string } => ({ paiement: text(search.paiement) })),
    page('/factures/$id/explication', 'factures:l,portail:l', () => import('./pages/Explication')),
    page('/fuites', 'factures:l', () => import('./pages/Fuites'), byState),
    page('/prestations', 'factures:l', () => import('./pages/Prestations')),
    page('/resiliations', 'factures:l', () => import('./pages/Resiliations'), byState),
    page('/simuler', 'factures:l,portail:l', () => import('./pages/Simuler'), (search): { contrat?: string } => ({ contrat: text(search.contrat) })),
    page('/prelevements', 'prelevements:l', () => import('./pages/Prelevements')),
    page('/prelevements/$id', 'prelevements:l', () => import('./pages/Remise')),
    page('/encaissements', 'paiements:l', () => import('./pages/Encaissements'), (search): { onglet?: string } => ({ onglet: text(search.onglet) })),
    page('/banque', 'paiements:l', () => import('./pages/Banque'), (search): { fichier?: string } => ({ fichier: text(search.fichier) })),
    page('/tarifs', 'tarifs:l', () => import('./pages/Tarifs'), (search): { onglet?: string } => ({ onglet: text(search.onglet) })),
    page('/tarifs/et-si', 'tarifs:l', () => import('./pages/EtSi')),
    page('/indicateurs', 'comptabilite:l,tarifs:l', () => import('./pages/Indicateurs'), (search): { annee?: string } => ({ annee: text(search.annee) })),
    page('/verification', 'comptabilite:l', () => import('./pages/Verification')),
    page('/relances', 'relances:l', () => import('./pages/Relances'), (search): { onglet?: string } => ({ onglet: text(search.onglet) })),
    page('/contentieux/$id', 'relances:l', () => import('./pages/Contentieux')),
    page('/balance', 'comptabilite:l', () => import('./pages/Balance'), (search): { onglet?: string; compte?: string } => ({ onglet: text(search.onglet), compte: text(search.compte) })),
    page('/interventions', 'interventions:l', () => import('./pages/Interventions'), byState),
    page('/interventions/$id', 'interventions:l', () => import('./pages/Intervention')),
    page('/terrain', 'interventions:l', () => import('./pages/Terrain')),
    page('/processus', 'processus:l', () => import('./pages/Plans'), byState),
    page('/processus/$id', 'processus:l', () => import('./pages/Plan')),
    page('/courrier', 'courrier:l', () => import('./pages/Courrier'), byState),
    page('/depots', 'factures:l', () => import('./pages/Depots'), byState),
    page('/entites', 'entites:l', () => import('./pages/Entites')),
    page('/reglages', 'reglages:l', () => import('./pages/Reglages'), (search): { onglet?: string } => ({ onglet: text(search.onglet) })),
    page('/utilisateurs', 'utilisateurs:l', () => import('./pages/Utilisateurs')),
    page('/espace', 'portail:l', () => import('./pages/Espace')),
  ]),
])

export const router = createRouter({
  routeTree,
  defaultPreload: 'intent',
  defaultPendingComponent: () => <Loading rows={6} />,
  defaultErrorComponent: ({ error, reset }) => <Failure error={error} retry={reset} />,
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
