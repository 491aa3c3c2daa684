import { useInfiniteQuery, useMutation, useQueryClient, type QueryKey } from '@tanstack/react-query'
import { useRef } from 'react'
import { list } from './client'
import { asProblem, type Problem } from './problem'

/** Headers of a command: the key that makes a repeated request the same one. */
export type Command = { 'Idempotency-Key': string }

/**
 * A command to the API. The same variables keep the same Idempotency-Key
 * until they succeed, so a retry, by the hook or by the person, is the same
 * request and has one effect. What it changed is read again.
 */
export function useCommand<V, R>(send: (variables: V, header: Command) => Promise<R>, onDone?: (result: R, variables: V) => void) {
  const attempt = useRef<{ of: string; key: string }>(null)
  const client = useQueryClient()
  return useMutation<R, Problem, V>({
    mutationFn: async (variables) => {
      const of = JSON.stringify(variables ?? null)
      if (attempt.current?.of !== of) attempt.current = { of, key: crypto.randomUUID() }
      try {
        return await send(variables, { 'Idempotency-Key': attempt.current.key })
      } catch (error) {
        throw asProblem(error)
      }
    },
    retry: (failures, problem) => failures < 2 && (problem.status === 0 || problem.status === 503),
    onSuccess: (result, variables) => {
      attempt.current = null
      void client.invalidateQueries()
      onDone?.(result, variables)
    },
  })
}

/** A list read page by page, as far as the person asked. */
export function usePages<P extends { items: unknown[] | null; suivant?: string }>(key: QueryKey, read: (curseur: string | undefined, signal: AbortSignal) => Promise<P>, options?: { refetchInterval?: number; enabled?: boolean }) {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => read(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.suivant || undefined,
    ...options,
  })
  const rows = query.data?.pages.flatMap((page) => list(page.items)) as NonNullable<P['items']>[number][] | undefined
  return { ...query, rows, first: query.data?.pages[0] }
}
