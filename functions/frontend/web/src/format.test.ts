import { describe, expect, test, vi } from 'vitest'
import { ago, cubicMetres, day, dayBefore, euros, integer, percent, rate } from './format'

const thin = '\u202f'
const nbsp = '\u00a0'

describe('figures', () => {
  test.each([
    [euros(6_120_417), `61${thin}204,17${nbsp}€`],
    [euros(-5), `\u22120,05${nbsp}€`],
    [euros(0), `0,00${nbsp}€`],
    [cubicMetres(42_500), `42,5${nbsp}m³`],
    [cubicMetres(1_234_567_000), `1${thin}234${thin}567${nbsp}m³`],
    [cubicMetres(1), `0,001${nbsp}m³`],
    [rate(1_182_000), `1,182${nbsp}€`],
    [rate(36_000), `0,036${nbsp}€`],
    [percent(55), `5,5${nbsp}%`],
    [integer(1000), `1${thin}000`],
  ])('%s', (got, want) => expect(got).toBe(want))
})

describe('days', () => {
  test.each([
    [day('2026-10-01'), '01/10/2026'],
    [day(undefined), ''],
    [dayBefore('2026-10-01'), '30/09/2026'],
    [dayBefore('2024-03-01'), '29/02/2024'],
  ])('%s', (got, want) => expect(got).toBe(want))

  test('how long ago', () => {
    vi.setSystemTime('2026-11-23T12:00:00Z')
    expect(ago('2026-11-23T11:59:20Z')).toBe('il y a 40 secondes')
    expect(ago('2026-11-22T12:00:00Z')).toBe('hier')
    expect(ago('2026-08-01T00:00:00Z')).toBe('il y a 4 mois')
    vi.useRealTimers()
  })
})
