import { queryOptions } from '@tanstack/react-query'
import { api, list, ok } from './client'

// What more than one page reads.

export const ficheAbonne = (id: string) =>
  queryOptions({ queryKey: ['abonnes', id], queryFn: ({ signal }) => ok(api.GET('/v1/abonnes/{id}', { params: { path: { id } }, signal })) })

export const compte = (id: string) =>
  queryOptions({ queryKey: ['abonnes', id, 'compte'], queryFn: ({ signal }) => ok(api.GET('/v1/abonnes/{id}/compte', { params: { path: { id } }, signal })) })

export const lot = (id: string) => queryOptions({ queryKey: ['lots', id], queryFn: ({ signal }) => ok(api.GET('/v1/lots/{id}', { params: { path: { id } }, signal })) })

export const facture = (id: string) => queryOptions({ queryKey: ['factures', id], queryFn: ({ signal }) => ok(api.GET('/v1/factures/{id}', { params: { path: { id } }, signal })) })

export const intervention = (id: string) =>
  queryOptions({ queryKey: ['interventions', id], queryFn: ({ signal }) => ok(api.GET('/v1/interventions/{id}', { params: { path: { id } }, signal })) })

export const tableau = () => queryOptions({ queryKey: ['tableau'], queryFn: ({ signal }) => ok(api.GET('/v1/tableau', { signal })), refetchInterval: 30_000 })

/** The readings of an abonne that a chart shows: two years of any rhythm. */
export const releves = (id: string) =>
  queryOptions({ queryKey: ['abonnes', id, 'releves', 'chart'], queryFn: ({ signal }) => ok(api.GET('/v1/abonnes/{id}/releves', { params: { path: { id }, query: { limite: 24 } }, signal })) })

export const mandats = (id: string) =>
  queryOptions({ queryKey: ['abonnes', id, 'mandats'], queryFn: ({ signal }) => ok(api.GET('/v1/abonnes/{id}/mandats', { params: { path: { id } }, signal })) })

export const echeanciers = (id: string) =>
  queryOptions({ queryKey: ['abonnes', id, 'echeanciers'], queryFn: ({ signal }) => ok(api.GET('/v1/abonnes/{id}/echeanciers', { params: { path: { id } }, signal })) })

/** The bills of an abonne that wait for a payment. */
export const facturesOuvertes = (id: string) =>
  queryOptions({
    queryKey: ['abonnes', id, 'factures', 'ouvertes'],
    queryFn: async ({ signal }) => list((await ok(api.GET('/v1/abonnes/{id}/factures', { params: { path: { id }, query: { limite: 200 } }, signal }))).items).filter((f) => f.numero && f.reste_centimes > 0),
  })
