// Prints, as JSON, the rules of EN 16931 that an invoice breaks, as factur-x-kit
// reads it: node valider.mjs <folder of package.json> <pdf|xml> <file>
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'

const [folder, kind, file] = process.argv.slice(2)
const { FacturX } = createRequire(resolve(folder, 'package.json'))('factur-x-kit')
let broken
try {
  const content = readFileSync(file)
  const invoice = kind === 'pdf' ? await FacturX.fromPDF(new Uint8Array(content)) : await FacturX.fromXML(content.toString())
  const { valid, errors } = invoice.validate()
  broken = (errors ?? []).map((e) => e.message ?? String(e))
  if (!valid && broken.length === 0) broken = ['invalid, without a reason']
} catch (error) {
  broken = [`unreadable: ${error.message}`]
}
console.log(JSON.stringify(broken))
