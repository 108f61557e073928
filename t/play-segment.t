#!/usr/bin/perl

# Clear segments, init segments and posters: the stored bytes, with the
# headers that a CDN's origin owes.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;

my $t = Reel->new;
my $a = Asset->new($t, fragments => 34);
my $immutable = qr/^public, max-age=31536000, immutable$/;

for my $r ('v720', 'a128') {
    my ($got, $wrong, $spans) = ('', 0, 0);
    for my $n (0 .. 11) {
        my $want = $a->segment($r, $n, 3);
        my $x = http($t, 'GET', $a->url("$n.m4s", $r, 3));
        $wrong++ if $x->{status} != 200 || $x->{body} ne $want;
        $got .= $x->{body};

        my $h = http($t, 'HEAD', $a->url("$n.m4s", $r, 3));
        $wrong++ if $h->{headers}{'content-length'} != length $want
            || $h->{body} ne '' || $h->{headers}{etag} ne $x->{headers}{etag};

        my @fragments = @{ $a->{fragment}{$r} };
        my %o = map { $_->[0] => 1 } grep { defined }
            @fragments[$n * 3 .. $n * 3 + 2];
        $spans++ if keys %o > 1;
    }
    is($wrong, 0, "$r: each segment is the stored bytes, HEAD has the length");
    cmp_ok($spans, '>=', 2, "$r: some of them span two objects");
    is($got, join('', map { $a->cut($r, $_) } @{ $a->{fragment}{$r} }),
        "$r: all of them are all of the fragments");
}

my $url = $a->url('3.m4s', 'v720', 3);          # fragments 9 … 11: one object
my $two = $a->url('0.m4s', 'v720', 3);          # 0 … 2: two objects
my $bytes = $a->segment('v720', 3, 3);

my $x = http($t, 'GET', $url);
has_status($x, 200, undef, 'segment');
has_header($x, 'Content-Type', qr{^video/mp4$}, 'video segment');
has_header($x, 'Content-Length', qr/^\d+$/, 'segment');
has_header($x, 'Accept-Ranges', qr/^bytes$/, 'segment');
has_header($x, 'ETag', qr/^"[^"]+"$/, 'strong');
has_header($x, 'Last-Modified', qr/GMT$/, 'segment');
has_header($x, 'Cache-Control', $immutable, 'versioned segment');
has_header($x, 'Access-Control-Allow-Origin', qr/^\*$/, 'segment');
ok(!exists $x->{headers}{'content-encoding'}, 'no coding of its own');

my ($etag, $date) = @{ $x->{headers} }{qw(etag last-modified)};

for my $c (['If-None-Match' => $etag], ['If-None-Match' => "\"x\", $etag"],
    ['If-None-Match' => '*'], ['If-Modified-Since' => $date])
{
    my $n = http($t, 'GET', $url, headers => { @$c });
    has_status($n, 304, undef, "@$c");
    is($n->{body}, '', "@$c: no body");
    has_header($n, 'Cache-Control', $immutable, '304');
}
has_status(http($t, 'GET', $url, headers => { 'If-None-Match' => '"x"' }),
    200, undef, 'another ETag');
has_status(http($t, 'GET', $url, headers => { 'If-Match' => '"x"' }),
    412, undef, 'If-Match of another');
isnt(http($t, 'GET', $two)->{headers}{etag}, $etag, 'ETags differ');

# single ranges, of one object and over the seam of two
for my $s ([$url, 3], [$two, 0]) {
    my ($target, $n) = @$s;
    my $want = $a->segment('v720', $n, 3);
    my $len = length $want;
    my $seam = $n ? 5000 : $a->{fragment}{v720}[0][2]
        + $a->{fragment}{v720}[1][2];
    for my $range ([0, 0], [0, 99], [4000, 4200], [$seam - 10, $seam + 9],
        [$seam, $len - 1], [$len - 1, $len - 1], [1, $len - 2])
    {
        my ($from, $to) = @$range;
        my $p = http($t, 'GET', $target,
            headers => { Range => "bytes=$from-$to" });
        is($p->{status}, 206, "bytes $from-$to of $n.m4s: 206");
        is($p->{headers}{'content-range'}, "bytes $from-$to/$len",
            '  Content-Range');
        ok($p->{body} eq substr($want, $from, $to - $from + 1), '  bytes');
    }
    my $p = http($t, 'GET', $target, headers => { Range => 'bytes=-100' });
    ok($p->{status} == 206 && $p->{body} eq substr($want, -100), 'suffix');
    $p = http($t, 'GET', $target, headers => { Range => 'bytes=1000-' });
    ok($p->{status} == 206 && $p->{body} eq substr($want, 1000), 'open end');
    $p = http($t, 'GET', $target, headers => { Range => "bytes=$len-" });
    has_status($p, 416, 'RANGE_NOT_SATISFIABLE', 'past the end');
    has_header($p, 'Content-Range', qr{^bytes \*/$len$}, '416');
    has_header($p, 'Content-Type', qr{^application/problem\+json$}, '416');
    has_header($p, 'Cache-Control', qr/^no-store$/, '416');
    is(scalar(() = $p->{raw} =~ /^Access-Control-Allow-Origin:/mg), 1,
        '416: one CORS header');
    $p = http($t, 'HEAD', $target, headers => { Range => "bytes=$len-" });
    has_status($p, 416, undef, 'HEAD past the end');
    is($p->{body}, '', '416: HEAD has no body');
    $p = http($t, 'GET', $target, headers => { Range => 'bytes=0-1,5-9' });
    ok($p->{status} == 200 && $p->{body} eq $want, 'two ranges: the whole');
    $p = http($t, 'HEAD', $target, headers => { Range => 'bytes=0-99' });
    ok($p->{status} == 206 && $p->{headers}{'content-length'} == 100,
        'HEAD of a range');
}
for my $u ($a->url('media.m3u8', 'v720'), $a->url('init.mp4', 'v720', 3)) {
    $x = http($t, 'GET', $u, headers => { Range => 'bytes=99999999-' });
    has_status($x, 416, 'RANGE_NOT_SATISFIABLE', $u);
}
$x = http($t, 'GET', $url,
    headers => { Range => 'bytes=0-9', 'If-Range' => $etag });
