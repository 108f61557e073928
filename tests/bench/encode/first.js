/*
 * Usage: node first.js <playwright-core> <url of first.html>
 * Takes a playlist's address a line: prints "waiting" when the page asks for
 * it, then a line of JSON: when each step was reached, in unix ms. The line
 * "new" begins again with another Chromium and answers "new".
 */
'use strict';

const readline = require('node:readline');
const [, , core, url] = process.argv;
const { chromium } = require(core);
const options = {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu',
    '--autoplay-policy=no-user-gesture-required', '--mute-audio'],
};
let browser;
let page;

async function renew() {
  if (browser) {
    await browser.close();
  }
  browser = await chromium.launch(options);
  page = await browser.newPage();
  page.on('pageerror', (e) => console.error(e.message));
  await page.goto(url);
  console.log('new');
}

async function play(playlist) {
  const shown = page.evaluate((to) => play(to), playlist);
  console.log('waiting');
  console.log(JSON.stringify(await shown));
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    await (line === 'new' ? renew() : play(line));
  }
  await browser.close();
})().catch((e) => {
  console.error(e.message);
  process.exit(1);
});
