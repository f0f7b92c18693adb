/*
 * sigv4.js - verifies signatures of S3 requests, more strictly than s3rver:
 * the path exactly as it was sent, names in order, every x-amz-* header signed,
 * the session token known.  Written from AWS' description, not from our signer.
 */
'use strict';

const { createHash, createHmac } = require('crypto');

const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const encode = (text) => encodeURIComponent(text)
	.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function canonicalPath(rawPath) {
	return rawPath.split('/').map((part) => encode(decodeURIComponent(part))).join('/');
}

function canonicalQuery(rawQuery) {
	const pairs = rawQuery === '' ? [] : rawQuery.split('&').map((pair) => {
		const [name, value = ''] = pair.split('=');
		return [encode(decodeURIComponent(name)), encode(decodeURIComponent(value))];
	});
	return pairs.sort(([a], [b]) => (a < b ? -1 : 1)).map((pair) => pair.join('=')).join('&');
}

/* Returns null, or what is wrong. */
function verify(request, { id, secret, token, region }) {
	const match = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
		.exec(request.headers.authorization ?? '');
	if (!match) return 'malformed Authorization';
	const [, sentId, date, sentRegion, names, signature] = match;
	const signed = names.split(';');
	const moment = request.headers['x-amz-date'] ?? '';
	const [path, query = ''] = request.url.split('?');
	const required = Object.keys(request.headers).filter((name) => name === 'host' || name.startsWith('x-amz-'));

	if (sentId !== id) return 'unknown key id';
	if (region && sentRegion !== region) return 'wrong region';
	if (signed.join() !== [...signed].sort().join()) return 'signed headers are not in order';
	if (!required.every((name) => signed.includes(name))) return 'a header is not signed';
	if (!moment.startsWith(date)) return 'x-amz-date is not of that day';
	if ((request.headers['x-amz-security-token'] ?? '') !== (token ?? '')) return 'wrong session token';
	if (canonicalPath(path) !== path) return 'path is not in canonical form';

	const canonical = [request.method, path, canonicalQuery(query),
		...signed.map((name) => `${name}:${request.headers[name].trim().replace(/ +/g, ' ')}`), '',
		names, request.headers['x-amz-content-sha256']].join('\n');
	const scope = `${date}/${sentRegion}/s3/aws4_request`;
	const toSign = ['AWS4-HMAC-SHA256', moment, scope,
		createHash('sha256').update(canonical).digest('hex')].join('\n');
	const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, date), sentRegion), 's3'), 'aws4_request');
	return hmac(key, toSign).toString('hex') === signature ? null : 'signature does not match';
}

/* What the credential scope names; '' when there is none. */
function regionOf(request) {
	return /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

function timeOf(request) {
	const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(request.headers['x-amz-date'] ?? '');
	return parts ? Date.UTC(parts[1], parts[2] - 1, parts[3], parts[4], parts[5], parts[6]) : NaN;
}

module.exports = { verify, regionOf, timeOf, encode };
