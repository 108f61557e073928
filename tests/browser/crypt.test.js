/*
 * Encrypted films in a real Chromium: AES-128 and SAMPLE-AES by hls.js, cenc
 * and cbcs with ClearKey by shaka-player and dash.js, keys and licenses from
 * reel.
 * Environment: REEL_URL (whose page has hls.js and dash.js), REEL_FORMS (an
 * nginx with /aes/, /sampleaes/, /cenc/ and /cbcs/), REEL_ASSET (ready, at least 12 s),
 * CHROMIUM.
 */
'use strict';

const { test, before, after } = require('node:test');
const assert = require('node:assert');
const { chromium } = require('playwright-core');
const OPTIONS = require('./chromium');

const { REEL_URL, REEL_FORMS, REEL_ASSET } = process.env;
const SLACK = 5 * 15000;
const SCRIPTS = {
  hls: { url: `${REEL_URL}/players/hls.min.js` },
  dash: { url: `${REEL_URL}/players/dash.all.min.js` },
  shaka: { path: require.resolve('shaka-player/dist/shaka-player.compiled.js') },
};
let browser;

before(async () => {
  browser = await chromium.launch(OPTIONS);
});

after(() => browser.close());

/* begins to play in the page; license: who gives ClearKey licenses */
async function begin([engine, url, license]) {
  const v = document.createElement('video');
  v.muted = true;
  v.autoplay = true;
  document.body.replaceChildren(v);
  window.faults = [];
  v.addEventListener('error', () => window.faults.push(v.error.message));

  if (engine === 'hls') {
    const player = new window.Hls();
    player.on('hlsError', (e, d) => d.fatal && window.faults.push(d.details));
    player.loadSource(url);
    player.attachMedia(v);
  } else if (engine === 'dash') {
    const player = window.dashjs.MediaPlayer().create();
    player.on('error', (e) => window.faults.push(JSON.stringify(e.error)));
    player.initialize(v, null, true);
    player.setProtectionData({
      'org.w3.clearkey': { serverURL: license } });
    player.attachSource(url);
  } else {
    const player = new window.shaka.Player();
    player.addEventListener('error', (e) =>
      window.faults.push(`shaka ${e.detail.code} ${e.detail.data}`));
    await player.attach(v);
    player.configure({ drm: { servers: { 'org.w3.clearkey': license } } });
    await player.load(url);
    await v.play();
  }
}

async function plays(engine, place, manifest) {
  const page = await browser.newPage();
  const asked = [];
  const faults = [];
  page.on('response', (r) => {
    asked.push(`${r.request().method()} ${new URL(r.url()).pathname}`);
    if (r.status() >= 400) {
      faults.push(`${r.status()} ${r.url()}`);
    }
  });
  page.on('pageerror', (e) => faults.push(e.message));
  await page.goto(`${REEL_URL}/style.css`);
  await page.addScriptTag(SCRIPTS[engine]);
  const base = `${REEL_FORMS}/${place}/${REEL_ASSET}`;
  await page.evaluate(begin, [engine, `${base}/${manifest}`,
    `${base}/license`]);

  const shown = () => page.evaluate(() => {
    const v = document.querySelector('video');
    return { at: v.currentTime, size: v.videoHeight, faults: window.faults,
      frames: v.getVideoPlaybackQuality().totalVideoFrames,
      sound: v.webkitAudioDecodedByteCount };
  });
  try {
    await page.waitForFunction(() => {
      const v = document.querySelector('video');
      return v.currentTime > 2 || window.faults.length;
    }, null, { timeout: SLACK });
    await page.evaluate(() => {
      document.querySelector('video').currentTime = 8;
    });
    await page.waitForFunction(() => {
      const v = document.querySelector('video');
      return v.currentTime > 9 || window.faults.length;
    }, null, { timeout: SLACK });
  } catch (e) {
    e.message += ` ${JSON.stringify(await shown())} ${faults}`;
    throw e;
  }
  const s = await shown();
  assert.deepStrictEqual([...s.faults, ...faults], []);
  assert.ok(s.frames > 20 && s.size > 0 && s.sound > 1000,
    JSON.stringify(s));
  await page.close();
  return asked;
}

test('AES-128 by hls.js', async () => {
  const asked = await plays('hls', 'aes', 'master.m3u8');
  assert.ok(asked.some((x) => /^GET .*\/0\.key$/.test(x)), asked.join('\n'));
});

test('SAMPLE-AES in transport streams by hls.js', async () => {
  const asked = await plays('hls', 'sampleaes', 'master.m3u8');
  for (const track of ['video', 'audio']) {
    const keys = new Set(asked.filter((x) => x.endsWith('.key')
      && x.includes(`/${track}~`)));
    assert.ok(keys.size > 1, asked.join('\n'));
  }
  assert.ok(asked.some((x) => x.endsWith('.ts')), asked.join('\n'));
});

for (const engine of ['shaka', 'dash']) {
  for (const scheme of ['cenc', 'cbcs']) {
    test(`${scheme}, ClearKey, by ${engine}`, async () => {
      const asked = await plays(engine, scheme, 'manifest.mpd');
      assert.ok(asked.some((x) => /^POST .*\/license$/.test(x)),
        asked.join('\n'));
    });
  }
}
