/*
 * The page of `make run`. The address carries a one-hour API token behind
 * '#', which browsers do not send: #token=<JWT>; and #play=<id> opens one.
 */
'use strict';

const $ = (id) => document.getElementById(id);
const hash = new URLSearchParams(location.hash.slice(1));
const token = hash.get('token') || sessionStorage.getItem('reel-token') || '';
const player = new ReelPlayer($('player'));

if (hash.get('token')) {
  sessionStorage.setItem('reel-token', token);
}

async function api(method, path, body) {
  const res = await fetch(path, {
    method,
    headers: { Authorization: `Bearer ${token}`,
      ...(body ? { 'Content-Type': 'application/json' } : {}) },
    body: body ? JSON.stringify(body) : undefined,
  });
  const text = await res.text();
  if (!res.ok) {
    throw new Error(reason(res.status, text));
  }
  return text ? JSON.parse(text) : null;
}

/* the sentence of a problem document or S3 error, else the status */
function reason(status, text) {
  try {
    const p = JSON.parse(text);
    return p.detail || p.title;
  } catch {
    const m = /<Message>([^<]*)</.exec(text);
    return m ? m[1] : `the server answered ${status}`;
  }
}

function fail(text) {
  $('message').textContent = text;
  $('message').hidden = !text;
}

/* what is under way, each with bars of its own: by the asset's id */
const films = new Map();
let wanted = '';        /* to be played as soon as it can be */
let source = null;      /* events of the film that was uploaded last */

function film(id, name) {
  if (!films.has(id)) {
    const root = document.createElement('div');
    root.className = 'film';
    root.dataset.film = id;
    const title = document.createElement('strong');
    title.textContent = name;
    root.append(title, document.createElement('span'));
    $('bars').append(root);
    films.set(id, root);
  }
  return films.get(id);
}

function forget(id) {
  if (films.has(id)) {
    films.get(id).remove();
    films.delete(id);
  }
}

function bar(root, name, percent, text) {
  let row = root.querySelector(`[data-bar="${name}"]`);
  if (!row) {
    row = document.createElement('div');
    row.className = 'bar';
    row.dataset.bar = name;
    const title = document.createElement('span');
    title.textContent = name;
    const progress = document.createElement('progress');
    progress.max = 100;
    progress.setAttribute('aria-label', name);
    row.append(title, progress, document.createElement('output'));
    root.append(row);
  }
  row.querySelector('progress').value = percent;
  row.querySelector('output').textContent = text || `${Math.floor(percent)} %`;
}

function put(url, headers, file, root) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const begun = performance.now();
    xhr.open('PUT', url);
    for (const [k, v] of Object.entries(headers || {})) {
      xhr.setRequestHeader(k, v);
    }
    xhr.upload.onprogress = (e) => {
      const rate = e.loaded / 1048.576 / (performance.now() - begun);
      bar(root, 'upload', 100 * e.loaded / Math.max(e.total, 1),
        `${rate.toFixed(1)} MiB/s`);
    };
    xhr.onload = () => {
      if (xhr.status === 200) {
        bar(root, 'upload', 100, 'done');
        resolve();
      } else {
        reject(new Error(reason(xhr.status, xhr.responseText)));
      }
    };
    xhr.onerror = () => reject(new Error('the connection broke; nothing was '
      + 'stored, try again'));
    xhr.send(file);
  });
}

const named = (asset) => (asset.meta && asset.meta.title) || asset.name
  || asset.id;

/* why it is errored, in the words of the API; who cancelled it knows */
const why = (asset) => (asset.error && asset.error.code !== 'CANCELLED'
  ? `${asset.error.detail} (${asset.error.code})` : '');

/* an asset as it is now, by whichever way the page heard of it */
function show(asset) {
  if (asset.readyToStream && asset.id === wanted) {
    wanted = '';
    player.load(asset.playback);
  }
  if (asset.status !== 'preparing') {
    forget(asset.id);
    return;
  }
  const root = film(asset.id, named(asset));
  root.dataset.here = 'yes';
  const { percent, eta, renditions } = asset.progress;
  root.querySelector('span').textContent = `${percent} %`
    + (eta > 0 ? `, some ${Math.ceil(eta)} s left` : '');
  for (const [name, done] of Object.entries(renditions || {})) {
    bar(root, name, done);
  }
}

/* follows one asset by SSE until it is final; others go by the list */
function follow(eventsUrl) {
  if (source) {
    source.close();
  }
  const mine = new EventSource(eventsUrl);
  source = mine;
  mine.addEventListener('asset', (e) => {
    const asset = JSON.parse(e.data);
    show(asset);
    if (asset.status !== 'preparing') {
      mine.close();
      if (why(asset)) {
        fail(`${named(asset)}: ${why(asset)}`);
      }
      list();
    }
  });
}

