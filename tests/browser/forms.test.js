/*
 * What the page does not show of itself: other codecs, transport streams,
 * clips, thumbnails and plain films, by hls.js and dash.js on a bare page in
 * Chromium.
 * Environment: REEL_URL (whose page has the players), REEL_FORMS (an nginx
 * with /play/ and, of transport streams, /ts/; of plain films /films/, /named/
 * and /hls/), REEL_ASSET (ready, at least
 * 20 s), REEL_SECONDS, REEL_CODECS (assets of 4 s, "<id>=<codecs> …"),
 * REEL_CUES (one of them, with text), CHROMIUM.
 */
'use strict';

const { test, before, after } = require('node:test');
const assert = require('node:assert');
const { chromium } = require('playwright-core');
const OPTIONS = require('./chromium');

const { REEL_URL, REEL_FORMS, REEL_ASSET, REEL_SECONDS,
  REEL_CODECS, REEL_CUES } = process.env;
const SLACK = 5 * 15000;
let browser;

before(async () => {
  browser = await chromium.launch(OPTIONS);
});

after(() => browser.close());

/* a page with one video that plays url; window.player is what plays it */
async function play(engine, url) {
  const page = await browser.newPage();
  const faults = [];
  page.on('pageerror', (e) => faults.push(e.message));
  page.on('response', (r) => {
    if (r.status() >= 400) {
      faults.push(`${r.status()} ${r.url()}`);
    }
  });
  await page.goto(`${REEL_URL}/style.css`);
  await page.addScriptTag({
    url: `${REEL_URL}/players/${engine === 'hls' ? 'hls.min' : 'dash.all.min'}.js`,
  });
  await page.evaluate(([of, from]) => {
    const v = document.createElement('video');
    v.muted = true;
    v.onplaying = () => { window.began ??= v.currentTime; };
    document.body.replaceChildren(v);
    if (of === 'hls') {
      window.player = new window.Hls();
      window.player.on('hlsError', (e, d) => {
        if (d.fatal) {
          window.fatal = d.details;
        }
      });
      window.player.loadSource(from);
      window.player.attachMedia(v);
      v.autoplay = true;
    } else {
      window.player = window.dashjs.MediaPlayer().create();
      window.player.initialize(v, from, true);
    }
  }, [engine, url]);
  return { page, faults };
}

const state = (page) => page.evaluate(() => {
  const v = document.querySelector('video');
  return {
    at: v.currentTime,
    began: window.began,
    duration: v.duration,
    error: v.error && v.error.message,
    fatal: window.fatal,
    frames: v.getVideoPlaybackQuality().totalVideoFrames,
    sound: v.webkitAudioDecodedByteCount,
    ended: v.ended,
  };
});

async function until(page, cond) {
  try {
    await page.waitForFunction(cond, null, { timeout: SLACK });
  } catch (e) {
    e.message += ` ${JSON.stringify(await state(page))}`;
    throw e;
  }
}

async function ends(page, faults, more = () => {}) {
  await until(page, () => document.querySelector('video').ended);
  const s = await state(page);
  assert.strictEqual(s.error, null);
  assert.strictEqual(s.fatal, undefined);
  assert.ok(s.sound > 0, 'sound is decoded');
  assert.deepStrictEqual(faults, []);
  await more();
  await page.close();
  return s;
}

for (const one of (REEL_CODECS || '').split(' ').filter((x) => x)) {
  const [asset, codecs] = one.split('=');
  for (const [engine, name] of [['hls', 'master.m3u8'],
    ['dash', 'manifest.mpd']]) {
    test(`${engine} plays ${codecs} to the end`, async () => {
      const master = await (await fetch(
        `${REEL_FORMS}/play/${asset}/master.m3u8`)).text();
      assert.ok(master.includes(`CODECS="${codecs}"`), master);
      const { page, faults } = await play(engine,
        `${REEL_FORMS}/play/${asset}/${name}`);
      const s = await ends(page, faults);
      assert.ok(s.frames > 80, `${s.frames} frames`);
      assert.ok(Math.abs(s.duration - 4) < 0.1, `duration ${s.duration}`);
    });
  }
}

