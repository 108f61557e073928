// usage: bullmq.js produce|work SOCKET FLOWS CHILDREN
// The same DAGs on BullMQ: a flow of one parent and its children, no-ops,
// one producer or one worker of 50 at once.
'use strict';

const { FlowProducer, Worker } = require('bullmq');

const [role, socket, flows, children] = [process.argv[2], process.argv[3],
    Number(process.argv[4]), Number(process.argv[5])];
const connection = { path: socket, maxRetriesPerRequest: null };
const BATCH = 50;
const opts = { removeOnComplete: true, attempts: 3 };

function flow(n) {
    const kids = [];
    for (let i = 0; i < children; i++) {
        kids.push({ name: 'child', queueName: 'q', opts,
            data: { chunk: i, payload: 'x'.repeat(200) } });
    }
    return { name: 'parent', queueName: 'q', opts, data: { n },
        children: kids };
}

async function produce() {
    const p = new FlowProducer({ connection });
    for (let n = 0; n < flows; n += BATCH) {
        const list = [];
        for (let i = n; i < Math.min(flows, n + BATCH); i++) {
            list.push(flow(i));
        }
        await p.addBulk(list);
    }
    await p.close();
}

function work() {
    let left = flows;
    const w = new Worker('q', async () => null,
        { connection, concurrency: 50 });
    w.on('completed', (job) => {
        if (job.name === 'parent' && --left === 0) {
            w.close().then(() => process.exit(0));
        }
    });
    w.on('error', (e) => { console.error(e.message); process.exit(1); });
    w.waitUntilReady().then(() => console.log('ready'));
}

if (role === 'produce') {
    produce().catch((e) => { console.error(e.message); process.exit(1); });
} else {
    work();
}
