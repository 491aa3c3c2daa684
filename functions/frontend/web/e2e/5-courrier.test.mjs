// What is written to people, by page: text messages to who agreed, help on
// evidence, letters printed together and posted once.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { base, launch, loaded, logIn, person, phone, problems, reader } from './harness.mjs'

let browser, abonne
before(async () => {
  browser = await launch()
  const read = await reader('superviseur')
  abonne = (await read('/abonnes')).items.at(-1).id
})
after(() => browser.close())

test('help and text messages, on the page of an abonne', { timeout: 120_000 }, async () => {
  const { page, faults, close } = await person(browser)
  await logIn(page, 'superviseur')
  await page.goto(`${base}/abonnes/${abonne}`)
  await loaded(page)
  const found = []

  await page.getByRole('button', { name: 'Activer les SMS' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Numéro de mobile').fill('01 23 45 67 89')
  await dialog.getByRole('button', { name: 'Activer les SMS' }).click()
  await dialog.getByText('Ce n’est pas le numéro d’un téléphone mobile').or(dialog.getByText("Ce n'est pas le numéro d'un téléphone mobile")).waitFor()
  found.push(...(await problems(page)))
  await dialog.getByLabel('Numéro de mobile').fill('06 39 98 00 12')
  await dialog.getByRole('button', { name: 'Activer les SMS' }).click()
  await page.getByText('Accepte les SMS au +33639980012.').waitFor()
  await page.getByRole('button', { name: 'Arrêter les SMS' }).click()
  await dialog.getByRole('button', { name: 'Arrêter les SMS' }).click()
  await page.getByText('N’a pas accepté de recevoir des SMS.').waitFor()

  await page.getByRole('button', { name: 'Enregistrer une aide' }).click()
  await dialog.getByLabel('Justificatif').fill('Notification CAF du 3 mars 2026')
  found.push(...(await problems(page)))
  await dialog.getByRole('button', { name: 'Enregistrer une aide' }).click()
  await page.getByText('Ce foyer est aidé').waitFor()
  await page.getByRole('button', { name: 'Terminer' }).click()
  await dialog.getByRole('button', { name: 'Terminer' }).click()
  await page.getByRole('button', { name: 'Renouveler' }).waitFor()
  assert.deepEqual([...found, ...faults.filter((f) => !/status of 422/.test(f))], [])
  await close()
})

test('an abonne turns their own text messages on and off', { timeout: 60_000 }, async () => {
  const { page, faults, close } = await person(browser, { viewport: phone })
  await logIn(page, 'abonne')
  await page.goto(`${base}/espace`)
  await loaded(page)
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Activer les SMS' }).click()
  await dialog.getByLabel('Numéro de mobile').fill('06 39 98 00 13')
  assert.deepEqual(await problems(page), [])
  await dialog.getByRole('button', { name: 'Activer les SMS' }).click()
  await page.getByText('Accepte les SMS au +33639980013.').waitFor()
  await page.getByRole('button', { name: 'Arrêter les SMS' }).click()
  await dialog.getByRole('button', { name: 'Arrêter les SMS' }).click()
  await page.getByText('N’a pas accepté de recevoir des SMS.').waitFor()
  assert.deepEqual(faults, [])
  await close()
})

test('letters are printed and posted', { timeout: 120_000 }, async () => {
  const { page, faults, close } = await person(browser)
  await logIn(page, 'superviseur')
  await page.goto(`${base}/courrier?onglet=lettres`)
  await loaded(page)
  const bills = /^Préparer un tirage, Factures/
  const waiting = await page.getByRole('button', { name: bills }).count()
  if (waiting) {
    await page.getByRole('button', { name: bills }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Préparer un tirage' }).click()
    await page.getByRole('button', { name: bills }).waitFor({ state: 'detached' })
  }
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: /^Imprimer, / }).first().click()])
  assert.match(file.suggestedFilename(), /^lettres-.*\.pdf$/)
  await page.getByRole('button', { name: /^Marquer comme postées, / }).first().click()
  assert.deepEqual(await problems(page), [])
  await page.getByRole('dialog').getByRole('button', { name: 'Marquer comme postées' }).click()
  await page.getByText(/^postées le /).first().waitFor()
  assert.deepEqual(faults, [])
  await close()
})
