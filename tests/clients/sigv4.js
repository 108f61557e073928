// a presigned URL of any method: what a site's back end makes; as a program:
// sigv4.js METHOD /PATH

'use strict';

const crypto = require('crypto');

const enc = (s) => encodeURIComponent(s).replace(/[!'()*]/g,
    (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());
const hmac = (key, s) => crypto.createHmac('sha256', key).update(s).digest();

exports.presign = (method, path, params = {}) => {
    const url = new URL(process.env.REEL_URL);
    const region = process.env.AWS_REGION;
    const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    const scope = `${stamp.slice(0, 8)}/${region}/s3/aws4_request`;
    const q = { ...params, 'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
        'X-Amz-Credential': `${process.env.AWS_ACCESS_KEY_ID}/${scope}`,
        'X-Amz-Date': stamp, 'X-Amz-Expires': '600',
        'X-Amz-SignedHeaders': 'host' };
    const p = path.split('/').map(enc).join('/');
    const query = Object.keys(q).sort().map((k) => `${enc(k)}=${enc(q[k])}`)
        .join('&');
    const hash = crypto.createHash('sha256').update([method, p, query,
        `host:${url.host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n'))
        .digest('hex');
    let key = 'AWS4' + process.env.AWS_SECRET_ACCESS_KEY;
    for (const s of [stamp.slice(0, 8), region, 's3', 'aws4_request']) {
        key = hmac(key, s);
    }
    const sign = hmac(key, `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${hash}`);
    return `${url.origin}${p}?${query}&X-Amz-Signature=`
        + sign.toString('hex');
};

if (require.main === module) {
    console.log(exports.presign(process.argv[2], process.argv[3]));
}
