#!/usr/bin/perl

# Playlists and MPDs: types, caching, conditions, gzip. What stands in them
# is the matter of tests/unit/manifest; here every URI in them is followed.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use IO::Uncompress::Gunzip qw(gunzip);
use Reel;
use Test::More;

my $gzip = 'gzip on; gzip_min_length 1; gzip_vary on; gzip_types
    application/vnd.apple.mpegurl application/dash+xml video/mp4;';
my $t = Reel->new(conf => "
    location /play/ { reel_play; }
    location /both/ { reel_play; $gzip }
    location /theirs/ { reel_play; reel_manifest_gzip off; $gzip }
    location /none/ { reel_play; reel_manifest_gzip off; }
    location /anew/ { reel_play; reel_manifest_cache off; }");
my $a = Asset->new($t);
my $hls = qr{^application/vnd\.apple\.mpegurl$};

my %case = (
    $a->url('master.m3u8') => [$hls, qr/^#EXTM3U/, 60],
    $a->url('manifest.mpd') =>
        [qr{^application/dash\+xml$}, qr/<MPD[ \n]/, 60],
    $a->url('media.m3u8', 'v720', 3) =>
        [$hls, qr/^#EXTM3U.*#EXT-X-ENDLIST/s, 60],
    $a->url('media.m3u8', 'a128') =>
        [$hls, qr/^#EXTM3U.*#EXT-X-ENDLIST/s, 5],
);

for my $url (sort keys %case) {
    my ($type, $body, $age) = @{ $case{$url} };
    my $x = http($t, 'GET', $url);
    has_status($x, 200, undef, $url);
    has_header($x, 'Content-Type', $type, $url);
    has_header($x, 'Cache-Control', $age == 5 ? qr/^max-age=5$/
        : qr/^max-age=$age, s-maxage=5, stale-while-revalidate=5, stale-if/,
        $url);
    has_header($x, 'ETag', qr/^"[^"]+"$/, $url);
    has_header($x, 'Last-Modified', qr/GMT$/, $url);
    has_header($x, 'Access-Control-Allow-Origin', qr/^\*$/, $url);
    like($x->{body}, $body, "$url: body");
    is(length $x->{body}, $x->{headers}{'content-length'}, "$url: length");
    is(http($t, 'GET', $url)->{body}, $x->{body}, "$url: stable");

    my $h = http($t, 'HEAD', $url);
    is($h->{headers}{'content-length'}, length $x->{body}, "$url: HEAD");
    is($h->{body}, '', "$url: HEAD has no body");

    for my $c (['If-None-Match' => $x->{headers}{etag}],
        ['If-Modified-Since' => $x->{headers}{'last-modified'}])
    {
        has_status(http($t, 'GET', $url, headers => { @$c }), 304, undef,
            "$url, @$c");
    }

    has_header($x, 'Vary', qr/^Accept-Encoding$/, "$url, identity");

    for my $way (qw(play play both theirs anew)) {
        (my $u = $url) =~ s{^/play}{/$way};
        my $z = http($t, 'GET', $u, headers => {
            'Accept-Encoding' => 'br, gzip;q=0.8' });
        has_header($z, 'Content-Encoding', qr/^gzip$/, $u);
        has_header($z, 'ETag', qr{^W/"}, "$u, gzip");
        is(scalar(() = $z->{raw} =~ /^Vary: Accept-Encoding\r$/mg), 1,
            "$u, gzip: one Vary");
        gunzip(\$z->{body}, \my $plain);
        is($plain, $x->{body}, "$u: gunzips to the same");
        has_status(http($t, 'GET', $u, headers => {
            'Accept-Encoding' => 'gzip',
            'If-None-Match' => $z->{headers}{etag} }), 304, undef,
            "$u: weak ETag");
        next if $way eq 'theirs';

        is($z->{headers}{'content-length'}, length $z->{body},
            "$u, gzip: length");
        my $g = http($t, 'HEAD', $u, headers => {
            'Accept-Encoding' => 'gzip' });
        is($g->{headers}{'content-length'}, length $z->{body},
            "$u: HEAD of gzip");
        $g = http($t, 'GET', $u, headers => { 'Accept-Encoding' => 'gzip',
            Range => 'bytes=0-6' });
        ok($g->{status} == 200 && $g->{body} eq $z->{body},
            "$u: no range of gzip");
    }

    for my $accept ('br', 'gzip;q=0', 'gzip; q=0.000, *', 'gzipped', '',
        'identity, *;q=0')
    {
        is(http($t, 'GET', $url, headers => { 'Accept-Encoding' => $accept })
            ->{body}, $x->{body}, "$url: \"$accept\" is not gzip");
    }
    for my $accept ('GZIP', 'x-gzip', '*', 'deflate ,gzip ;q=1', '*;q=0,gzip')
    {
        has_header(http($t, 'GET', $url, headers => {
            'Accept-Encoding' => $accept }), 'Content-Encoding', qr/^gzip$/,
            "$url: \"$accept\"");
    }
    (my $none = $url) =~ s{^/play}{/none};
    my $n = http($t, 'GET', $none, headers => { 'Accept-Encoding' => 'gzip' });
    ok($n->{body} eq $x->{body} && !exists $n->{headers}{vary},
        "$none: off, so it does not vary");

    my $r = http($t, 'GET', $url, headers => { Range => 'bytes=0-6' });
    ok($r->{status} == 206 && $r->{body} eq substr($x->{body}, 0, 7),
        "$url: range");
}

# a segment is not text, whatever gzip_types says about its type: the module
# gives no reason to compress; the location decides
is(http($t, 'GET', $a->url('0.m4s', 'v720', 3))->{headers}
    {'content-encoding'} // 'none', 'none', 'identity when not asked for');

# every URI of the HLS tree resolves, down to the last byte
sub resolve {
    my ($base, $uri) = @_;
    $base =~ s{[^/]*$}{};
    my $path = "$base$uri";
    1 while $path =~ s{[^/]+/\.\./}{};
    return $path;
}

for my $start ($a->url('master.m3u8')) {
    my $master = http($t, 'GET', $start)->{body};
    my @lists = ($master =~ /^([^#\n].*)$/mg,
        $master =~ /URI="([^"]+media\.m3u8)"/g);
    cmp_ok(scalar @lists, '>=', 2, 'master lists video and audio');
    for my $list (map { resolve($start, $_) } @lists) {
        like($list, qr{/(v720|a128)~[0-9a-f]{10}/media\.m3u8$},
            'versioned media playlist');
        my ($r) = $list =~ m{/(v720|a128)~};
        my $media = http($t, 'GET', $list)->{body};
        my ($map) = $media =~ /EXT-X-MAP:URI="([^"]+)"/;
        is(http($t, 'GET', resolve($list, $map))->{body}, $a->init_bytes($r),
            "$r: EXT-X-MAP");
        my $n = 0;
        my $wrong = 0;
        for my $uri ($media =~ /^([^#\n].*)$/mg) {
            my $x = http($t, 'GET', resolve($list, $uri));
            $wrong++ if $x->{body} ne $a->segment($r, $n++, 3);
        }
        is("$n $wrong", '10 0', "$r: its ten segments are right");
    }
}

# a bare media playlist names versioned segments
my $bare = $a->url('media.m3u8', 'v720');
my $media = http($t, 'GET', $bare)->{body};
my @uris = $media =~ /^([^#\n].*)$/mg;
is(scalar @uris, 10, 'bare: ten segments');
my $first = resolve($bare, $uris[0]);
is($first, $a->url('0.m4s', 'v720', 3), 'bare: versioned segment');

# MPD: each template that it prints is served
my $mpd = http($t, 'GET', $a->url('manifest.mpd'))->{body};
like($mpd, qr/<SegmentTimeline>/, 'SegmentTimeline');
my %reps;
while ($mpd =~ /<Representation [^>]*id="([^"]+)"/g) { $reps{$1} = 1; }
is(join(' ', sort keys %reps), 'a128 v720', 'both renditions');
while ($mpd =~ /initialization="([^"]+)"/g) {
    my $i = $1;
    for my $r (sort keys %reps) {
        (my $u = $i) =~ s/\$RepresentationID\$/$r/g;
        next if $i !~ /\$Rep/ && $u !~ /\Q$r\E/;
        is(http($t, 'GET', resolve($a->url('manifest.mpd'), $u))->{status},
            200, "MPD: $u");
    }
}

has_status(http($t, 'GET', $a->url('media.m3u8', 'v72', 3)), 404, 'NOT_FOUND',
    'no such rendition');
my $x = http($t, 'GET', '/play/' . $a->{id} . '/v720~0123456789/media.m3u8');
has_status($x, 404, 'NOT_FOUND', 'a hash of another version');
like(json($x->{body})->{detail}, qr/load the manifest again/,
    'the answer says what to do');

done_testing;
