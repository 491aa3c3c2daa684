import { useSyncExternalStore } from 'react'
import { en } from './en'
import { fr } from './fr'

export type Lang = 'fr' | 'en'

/** A dictionary: the shape of the French one, which is written first. */
export type Dictionary = Widen<typeof fr>
type Widen<T> = { [K in keyof T]: T[K] extends string ? string : T[K] extends (...args: infer A) => string ? (...args: A) => string : Widen<T[K]> }

const dictionaries: Record<Lang, Dictionary> = { fr, en }
const listeners = new Set<() => void>()
const stored = (): Lang => (globalThis.localStorage?.getItem('aquaerp-lang') === 'en' ? 'en' : 'fr')
let current: Lang = stored()

export const lang = () => current
/** The words, outside a component. */
export const t = () => dictionaries[current]

export function setLang(next: Lang) {
  current = next
  localStorage.setItem('aquaerp-lang', next)
  listeners.forEach((notify) => notify())
}

export const useLang = () => useSyncExternalStore((notify) => (listeners.add(notify), () => listeners.delete(notify)), lang)
/** The words, in a component. */
export const useT = () => dictionaries[useLang()]