async function upload(file, plays) {
  let up;
  try {
    player.prepare();
    up = await api('POST', '/api/uploads',
      { name: file.name, meta: { title: file.name } });
    const root = film(up.asset, file.name);
    await put(up.url, up.headers, file, root);
    root.dataset.here = 'yes';
    if (plays) {
      wanted = up.asset;
    }
    follow(up.events_url);
    list();
  } catch (e) {
    if (up) {
      forget(up.asset);
    }
    fail(`Upload of ${file.name}: ${e.message}`);
  }
}

/* one behind the other; the first of them is played */
async function uploadAll(files) {
  fail('');
  for (const [i, file] of [...files].entries()) {
    await upload(file, i === 0);
  }
}

function row(asset) {
  const li = document.createElement('li');
  const text = (name, what) => {
    const span = document.createElement('span');
    span.className = name;
    span.textContent = what;
    li.append(span);
  };
  text('name', named(asset));
  text(`state ${asset.status}`, asset.error && asset.error.code === 'CANCELLED'
    ? 'cancelled' : asset.status);
  const button = (name, onclick) => {
    const b = document.createElement('button');
    b.textContent = name;
    b.onclick = onclick;
    li.append(b);
  };
  const ask = async (method, path) => {
    fail('');
    const done = await api(method, `/api/assets/${asset.id}${path}`)
      .then(() => true, (e) => fail(e.message));
    list();
    return done;
  };
  if (asset.readyToStream) {
    button('Play', () => { wanted = ''; player.load(asset.playback); });
  }
  if (asset.status === 'preparing') {
    button('Cancel', () => ask('POST', '/cancel'));
  }
  if (asset.status === 'errored' && asset.error && asset.error.retryable) {
    button('Retry', () => ask('POST', '/retry'));
  }
  button('Delete', async () => {
    if (confirm(`Delete ${named(asset)}?`) && await ask('DELETE', '')) {
      player.leave(asset.id);
    }
  });
  if (why(asset)) {
    text('why', why(asset));
  }
  return li;
}

const POLL_MS = 2000;
const ASKED = 4;        /* films whose progress is asked for at once */
let listed = '';
let unlisted = false;
let again;

/* the list tells no progress: each of those that the page has no events of */
async function progress(assets) {
  const now = assets.filter((a) => a.status === 'preparing');
  const ids = new Set(now.map((a) => a.id));
  for (const [id, root] of films) {
    if (!ids.has(id) && root.dataset.here) {
      forget(id);
    }
  }
  /* one that was deleted since says so, and the next list has it no more */
  await Promise.all(now.slice(0, ASKED).map((a) =>
    api('GET', `/api/assets/${a.id}`).then(show, () => forget(a.id))));
}

/* what is being made changes by itself; rows stay while nothing does */
async function list() {
  clearTimeout(again);
  try {
    const { assets } = await api('GET', '/api/assets?limit=20');
    const now = JSON.stringify(assets.map((a) => [a.id, a.status,
      a.readyToStream, a.meta]));
    if (now !== listed) {
      listed = now;
      $('assets').replaceChildren(...assets.map(row));
      $('library').hidden = assets.length === 0;
    }
    await progress(assets);
    if (assets.some((a) => a.status === 'preparing')) {
      again = setTimeout(list, POLL_MS);
    }
    if (unlisted) {
      unlisted = false;
      fail('');
    }
  } catch (e) {
    unlisted = true;
    fail(e.message);
    again = setTimeout(list, POLL_MS);
  }
}

function start() {
  const drop = $('drop');
  const stop = (e) => e.preventDefault();
  drop.addEventListener('dragover', (e) => { stop(e); drop.classList.add('over'); });
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', (e) => {
    stop(e);
    drop.classList.remove('over');
    uploadAll(e.dataTransfer.files);
  });
  drop.addEventListener('keydown', (e) => {
    if (e.key === 'Enter' || e.key === ' ') {
      $('file').click();
    }
  });
  $('file').addEventListener('change', (e) => {
    uploadAll(e.target.files);
  });

  if (hash.get('play')) {
    const base = `/play/${encodeURIComponent(hash.get('play'))}`;
    player.load({ id: hash.get('play'), hls: `${base}/master.m3u8`,
      dash: `${base}/manifest.mpd` });
  }
  if (token) {
    list();
  } else {
    $('upload').hidden = true;
    if (!hash.get('play')) {
      fail('This page needs the token of the link that `make run` printed '
        + '(it is valid for one hour; `reelctl token` makes another).');
      $('upload').hidden = false;
      $('drop').hidden = true;
    }
  }
}

start();
