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

function bar(name) {
  let row = document.querySelector(`[data-bar="${name}"]`);
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
    $('bars').append(row);
  }
  return (percent, text) => {
    row.querySelector('progress').value = percent;
    row.querySelector('output').textContent = text || `${Math.floor(percent)} %`;
  };
}

function put(url, headers, file) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const show = bar('upload');
    const begun = performance.now();
    xhr.open('PUT', url);
    for (const [k, v] of Object.entries(headers || {})) {
      xhr.setRequestHeader(k, v);
    }
    xhr.upload.onprogress = (e) => {
      const rate = e.loaded / 1048.576 / (performance.now() - begun);
      show(100 * e.loaded / Math.max(e.total, 1), `${rate.toFixed(1)} MiB/s`);
    };
    xhr.onload = () => {
      if (xhr.status === 200) {
        show(100, 'done');
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

/* follows one asset by SSE until it is final; plays it once it can stream */
function follow(eventsUrl) {
  const source = new EventSource(eventsUrl);
  let playing = false;
  source.addEventListener('asset', (e) => {
    const asset = JSON.parse(e.data);
    for (const [name, percent] of Object.entries(asset.progress.renditions || {})) {
      bar(name)(percent);
    }
    if (asset.readyToStream && !playing) {
      playing = true;
      player.load(asset.playback);
    }
    if (asset.status === 'ready' || asset.status === 'errored') {
      source.close();
      list();
    }
    if (asset.status === 'errored') {
      fail(`${asset.error.detail} (${asset.error.code})`);
    }
  });
}

async function upload(file) {
  fail('');
  $('bars').replaceChildren();
  try {
    player.prepare();
    const up = await api('POST', '/api/uploads',
      { name: file.name, meta: { title: file.name } });
    await put(up.url, up.headers, file);
    follow(up.events_url);
    list();
  } catch (e) {
    fail(`Upload of ${file.name}: ${e.message}`);
  }
}

function row(asset) {
  const li = document.createElement('li');
  const name = document.createElement('span');
  name.className = 'name';
  name.textContent = (asset.meta && asset.meta.title) || asset.name || asset.id;
  const state = document.createElement('span');
  state.className = `state ${asset.status}`;
  state.textContent = asset.status;
  li.append(name, state);
  const button = (text, onclick) => {
    const b = document.createElement('button');
    b.textContent = text;
    b.onclick = onclick;
    li.append(b);
  };
  const ask = async (method, path) => {
    await api(method, `/api/assets/${asset.id}${path}`)
      .catch((e) => fail(e.message));
    list();
  };
  if (asset.readyToStream) {
    button('Play', () => player.load(asset.playback));
  }
  if (asset.status === 'preparing') {
    button('Cancel', () => ask('POST', '/cancel'));
  }
  if (asset.status === 'errored' && asset.error && asset.error.retryable) {
    button('Retry', () => ask('POST', '/retry'));
  }
  button('Delete', () => {
    if (confirm(`Delete ${name.textContent}?`)) {
      ask('DELETE', '');
    }
  });
  return li;
}

const POLL_MS = 2000;
let listed = '';
let unlisted = false;
let again;

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
    if (e.dataTransfer.files.length) {
      upload(e.dataTransfer.files[0]);
    }
  });
  drop.addEventListener('keydown', (e) => {
    if (e.key === 'Enter' || e.key === ' ') {
      $('file').click();
    }
  });
  $('file').addEventListener('change', (e) => {
    if (e.target.files.length) {
      upload(e.target.files[0]);
    }
  });

  if (hash.get('play')) {
    const base = `/play/${encodeURIComponent(hash.get('play'))}`;
    player.load({ hls: `${base}/master.m3u8`, dash: `${base}/manifest.mpd` });
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
