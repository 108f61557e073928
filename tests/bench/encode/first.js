/*
 * Usage: node first.js <playwright-core> <url of first.html>
 * Prints "waiting" when the page polls and "shown <unix ms>" at the first
 * picture.
 */
'use strict';

const [, , core, url] = process.argv;
const { chromium } = require(core);

(async () => {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu',
      '--autoplay-policy=no-user-gesture-required', '--mute-audio'],
  });
  const page = await browser.newPage();
  await page.goto(url);
  console.log('waiting');
  const handle = await page.waitForFunction(() => window.shown, null,
    { timeout: 600000, polling: 20 });
  console.log(`shown ${await handle.jsonValue()}`);
  await browser.close();
})().catch((e) => {
  console.error(e.message);
  process.exit(1);
});
