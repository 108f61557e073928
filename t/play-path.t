#!/usr/bin/perl

# Paths, methods and CORS of a playback location.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;

my $t = Reel->new(conf => '
    location /play/ { reel_play; }
    location /deep/er { reel_play; }
    location ~ ^/tenant/[a-z]+/ { reel_play; }
    location /mine/ { reel_play; reel_cors_origin https://site.example; }
    location /none/ { reel_play; reel_cors_origin off; }
    location /old/ { rewrite ^/old/(.*)$ /play/$1 last; }
    location /gone/ { rewrite ^/gone/(.*)$ /$1 break; reel_play; }
    location = /exact { reel_play; }');
my $a = Asset->new($t, fragments => 3, renditions => ['v720:video:9000']);
my $id = $a->{id};
my $hash = $a->{hash}{3};

for my $p ("/play/$id/master.m3u8", "/deep/er/$id/master.m3u8",
    "/tenant/x/$id/master.m3u8", "/tenant/x/y/$id/v720/0.m4s",
    "/tenant/x/$id/v720~$hash/0.m4s", "/old/$id/v720/init.mp4",
    "/gone/$id/master.m3u8", "/gone/$id/v720~$hash/0.m4s",
    "/play/$id/./v720/../master.m3u8", "/play//$id///v720/0.m4s",
    "/play/%30" . substr($id, 1) . "/master.m3u8",
    "/play/$id/master.m3u8?token=x&y=..%2f")
{
    is(http($t, 'GET', $p)->{status}, 200, "200 $p");
}

my $up = uc $id;
my $short = substr $id, 1;
for my $p ('/play/', "/play/$id", "/play/$id/", "/play/$id/v720",
    "/play/$id/v720/", "/play/$id/nothing", "/play/$id/master.m3u",
    "/play/$id/xmaster.m3u8", "/play/$id/v720/master.m3u8",
    "/play/$id/media.m3u8", "/play/$id/0.m4s", "/play/$id/init.mp4",
    "/play/$id/v720/poster.jpg", "/play/x/$id/master.m3u8",
    "/play/$id/a/b/0.m4s", "/play/$id/$id/v720/0.m4s",
    "/play/$up/master.m3u8", "/play/$short/master.m3u8",
    "/play/${id}0/master.m3u8", "/play/" . ('u' x 26) . '/master.m3u8',
    "/play/8" . substr($id, 1) . '/master.m3u8',
    "/play/$id/v720/.m4s", "/play/$id/v720/-1.m4s", "/play/$id/v720/+1.m4s",
    "/play/$id/v720/01.m4s", "/play/$id/v720/00.m4s",
    "/play/$id/v720/1x.m4s", "/play/$id/v720/1.m4s.m4s",
    "/play/$id/v720/0x1.m4s", "/play/$id/v720/1%20.m4s",
    "/play/$id/v720/init-.mp4", "/play/$id/v720/init-x.mp4",
    "/play/$id/v720/init-01.mp4", "/play/$id/v720/xinit-1.mp4",
    "/play/$id/v720/init1.mp4", "/play/$id/init-1.mp4",
    "/play/$id/v720/.mp4", "/play/$id/v720/1.mp4",
    "/play/$id/v720/1.M4S", "/play/$id/v720~/0.m4s",
    "/play/$id/v720~" . substr($hash, 1) . '/0.m4s',
    "/play/$id/v720~${hash}0/0.m4s", "/play/$id/v720~zzzzzzzzzz/0.m4s",
    "/play/$id/v720~" . uc('abcdef') . '0123/0.m4s',
    "/play/$id/~$hash/0.m4s", "/play/$id/v720~$hash~$hash/0.m4s",
    "/play/$id/V720/0.m4s", "/play/$id/v_720/0.m4s", "/play/$id/-v/0.m4s",
    "/play/$id/" . ('v' x 33) . '/0.m4s', "/play/$id/..%2fv720/0.m4s%2f",
    "/play/$id/v720%0a/0.m4s", "/play/$id/v720/0.m4s%0d%0aX:y",
    "/play/$id/v7%ff20/0.m4s", "/tenant/x/$id", '/tenant/x/y', '/exact',
    "/deep/er$id/master.m3u8x", "/deep/erx/$id/master.m3u8",
    "/gone/x/$id/master.m3u8")
{
    my $x = http($t, 'GET', $p);
    has_status($x, 400, 'BAD_PATH', $p);
    is($x->{headers}{'x'} // 'none', 'none', 'no header made of the path')
        if $p =~ /%0d/;
}

# of the form, and of nothing: the first header has one name
for my $n (0, 1, 4294967295, '9' x 30) {
    has_status(http($t, 'GET', "/play/$id/v720/init-$n.mp4"), 404,
        'NOT_FOUND', "init-$n.mp4");
}

# refused by nginx itself, before the module
for my $p ("/play/$id/%00", "/play/../../etc/passwd", "/play/$id/%2e%2e/%2e%2e"
    . '/%2e%2e/x')
{
    is(http($t, 'GET', $p)->{status}, 400, "400 $p");
}

for my $p ("/play/$id/nothing", '/play/' . ('0' x 26) . '/master.m3u8') {
    my $x = http($t, 'GET', $p);
    has_header($x, 'Content-Type', qr{^application/problem\+json$}, $p);
    has_header($x, 'Access-Control-Allow-Origin', qr/^\*$/, $p);
    my $b = json($x->{body});
    is_deeply([sort grep { $_ ne 'asset' } keys %$b], [qw(code detail
        instance retryable status title type)], "$p: a problem");
    is($b->{status}, $x->{status}, "$p: its status");
}

for my $m (qw(POST PUT DELETE PATCH PROPFIND)) {
    my $x = http($t, $m, $a->url('0.m4s', 'v720'), body => 'x' x 100);
    has_status($x, 405, 'METHOD_NOT_ALLOWED', $m);
    has_header($x, 'Allow', qr/GET, HEAD/, $m);
    has_header($x, 'Access-Control-Allow-Origin', qr/^\*$/, $m);
}

my $x = http($t, 'OPTIONS', $a->url('0.m4s', 'v720'), headers => {
    Origin => 'https://site.example',
    'Access-Control-Request-Method' => 'GET',
    'Access-Control-Request-Headers' => 'range' });
has_status($x, 204, undef, 'preflight');
has_header($x, 'Access-Control-Allow-Origin', qr/^\*$/, 'preflight');
has_header($x, 'Access-Control-Allow-Methods', qr/GET.*HEAD/, 'preflight');
has_header($x, 'Access-Control-Allow-Headers', qr/Range/, 'preflight');
has_header($x, 'Access-Control-Max-Age', qr/^\d+$/, 'preflight');

$x = http($t, 'GET', "/play/$id/v720/0.m4s");
has_header($x, 'Access-Control-Expose-Headers', qr/\b$_\b/, 'segment')
    for qw(Content-Range Content-Length Date ETag);
has_header($x, 'Timing-Allow-Origin', qr/^\*$/, 'segment');
$x = http($t, 'GET', "/mine/$id/v720/0.m4s");
has_header($x, 'Access-Control-Allow-Origin', qr{^https://site\.example$},
    'own origin');
has_header($x, 'Vary', qr/Origin/, 'own origin');
has_header($x, 'Timing-Allow-Origin', qr{^https://site\.example$},
    'own origin');
$x = http($t, 'GET', "/mine/$id/v720/9.m4s");
is(scalar(() = $x->{raw} =~ /^Vary: Origin\r$/mg), 1, '404: one Vary');

# what caches may keep of a refusal
for my $c (['/play/x', 400, 'no-store'], ["/play/$id/v720/9.m4s", 404,
    'max-age=1'], ['/play/' . ('0' x 26) . '/master.m3u8', 404, 'max-age=1'])
{
    $x = http($t, 'GET', $c->[0]);
    has_status($x, $c->[1], undef, $c->[0]);
    is($x->{headers}{'cache-control'}, $c->[2], "$c->[0]: Cache-Control");
    is($x->{headers}{$_}, undef, "$c->[0]: no $_")
        for qw(etag last-modified accept-ranges);
}
has_header(http($t, 'DELETE', $a->url('0.m4s', 'v720')), 'Cache-Control',
    qr/^no-store$/, '405');
for my $p ("/none/$id/master.m3u8", "/none/$id/v720/0.m4s", '/none/x') {
    is(http($t, 'GET', $p)->{headers}{'access-control-allow-origin'},
        undef, "off: no CORS header for $p");
}

done_testing;