/* what a track that is showing shows, and since when; cues of scripts/test-browser */
for (const [engine, name] of [['hls', 'master.m3u8'],
  ['dash', 'manifest.mpd']]) {
  test(`${engine} shows subtitles`, async () => {
    const { page, faults } = await play(engine,
      `${REEL_FORMS}/play/${REEL_CUES}/${name}`);
    await page.evaluate((of) => {
      const v = document.querySelector('video');
      const { player } = window;
      const on = of === 'hls'
        ? () => { player.subtitleDisplay = true; player.subtitleTrack = 0; }
        : () => player.setTextTrack(0);
      window.seen = {};
      setInterval(() => {
        for (const track of v.textTracks) {
          for (const cue of track.mode === 'showing' ? track.activeCues : []) {
            window.seen[cue.text] ??= v.currentTime;
          }
        }
        if (of === 'hls' ? player.subtitleTrack < 0 && player.subtitleTracks.length
          : player.isReady() && player.getCurrentTextTrackIndex() < 0) {
          on();
        }
      }, 40);
    }, engine);
    await ends(page, faults, async () => {
      const seen = await page.evaluate(() => window.seen);
      assert.deepStrictEqual(Object.keys(seen),
        ['The first line', 'The second line']);
      assert.ok(seen['The first line'] < 1.9, JSON.stringify(seen));
      assert.ok(seen['The second line'] >= 2.1, JSON.stringify(seen));
    });
  });
}

test('hls plays transport streams to the end', async () => {
  const { page, faults } = await play('hls',
    `${REEL_FORMS}/ts/${REEL_ASSET}/master.m3u8`);
  await until(page, () => document.querySelector('video').currentTime > 2);
  await page.evaluate(() => {
    const v = document.querySelector('video');
    v.currentTime = v.duration - 3;
  });
  const s = await ends(page, faults);
  assert.ok(Math.abs(s.duration - Number(REEL_SECONDS)) < 0.2,
    `duration ${s.duration}`);
});

test('hls begins a clip at its start', async () => {
  const { page, faults } = await play('hls',
    `${REEL_FORMS}/play/${REEL_ASSET}/master.m3u8?start=8&end=11`);
  const s = await ends(page, faults);
  /* two segments, 6 s to 12 s; hls.js counts from where the first begins */
  assert.ok(Math.abs(s.duration - 6) < 0.2, `duration ${s.duration}`);
  assert.ok(Math.abs(s.began - 2) < 0.5, `began at ${s.began}`);
});

/* counted from the start; to the end of the segment in which 11 s lies */
test('dash plays a clip from its start to its end', async () => {
  const { page, faults } = await play('dash',
    `${REEL_FORMS}/play/${REEL_ASSET}/manifest.mpd?start=8&end=11`);
  const s = await ends(page, faults);
  assert.ok(s.began < 0.5, `began at ${s.began}`);
  assert.ok(Math.abs(s.duration - 4) < 0.2, `duration ${s.duration}`);
});

test('dash knows the thumbnails', async () => {
  const { page, faults } = await play('dash',
    `${REEL_FORMS}/play/${REEL_ASSET}/manifest.mpd`);
  await until(page, () => document.querySelector('video').currentTime > 0);
  const thumb = await page.evaluate(() => new Promise((resolve) => {
    window.player.provideThumbnail(12, (t) => resolve(t && {
      url: t.url, x: t.x, y: t.y, width: t.width, height: t.height,
    }));
  }));
  assert.ok(thumb, 'there is one');
  assert.match(thumb.url, /storyboard~\w+\/0\.jpg$/);
  assert.ok(thumb.width >= 100 && thumb.height >= 50, JSON.stringify(thumb));
  assert.ok(thumb.x % thumb.width === 0 && thumb.y % thumb.height === 0
    && thumb.x + thumb.y > 0, JSON.stringify(thumb));
  const r = await page.request.get(thumb.url);
  assert.strictEqual(r.headers()['content-type'], 'image/jpeg');
  assert.deepStrictEqual(faults, []);
  await page.close();
});

/* several files as one film, or in a row; each of them lasts 3 s */
for (const [engine, path, seconds] of [
  ['hls', 'named/film/master.m3u8', 3],
  ['dash', 'films/film_,90,180,.mp4.urlset/manifest.mpd', 3],
  ['hls', 'films/row.json/master.m3u8', 6],
  ['dash', 'films/row.json/manifest.mpd', 6],
  ['hls', 'hls/film_180.mp4/index-v1-a1.m3u8', 3],
]) {
  test(`${engine} plays ${path} to the end`, async () => {
    const { page, faults } = await play(engine, `${REEL_FORMS}/${path}`);
    const s = await ends(page, faults);
    assert.ok(Math.abs(s.duration - seconds) < 0.15, `duration ${s.duration}`);
    assert.ok(s.frames > seconds * 20, `${s.frames} frames`);
  });
}

test('hls shows a text beside a film', async () => {
  const { page, faults } = await play('hls',
    `${REEL_FORMS}/films/film_180.mp4/master.m3u8`);
  await until(page, () => window.player.subtitleTracks.length === 1);
  await page.evaluate(() => { window.player.subtitleTrack = 0; });
  await until(page, () => [...document.querySelector('video').textTracks]
    .some((t) => t.cues && [...t.cues].some((c) => c.text === 'read me')));
  assert.deepStrictEqual(faults, []);
  await page.close();
});
