/*
 * The page in a real Chromium: for hls.js and dash.js, play at least 5 s,
 * switch quality up and down, seek; begin with a film that still grows; and
 * the page's own upload.
 * Environment: REEL_URL, REEL_TOKEN, REEL_ASSET (ready, several rungs, at
 * least 20 s), REEL_SECONDS (how long it is), REEL_FILM (its file), REEL_RUN
 * (the folder of that `make run`), REEL_VIDEO (a short file to drop), CHROMIUM.
 */
'use strict';

const { test, before, after } = require('node:test');
const assert = require('node:assert');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { chromium } = require('playwright-core');
const OPTIONS = require('./chromium');

const { REEL_URL, REEL_TOKEN, REEL_ASSET, REEL_VIDEO, REEL_SECONDS,
  REEL_FILM, REEL_RUN } = process.env;
const SLACK = 5 * 15000;
let context;
let profile;

before(async () => {
  profile = fs.mkdtempSync(path.join(os.tmpdir(), 'reel-browser-'));
  context = await chromium.launchPersistentContext(profile, OPTIONS);
});

after(async () => {
  await context.close();
  fs.rmSync(profile, { recursive: true, force: true });
});

async function open(hash) {
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (e) => faults.push(e.message));
  page.on('response', (r) => {
    if (r.status() >= 400) {
      faults.push(`${r.status()} ${r.url()}`);
    }
  });
  await page.goto(`${REEL_URL}/#${hash}`);
  return { page, faults };
}

const at = (page) => page.$eval('#video', (v) => v.currentTime);

/* the picture advances by `secs` of media, and frames are really shown */
async function plays(page, secs) {
  const from = await at(page);
  await page.waitForFunction(([t]) => {
    const v = document.querySelector('#video');
    return !v.paused && v.currentTime >= t && v.readyState >= 2;
  }, [from + secs], { timeout: SLACK });
}

const frames = (page) => page.$eval('#video',
  (v) => v.getVideoPlaybackQuality().totalVideoFrames);

async function seek(page, t) {
  await page.$eval('#video', (v, to) => { v.currentTime = to; return v.play(); },
    t);
  await page.waitForFunction(() => {
    const v = document.querySelector('#video');
    return !v.seeking && v.readyState >= 2;
  }, null, { timeout: SLACK });
}

async function ends(page) {
  try {
    await page.waitForFunction(() => document.querySelector('#video').ended,
      null, { timeout: SLACK });
  } catch (e) {
    e.message += await page.$eval('#video', (v) => ` at ${v.currentTime} of `
      + `${v.duration}, paused ${v.paused}, ready ${v.readyState}`);
    throw e;
  }
}

const height = (page, h) => page.waitForFunction(([want]) =>
  document.querySelector('#video').videoHeight === want, [h],
{ timeout: SLACK });

for (const engine of ['hls', 'dash']) {
  test(`${engine} plays, switches quality both ways and seeks`, async () => {
    const { page, faults } = await open(`play=${REEL_ASSET}`);
    if (engine !== 'hls') {
      await page.selectOption('#engine', engine);
    }
    await page.waitForFunction(() =>
      document.querySelectorAll('#quality option').length > 2, null,
    { timeout: SLACK });
    const labels = await page.$$eval('#quality option',
      (o) => o.map((x) => x.textContent));
    const heights = labels.slice(1).map((l) => Number(l.split('p ')[0]));
    assert.ok(heights.length >= 2, labels.join());

    await page.selectOption('#quality', '0');
    await height(page, heights[0]);
    await plays(page, 5);
    assert.ok(await frames(page) > 50);
    if (engine === 'hls') {
      assert.strictEqual(page.workers().length, 0, 'what only delays CMAF');
    }

    /* up and down again, each early in the film: a switch may take a segment */
    for (const n of [heights.length - 1, 0]) {
      await seek(page, 1);
      await page.selectOption('#quality', String(n));
      await height(page, heights[n]);
      await plays(page, 2);
    }

    await seek(page, 12);
    await plays(page, 1);
    const end = await page.$eval('#video', (v) => v.duration);
    assert.ok(Math.abs(end - Number(REEL_SECONDS)) < 0.1, `duration ${end}`);
    /* a fresh player runs to the end: dash.js may not after forced switches */
    await page.reload();
    await page.selectOption('#engine', engine);
    await plays(page, 1);
    await seek(page, end - 3);
    await ends(page);
    assert.strictEqual(await page.$eval('#video', (v) => v.error), null);
    assert.deepStrictEqual(faults, []);
    if (process.env.REEL_SHOTS) {
      await page.screenshot({ path: `${process.env.REEL_SHOTS}/${engine}.png` });
    }
    await page.close();
  });
}

