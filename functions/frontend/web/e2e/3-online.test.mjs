// Bills are paid on the payment provider's page, with its test cards.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { base, launch, loaded, phone, prestataire, problems, reader, walks } from './harness.mjs'

const accepted = '4970 0000 0000 0016', refused = '4970 0000 0000 0024', secure = '4970 0000 0000 0032', slow = '4970 0000 0000 0040', twice = '4970 0000 0000 0057'

let browser, comptable, abonne, contrat
before(async () => {
  browser = await launch()
  comptable = await reader('comptable')
  abonne = await reader('abonne')
  contrat = (await abonne(`/abonnes/${abonne.utilisateur.abonne_id}`)).contrats[0].id
})
after(() => browser.close())

/** A new bill of the abonne. */
const bill = () =>
  comptable.post('/factures', {
    contrat_id: contrat,
    motif: 'Vérification du compteur',
    echeance: new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10),
    lignes: [{ quantite: 1, libelle: 'Vérification', prix_centimes: 4_200, tva_pm: 100 }],
  })

/** The money of the abonne that went to a bill. */
const paid = async (facture) => (await abonne(`/abonnes/${abonne.utilisateur.abonne_id}/compte`)).paiements.filter((p) => p.reference === facture.numero)

const as = walks(() => browser)

/** A test as the abonne at a bill of 46,20, on their way to the provider. */
const paying = (name, options, walk) =>
  as(name, 'abonne', { origins: [base, prestataire], ...options }, async (page) => {
    const facture = await bill()
    await page.goto(`${base}/factures/${facture.id}`)
    await page.getByRole('button', { name: 'Payer par carte' }).click()
    await page.getByRole('heading', { name: `Facture ${facture.numero}` }).waitFor()
    await walk(page, facture)
  })

const type = async (page, numero) => {
  await page.getByLabel('Numéro de carte ou de téléphone').fill(numero)
  await page.getByRole('button', { name: /^Payer/ }).click()
}
const back = (page) => page.getByRole('link', { name: 'Revenir au service' }).click()
const told = (page, title) => page.getByRole('status').getByText(title, { exact: true }).waitFor()

paying('a refused card leaves the bill open, and another pays it', {}, async (page, facture) => {
  assert.match(await page.locator('.montant').innerText(), /^46,20/)
  assert.deepEqual(await problems(page), [])
  await type(page, refused)
  await page.getByText('Paiement refusé. Vous pouvez essayer un autre moyen.').waitFor()
  const commande = page.url()
  await page.goto(`${base}/factures/${facture.id}?paiement=${commande.split('/').at(-1)}`)
  await told(page, 'Paiement refusé')
  await page.getByText('À payer', { exact: true }).waitFor()
  await loaded(page)
  assert.deepEqual(await problems(page), [])
  assert.deepEqual(await paid(facture), [])
  await page.goto(commande)
  await type(page, secure)
  await page.getByRole('heading', { name: /3-D Secure/ }).waitFor()
  assert.deepEqual(await problems(page), [])
  await page.getByRole('button', { name: 'Confirmer' }).click()
  await page.getByText('Paiement accepté.').waitFor()
  assert.deepEqual(await problems(page), [])
  await back(page)
  await told(page, 'Paiement accepté')
  await page.getByText('Payée', { exact: true }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Payer par carte' }).count(), 0)
  assert.deepEqual((await paid(facture)).map((p) => [p.mode, p.montant_centimes, p.avance_centimes]), [['CARTE', 4_620, 0]])
})

paying('a notification that comes twice counts once', { viewport: phone }, async (page, facture) => {
  await type(page, twice)
  await back(page)
  await told(page, 'Paiement accepté')
  await page.getByText('Payée', { exact: true }).waitFor()
  // Both were sent and acknowledged, says the provider.
  for (let heard = 0; heard < 2; ) heard = (await (await fetch(prestataire)).text()).split(facture.numero)[1].split('<h2>')[0].split('200 OK').length - 1
  assert.equal((await paid(facture)).length, 1)
})

paying('a payer who is back before the provider has told is not told more than is known', {}, async (page, facture) => {
  await type(page, slow)
  await back(page)
  await told(page, 'Paiement en cours')
  await page.getByText('À payer', { exact: true }).waitFor()
  await told(page, 'Paiement accepté') // by itself
  await page.getByText('Payée', { exact: true }).waitFor()
  assert.equal((await paid(facture)).length, 1)
})

paying('who gives up comes back to a bill to be paid', {}, async (page, facture) => {
  await page.getByRole('button', { name: 'Abandonner et revenir' }).click()
  await told(page, 'Paiement abandonné')
  await page.getByRole('button', { name: 'Payer par carte' }).click()
  await page.getByRole('heading', { name: `Facture ${facture.numero}` }).waitFor()
  await type(page, accepted)
  await back(page)
  await page.getByText('Payée', { exact: true }).waitFor()
})

as('a notification that was refused is dealt with, by a person who says how', 'comptable', {}, async (page) => {
  await page.goto(`${base}/encaissements`)
  const card = page.getByRole('region', { name: 'Notifications refusées' })
  const dialog = page.getByRole('dialog')
  const row = page.getByRole('row', { name: /tr-e2e.*43,21/ })
  await row.getByRole('button', { name: 'Marquer comme traitée' }).click()
  await dialog.getByLabel('Constat').fill('Remboursée chez le prestataire')
  assert.deepEqual(await problems(page), [])
  await dialog.getByRole('button', { name: 'Marquer comme traitée' }).click()
  await page.getByText('La notification est traitée.').waitFor()
  await row.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: /^Voir celles qui sont traitées/ }).click()
  await card.getByText('Remboursée chez le prestataire').waitFor()
  assert.deepEqual(await problems(page), [])
})
