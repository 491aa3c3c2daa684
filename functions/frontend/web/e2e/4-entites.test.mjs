// Who issues bills and to whom: an organisation with its SIREN, a second legal
// entity with communes, words on bills and the rule of two persons; each change
// says who made it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { base, launch, loaded, logIn, person, problems, reader } from './harness.mjs'

let browser
before(async () => {
  browser = await launch()
})
after(() => browser.close())

/** A person in the application, and what axe finds on the way. */
async function as(role) {
  const { page, faults, close } = await person(browser)
  await logIn(page, role)
  const found = []
  return {
    page,
    go: async (path) => (await page.goto(base + path), await loaded(page)),
    look: async (what) => {
      found.push(...(await problems(page)).map((problem) => `${what}: ${problem}`))
      if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/entites-${what.replace(/\W+/g, '-')}.png`, fullPage: true })
    },
    end: async () => {
      // A refusal on purpose is an answer that the console mentions.
      assert.deepEqual([...found, ...faults.filter((fault) => !/status of 422/.test(fault))], [])
      await close()
    },
  }
}

test('an organisation subscribes with its SIREN', { timeout: 120_000 }, async () => {
  const { page, go, look, end } = await as('conseiller')
  const name = `Syndic ${Date.now()}`
  await go('/souscription')
  await page.getByText('Organisation', { exact: true }).click()
  await page.getByLabel('Nom de l’organisation').fill(name)
  await page.getByLabel('SIREN', { exact: true }).fill('732 829 321')
  await page.getByLabel('Numéro et rue').fill('4 rue du Puits')
  await page.getByLabel('Code postal').fill('77999')
  await page.getByLabel('Commune').fill('Brissy-sur-Loing')
  await page.getByRole('button', { name: 'Continuer' }).click()
  await page.getByText('Neuf chiffres, dont le dernier vérifie les autres.').waitFor()
  await look('a wrong SIREN')
  await page.getByLabel('SIREN', { exact: true }).fill('')
  await page.getByLabel('SIRET', { exact: true }).fill('732 829 320 00074')
  await page.getByRole('button', { name: 'Continuer' }).click()
  await page.getByLabel('Référence du PDL').fill(`PDL-${Date.now()}`)
  await page.getByLabel('Code INSEE').fill('77999')
  await page.getByRole('button', { name: 'Reprendre l’adresse de l’abonné' }).click()
  await page.getByRole('button', { name: 'Continuer' }).click()
  await page.getByLabel('Numéro de série').fill(`SN${Date.now()}`)
  await page.getByRole('button', { name: 'Continuer' }).click()
  await page.getByRole('button', { name: 'Créer le contrat' }).click()
  await page.getByRole('heading', { level: 1, name }).waitFor()
  await page.getByText('73282932000074').waitFor()
  assert.equal(await page.getByText('732829320', { exact: true }).count(), 1)
  await page.getByRole('button', { name: 'SIREN et TVA' }).click()
  await page.getByRole('dialog').getByLabel('N° de TVA').fill('FR45732829320')
  await page.getByRole('dialog').getByRole('button', { name: 'Enregistrer' }).click()
  await page.getByRole('dialog').getByText(/n'est pas celui de cette entreprise/).waitFor()
  await page.getByRole('dialog').getByLabel('N° de TVA').fill('FR44 732829320')
  await look('numbers of an organisation')
  await page.getByRole('dialog').getByRole('button', { name: 'Enregistrer' }).click()
  await page.getByText('FR44732829320').first().waitFor()
  await look('an organisation')
  await end()
})

test('a second legal entity, words on bills, and the rule of two persons', { timeout: 180_000 }, async () => {
  const { page, go, look, end } = await as('administrateur')
  const code = `entite-${Date.now()}`
  const dialog = page.getByRole('dialog')
  await go('/entites')
  await page.getByRole('button', { name: 'Nouvelle entité' }).click()
  await dialog.getByLabel('Code', { exact: false }).first().fill(code)
  await dialog.getByLabel('Nom', { exact: false }).first().fill(`Syndicat ${code}`)
  await dialog.getByLabel('Préfixe des numéros').fill(Date.now().toString(36).slice(-6).toUpperCase())
  await dialog.getByLabel('Forme juridique').fill('Syndicat mixte fermé')
  await dialog.getByLabel('SIRET').fill('732 829 320 00075')
  await dialog.getByLabel('Numéro et rue').fill('3 place du Marché')
  await dialog.getByLabel('Code postal').fill('77999')
  await dialog.getByLabel('Commune').fill('Brissy-sur-Loing')
  await dialog.getByLabel('IBAN').fill('FR14 2004 1010 0505 0001 3M02 606')
  await dialog.getByRole('button', { name: 'Enregistrer' }).click()
  await dialog.getByText(/Ce SIRET n'existe pas/).waitFor()
  await dialog.getByLabel('SIRET').fill('732 829 320 00074')
  await look('an entity being entered')
  await dialog.getByRole('button', { name: 'Enregistrer' }).click()
  await page.getByRole('heading', { level: 2, name: `Syndicat ${code}` }).waitFor()
  await page.getByText('FR…2606').first().waitFor()
  assert.equal(await page.getByText('3M02').count(), 0, 'an account number is on the page')
  await look('entities')
  await page.locator('section', { hasText: code }).getByRole('button', { name: 'Supprimer' }).click()
  await look('an entity being deleted')
  await dialog.getByRole('button', { name: 'Supprimer' }).click()
  await page.getByRole('heading', { level: 2, name: `Syndicat ${code}` }).waitFor({ state: 'detached' })

  await go('/reglages')
  await page.getByRole('button', { name: 'Changer Médiation' }).last().click()
  await dialog.getByLabel('Texte').fill('Médiation de l’eau : www.mediation-eau.fr. C’est gratuit.')
  await look('words being changed')
  await dialog.getByRole('button', { name: 'Enregistrer' }).click()
  await page.getByText('Médiation de l’eau : www.mediation-eau.fr. C’est gratuit.').first().waitFor()
  await go('/reglages?onglet=controles')
  await page.getByRole('button', { name: /^Changer/ }).first().click()
  await dialog.getByLabel('Qui en a décidé').fill('Délibération du conseil')
  await look('the check of runs')
  await dialog.getByRole('button', { name: 'Enregistrer' }).click()
  await page.getByRole('cell', { name: 'Délibération du conseil' }).waitFor()
  await go('/reglages?onglet=journal')
  await page.getByText(/Délibération du conseil/).first().waitFor()
  await page.getByText(/À partir du/).first().waitFor()
  await look('journal of settings')
  await go('/depots')
  await look('electronic invoices')
  await end()
})

test('who may only read settings changes none', { timeout: 60_000 }, async () => {
  const { page, go, end } = await as('superviseur')
  await go('/entites')
  assert.equal(await page.getByRole('button', { name: /Modifier|Nouvelle entité/ }).count(), 0)
  await go('/reglages')
  assert.equal(await page.getByRole('button', { name: /^Changer|Nouvelle mention/ }).count(), 0)
  const read = await reader('superviseur')
  assert.ok((await read('/entites')).items.every((e) => !/[A-Z]{2}\d{2}[0-9A-Z]{11,30}/.test(JSON.stringify(e).replaceAll(' ', ''))), 'an account number is in the answer')
  await end()
})
