/*
 * One <video>, two engines behind one face: load(), levels(), setLevel().
 * Level -1 is automatic; others are indexes of levels(), lowest first.
 */
'use strict';

const engines = {
  hls(video, asset, on, spare) {
    const hls = spare || attached(video);
    let order = [];
    hls.on(Hls.Events.MANIFEST_PARSED, () => {
      order = hls.levels.map((l, i) => [l.bitrate, i])
        .sort((a, b) => a[0] - b[0]).map((p) => p[1]);
      on.levels(order.map((i) => label(hls.levels[i].height,
        hls.levels[i].bitrate)));
      on.ready();
    });
    hls.on(Hls.Events.LEVEL_SWITCHED, (e, d) =>
      on.switched(order.indexOf(d.level)));
    hls.on(Hls.Events.ERROR, (e, d) => {
      if (d.fatal) {
        on.error(`${d.type}: ${d.details}`);
      }
    });
    hls.loadSource(asset.hls);
    return {
      setLevel(n) { hls.nextLevel = n < 0 ? -1 : order[n]; },
      destroy() { hls.destroy(); },
    };
  },

  dash(video, asset, on) {
    const player = dashjs.MediaPlayer().create();
    const events = dashjs.MediaPlayer.events;
    let reps = [];
    player.initialize(video, asset.dash, false);
    player.updateSettings({ streaming: { buffer: { fastSwitchEnabled: true } } });
    player.on(events.STREAM_INITIALIZED, () => {
      reps = player.getRepresentationsByType('video')
        .slice().sort((a, b) => a.bandwidth - b.bandwidth);
      on.levels(reps.map((r) => label(r.height, r.bandwidth)));
      on.ready();
    });
    player.on(events.QUALITY_CHANGE_RENDERED, (e) => {
      if (e.mediaType === 'video' && e.newRepresentation) {
        on.switched(reps.findIndex((r) => r.id === e.newRepresentation.id));
      }
    });
    player.on(events.ERROR, (e) =>
      on.error(e.error ? e.error.message : 'playback failed'));
    return {
      setLevel(n) {
        player.updateSettings({
          streaming: { abr: { autoSwitchBitrate: { video: n < 0 } } } });
        if (n >= 0) {
          player.setRepresentationForTypeById('video', reps[n].id, true);
        }
      },
      destroy() { player.destroy(); },
    };
  },
};

/*
 * CMAF is appended as it comes: a worker would only cost its start, some 0.1 s
 * before the first picture.
 */
function attached(video) {
  const hls = new Hls({ enableWorker: false, startFragPrefetch: true });
  hls.attachMedia(video);
  return hls;
}

function label(height, bitrate) {
  const rate = bitrate >= 1e6 ? `${(bitrate / 1e6).toFixed(1)} Mb/s`
    : `${Math.round(bitrate / 1e3)} kb/s`;
  return height ? `${height}p (${rate})` : rate;
}

class ReelPlayer {
  constructor(root) {
    this.root = root;
    this.video = root.querySelector('#video');
    this.engine = root.querySelector('#engine');
    this.quality = root.querySelector('#quality');
    this.now = root.querySelector('#now');
    this.error = root.querySelector('#player-error');
    this.engine.addEventListener('change', () => this.load(this.asset));
    this.quality.addEventListener('change', () =>
      this.current.setLevel(Number(this.quality.value)));
  }

  /* a film comes soon: what need not wait for it is done before */
  prepare() {
    if (window.Hls && !this.current && !this.spare
      && this.engine.value === 'hls') {
      this.spare = attached(this.video);
    }
  }

  /* the film is gone */
  leave(id) {
    if (this.asset && this.asset.id === id) {
      this.current.destroy();
      this.current = null;
      this.asset = null;
      this.root.hidden = true;
    }
  }

  load(asset) {
    const { spare } = this;
    this.spare = null;
    this.asset = asset;
    if (this.current) {
      this.current.destroy();
    }
    if (spare && this.engine.value !== 'hls') {
      spare.destroy();
    }
    this.root.hidden = false;
    this.error.hidden = true;
    this.now.textContent = '';
    this.quality.replaceChildren(new Option('automatic', '-1'));
    this.labels = [];
    this.current = engines[this.engine.value](this.video, asset, {
      levels: (labels) => {
        this.labels = labels;
        this.quality.replaceChildren(new Option('automatic', '-1'),
          ...labels.map((l, i) => new Option(l, String(i))));
      },
      ready: () => this.video.play().catch(() => {
        /* a browser that wants a click first: the controls are there */
      }),
      switched: (n) => {
        this.now.textContent = n >= 0 ? `now ${this.labels[n]}` : '';
      },
      error: (text) => {
        this.error.textContent = `The player stopped: ${text}`;
        this.error.hidden = false;
      },
    }, spare);
  }
}