has_status($x, 206, undef, 'If-Range, same');
$x = http($t, 'GET', $url,
    headers => { Range => 'bytes=0-9', 'If-Range' => '"other"' });
ok($x->{status} == 200 && $x->{body} eq $bytes, 'If-Range, other: the whole');

# bare names mean the current version: same bytes, short life
$x = http($t, 'GET', $a->url('3.m4s', 'v720'));
ok($x->{status} == 200 && $x->{body} eq $bytes, 'bare name: same bytes');
has_header($x, 'Cache-Control', qr/^max-age=5$/, 'bare segment');

$x = http($t, 'GET', $a->url('2.m4s', 'a128', 3));
has_header($x, 'Content-Type', qr{^audio/mp4$}, 'audio segment');

for my $r ('v720', 'a128') {
    $x = http($t, 'GET', $a->url('init.mp4', $r, 3));
    ok($x->{status} == 200 && $x->{body} eq $a->init_bytes($r),
        "$r: init.mp4 is the object's header");
    has_header($x, 'Content-Type', $r eq 'v720' ? qr{^video/mp4$}
        : qr{^audio/mp4$}, "$r init");
    has_header($x, 'Cache-Control', $immutable, "$r init");
    has_status(http($t, 'GET', $a->url('init.mp4', $r, 3),
        headers => { 'If-None-Match' => $x->{headers}{etag} }), 304, undef,
        "$r init, same");
    my $p = http($t, 'GET', $a->url('init.mp4', $r, 3),
        headers => { Range => 'bytes=4-7' });
    ok($p->{status} == 206 && $p->{body} eq 'ftyp', "$r: range of init");
}
$x = http($t, 'GET', $a->url('init.mp4', 'v720'));
has_header($x, 'Cache-Control', qr/^max-age=5$/, 'bare init');

$x = http($t, 'GET', $a->url('poster.jpg'));
ok($x->{status} == 200 && $x->{body} eq $a->poster_bytes, 'poster');
has_header($x, 'Content-Type', qr{^image/jpeg$}, 'poster');
has_header($x, 'Cache-Control', qr/^max-age=5$/, 'poster');

my $plain = Asset->new($t, poster => 0, fragments => 2,
    renditions => ['a64:audio:3000']);
has_status(http($t, 'GET', $plain->url('poster.jpg')), 404, 'NOT_FOUND',
    'no poster');
$x = http($t, 'GET', $plain->url('0.m4s', 'a64', 3));
ok($x->{status} == 200 && $x->{body} eq $plain->segment('a64', 0, 3),
    'a last segment of two fragments');

for my $n (12, 13, 4294967295, 4294967296, '9' x 30) {
    has_status(http($t, 'GET', $a->url("$n.m4s", 'v720', 3)), 404,
        'NOT_FOUND', "segment $n");
}
has_status(http($t, 'GET', $a->url('0.m4s', 'v721', 3)), 404, 'NOT_FOUND',
    'no such rendition');

# many requests on one connection
my $req = join '', map { "GET $_ HTTP/1.1\r\nHost: x\r\n\r\n" } ($url) x 20;
my $all = raw($t, $req . "GET $two HTTP/1.1\r\nHost: x\r\n"
    . "Connection: close\r\n\r\n");
my @answers = $all =~ m{HTTP/1\.1 200 OK\r\n}g;
is(scalar @answers, 21, 'pipelined: 21 answers');
like($all, qr/\Q${\ $a->segment('v720', 0, 3)}\E\z/,
    'pipelined: the last is whole');

done_testing;