async function until(what, cond) {
  const end = Date.now() + SLACK;
  while (!await cond()) {
    assert.ok(Date.now() < end, `waited in vain: ${what}`);
    await new Promise((r) => setTimeout(r, 5));
  }
}

async function answer(url, options) {
  const res = await fetch(url, options).catch((e) => {
    throw new Error(`${url}: ${e.message}: ${e.cause?.message}`);
  });
  const text = await res.text();
  assert.ok(res.ok, `${res.status} ${url}: ${text}`);
  return text;
}

/*
 * Uploads the film and stops workerd as soon as its first chunk is published.
 * What its children encode meanwhile is not told to anybody before go().
 * tail: behind the film, so that it is no other's twin.
 */
async function growingFilm(tail = []) {
  const up = JSON.parse(await answer(`${REEL_URL}/api/uploads`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${REEL_TOKEN}`,
      'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'growing.mp4' }) }));
  await answer(up.url, { method: 'PUT', headers: up.headers,
    body: Buffer.concat([fs.readFileSync(REEL_FILM), ...tail]) });
  const id = up.asset;
  await until('the first chunk', () => fs.existsSync(
    path.join(REEL_RUN, 'store/assets', id.slice(-2), id, 'index')));
  const pid = Number(fs.readFileSync(path.join(REEL_RUN, 'workerd.pid')));
  process.kill(pid, 'SIGSTOP');
  return { id, go: () => process.kill(pid, 'SIGCONT') };
}

for (const engine of ['hls', 'dash']) {
  test(`${engine} plays on when a growing film becomes final`, async () => {
    const film = await growingFilm();
    const mpd = () => answer(`${REEL_URL}/play/${film.id}/manifest.mpd`);
    try {
      assert.match(await mpd(), /type="dynamic"/, 'the film grows');
      const { page, faults } = await open(`play=${film.id}`);
      if (engine !== 'hls') {
        await page.selectOption('#engine', engine);
      }
      await plays(page, 2);
      assert.match(await mpd(), /type="dynamic"/, 'the film still grows');
      film.go();
      await until('the end', async () => /type="static"/.test(await mpd()));

      /* the rest, without a hand at the player */
      assert.ok(await at(page) < 5, 'it is not beyond what was published');
      await page.waitForFunction(() =>
        document.querySelector('#video').currentTime > 12, null,
      { timeout: SLACK });
      await plays(page, 1);
      const end = await page.$eval('#video', (v) => v.duration);
      assert.ok(Math.abs(end - Number(REEL_SECONDS)) < 0.1, `duration ${end}`);
      await ends(page);
      assert.ok(await page.$eval('#video', (v) => v.currentTime) > end - 0.5);
      assert.strictEqual(await page.$eval('#video', (v) => v.error), null);
      assert.deepStrictEqual(faults, []);
      await page.close();
    } finally {
      film.go();
    }
  });
}

test('a dropped file is uploaded, followed and played', async () => {
  const { page, faults } = await open(`token=${REEL_TOKEN}`);
  await page.setInputFiles('#file', REEL_VIDEO);
  await page.waitForSelector('[data-bar="upload"]', { timeout: SLACK });
  await page.waitForFunction(() =>
    document.querySelector('#video').currentTime > 1, null, { timeout: 180000 });
  await page.waitForSelector('#assets .state.ready', { timeout: 180000 });
  assert.deepStrictEqual(faults, []);
  if (process.env.REEL_SHOTS) {
    await page.screenshot({ path: `${process.env.REEL_SHOTS}/upload.png`,
      fullPage: true });
  }
  await page.close();
});

test('what is being made is cancelled, and made after all', async () => {
  const free = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('free'),
    crypto.randomBytes(16)]);
  const film = await growingFilm([free]);
  try {
    const { page, faults } = await open(`token=${REEL_TOKEN}`);
    const button = (text) => page.locator('#assets li').first()
      .getByRole('button', { name: text });
    await button('Cancel').click({ timeout: SLACK });
    film.go();
    await button('Retry').click({ timeout: SLACK });
    await page.locator('#assets li').first().locator('.state.ready')
      .waitFor({ timeout: 180000 });
    assert.deepStrictEqual(faults, []);
    await page.close();
  } finally {
    film.go();
  }
});

/* the bars of one film stand under its id, whoever uploaded it */
test('each film has its own progress, until it ends or is deleted', async () => {
  const film = await growingFilm([crypto.randomBytes(16)]);
  try {
    const { page, faults } = await open(`token=${REEL_TOKEN}`);
    page.on('dialog', (d) => d.accept());
    const bars = (id) => page.locator(`[data-film="${id}"] [data-bar]`);
    await bars(film.id).first().waitFor({ timeout: SLACK });

    /* two files at once, of which one is no film */
    const file = (name, buffer) => ({ name, mimeType: 'video/mp4', buffer });
    await page.setInputFiles('#file', [
      file('other.mp4', fs.readFileSync(REEL_VIDEO)),
      file('no film.mp4', Buffer.from('no film at all'))]);
    const other = page.locator('[data-film]:has([data-bar="upload"])').first();
    await other.waitFor({ timeout: SLACK });
    const id = await other.getAttribute('data-film');
    assert.notStrictEqual(id, film.id);
    assert.ok(await bars(film.id).count() > 0, 'the first keeps its own');

    const row = (text) => page.locator('#assets li', { hasText: text });
    await row('growing.mp4').first().getByRole('button', { name: 'Play' })
      .click({ timeout: SLACK });
    await plays(page, 1);
    await row('growing.mp4').first().getByRole('button', { name: 'Delete' })
      .click({ timeout: SLACK });
    await bars(film.id).first().waitFor({ state: 'detached', timeout: SLACK });
    await page.locator('#player').waitFor({ state: 'hidden', timeout: SLACK });

    film.go();
    await bars(id).first().waitFor({ state: 'detached', timeout: 180000 });
    await row('no film.mp4').first().locator('.why')
      .filter({ hasText: 'NOT_A_VIDEO' }).waitFor({ timeout: SLACK });
    await page.reload();
    await row('no film.mp4').first().locator('.why').waitFor({ timeout: SLACK });
    /* it may have been asked for just when it was deleted */
    assert.deepStrictEqual(faults.filter((f) => !(f.startsWith('410 ')
      && f.includes(film.id))), []);
    await page.close();
  } finally {
    film.go();
  }
});

test('what is not taken is told while the next file is uploaded', async () => {
  const { page } = await open(`token=${REEL_TOKEN}`);
  const buffer = fs.readFileSync(REEL_VIDEO);
  /* a name may have 1024 bytes */
  await page.setInputFiles('#file', ['n'.repeat(1025), 'next.mp4'].map(
    (name) => ({ name, mimeType: 'video/mp4', buffer })));
  await page.locator('[data-film]', { hasText: 'next.mp4' })
    .waitFor({ timeout: SLACK });
  assert.match(await page.locator('#message').textContent(),
    /^Upload of n+: .*name/);
  await page.close();
});

test('without a token the page says what to do', async () => {
  const page = await context.newPage();
  await page.addInitScript(() => sessionStorage.clear());
  await page.goto(`${REEL_URL}/`);
  const text = await page.textContent('#message');
  assert.match(text, /token/);
  await page.close();
});
