// What the browser tests share: a browser, people who log in, and a watch over
// each page. Nothing here waits for a time; everything waits for what a person
// would wait for.
//
// Environment: BASE_URL, the product's address; USERS, a JSON object from role
// to {identifiant, mot_de_passe}; PRESTATAIRE, the payment provider's address; CHROMIUM, a browser, when it is not
// /usr/bin/chromium; SCREENSHOTS, a folder for a picture of every page.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { chromium } from 'playwright-core'

const need = (name) => {
  assert.ok(process.env[name], `${name} is not set; see e2e/harness.mjs`)
  return process.env[name]
}
export const base = need('BASE_URL').replace(/\/$/, '')
export const users = JSON.parse(need('USERS'))
export const prestataire = need('PRESTATAIRE').replace(/\/$/, '')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export const desktop = { width: 1360, height: 860 }
export const phone = { width: 390, height: 844 }

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
  })

/**
 * A person at a browser of their own. What their pages complain of, and every
 * request to another origin than theirs, is in `faults`.
 */
export async function person(browser, { viewport = desktop, theme = 'light', origins = [base] } = {}) {
  const context = await browser.newContext({ viewport, colorScheme: theme, reducedMotion: 'reduce', locale: 'fr-FR', timezoneId: 'Europe/Paris', acceptDownloads: true })
  context.setDefaultTimeout(30_000)
  const page = await context.newPage()
  const faults = []
  page.on('console', (message) => message.type() === 'error' && faults.push(`${page.url()}: ${message.text()}`))
  page.on('pageerror', (error) => faults.push(`${page.url()}: ${error}`))
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.protocol.startsWith('http') && !origins.includes(url.origin)) faults.push(`${page.url()}: a request to ${url.origin}`)
  })
  return { page, context, faults, close: () => context.close() }
}

/**
 * Tests as one person, or as a visitor without a role; what their pages
 * complained of fails them. The browser is asked for when it runs.
 */
export const walks = (browser) => (name, role, options, walk) =>
  test(name, { timeout: 180_000 }, async (t) => {
    const who = await person(browser(), options)
    try {
      if (role) await logIn(who.page, role)
      await walk(who.page, t)
      assert.deepEqual(who.faults, [])
    } catch (error) {
      error.message += `\non ${who.page.url()}, which says:\n${(await who.page.locator('body').innerText().catch(() => '')).slice(0, 2000)}`
      throw error
    } finally {
      await who.close()
    }
  })

export async function logIn(page, role) {
  const { identifiant, mot_de_passe } = users[role]
  await page.goto(`${base}/connexion`)
  await page.getByLabel('Adresse e-mail').fill(identifiant)
  await page.getByLabel('Mot de passe', { exact: true }).fill(mot_de_passe)
  await page.getByRole('button', { name: 'Se connecter' }).click()
  await page.waitForURL((url) => url.pathname !== '/connexion')
  await loaded(page)
}

/** Waits until nothing of the page is still to come. */
export async function loaded(page) {
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.waitForFunction(() => !document.querySelector('[aria-busy=true], .mantine-Skeleton-root, .mantine-Loader-root'))
  await page.evaluate(() => document.fonts.ready)
}

/** What axe finds on the page, as lines. */
export async function problems(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe)
  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] })
    return violations.flatMap((v) => v.nodes.map((node) => `${v.id}: ${node.target} ${node.failureSummary}`))
  })
}

/** Reads the API as a person, to know what to look for on the pages, and makes what they start from. */
export async function reader(role) {
  const { identifiant, mot_de_passe } = users[role]
  const opened = await fetch(`${base}/api/v1/sessions`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ identifiant, mot_de_passe }) })
  assert.equal(opened.status, 200, `login of ${identifiant}`)
  const { access_token, utilisateur } = await opened.json()
  const read = async (path) => {
    const answer = await fetch(`${base}/api/v1${path}`, { headers: { Authorization: `Bearer ${access_token}` } })
    assert.equal(answer.status, 200, path)
    return answer.json()
  }
  const post = async (path, body) => {
    const answer = await fetch(`${base}/api/v1${path}`, { method: 'POST', headers: { Authorization: `Bearer ${access_token}`, 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() }, body: JSON.stringify(body) })
    assert.ok(answer.ok, `${path}: ${await answer.clone().text()}`)
    return answer.json()
  }
  return Object.assign(read, { utilisateur, post })
}
