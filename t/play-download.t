#!/usr/bin/perl

# download.mp4: one file of stored bytes, by every way that it is sent and
# asked for; what its boxes say is the matter of tests/unit/mp4.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Film;
use Reel;
use Test::More;
use Time::HiRes qw(sleep);

my %way = (
    play => 'sendfile on; aio threads; tcp_nopush on;',
    plain => 'sendfile off; aio off;',
    sendfile => 'sendfile on; aio off; sendfile_max_chunk 100k;',
    reads => 'sendfile off; aio threads; output_buffers 2 8k;',
    cached => 'sendfile on; aio threads; open_file_cache max=20;',
    slow => 'sendfile on; aio threads; limit_rate 3m;',
);
my $t = Reel->new(conf => join '', map {
    "location /$_/ { reel_play; $way{$_} }\n" } sort keys %way);

my $a = Asset->new($t, fragments => 100, object => 4, renditions =>
    ['v360:video:3000', 'v720:video:40000', 'a64:audio:900',
     'a128:audio:8000']);
my $url = $a->url('download.mp4');

# the file as it must be: head as it came, then segments in turn, then free
sub body {
    my ($asset, $head, @r) = @_;
    my $n = @{ $asset->{fragment}{$r[0]} };
    return $head . join('', map { my $s = $_;
        map { $asset->segment($_, $s, 3) } @r } 0 .. int(($n - 1) / 3))
        . "\0\0\0\x08free";
}

my $x = http($t, 'GET', $url);
has_status($x, 200, undef, 'download');
my $whole = $x->{body};
my $len = length $whole;
is($x->{headers}{'content-length'}, $len, 'Content-Length is exact');
has_header($x, 'Content-Type', qr{^video/mp4$}, 'download');
has_header($x, 'Cache-Control', qr/^max-age=5$/, 'download');
has_header($x, 'Accept-Ranges', qr/^bytes$/, 'download');
has_header($x, 'ETag', qr/^"[0-9a-f]{10}-v720\+a64"$/, 'download');
has_header($x, 'Last-Modified', qr/GMT$/, 'download');
is($x->{headers}{'content-disposition'}, "attachment; filename=\"$a->{id}.mp4"
    . "\"; filename*=UTF-8''$a->{id}.mp4", 'no name: the id');

my $head = substr $whole, 0, 0;
my $at = 0;
for my $type (qw(ftyp moov sidx)) {
    my ($size, $is) = unpack 'N a4', substr $whole, $at, 8;
    is($is, $type, "then $type");
    $head .= substr $whole, $at, $size;
    $at += $size;
}
is(substr($whole, $at + 4, 4), 'moof', 'then fragments');
ok($whole eq body($a, $head, 'v720', 'a64'), 'stored bytes, interleaved');

$x = http($t, 'GET', "$url?audio=a128");
ok(body($a, substr($x->{body}, 0, length $head), 'v720', 'a128')
    eq $x->{body}, 'another audio');
isnt($x->{headers}{etag}, http($t, 'HEAD', $url)->{headers}{etag},
    'has another ETag');
for my $audio (qw(a99 v720 ../x), '') {
    has_status(http($t, 'GET', "$url?audio=$audio"), 404, 'NOT_FOUND',
        "audio=$audio");
}

# heights, as manifests take them
my $heights = Asset->new($t, fragments => 5, renditions =>
    ['v720:video:4000', 'a64:audio:900']);
has_status(http($t, 'HEAD', $heights->url('download.mp4?max_height=720')),
    200, undef, 'max_height');
has_status(http($t, 'GET', $heights->url("download.mp4?$_")), 404,
    'NOT_FOUND', $_) for 'max_height=719', 'min_height=721';
has_status(http($t, 'GET', $heights->url("download.mp4?$_")), 400,
    'BAD_PARAMETER', $_) for 'max_height=x', 'start=2', 'end=4';
has_status(http($t, 'GET', $heights->url('download.mp4?token=x&max_height='
    . '720&audio=a64')), 200, undef, 'others are passed over');

$x = http($t, 'HEAD', $url);
is("$x->{status} $x->{headers}{'content-length'} $x->{body}", "200 $len ",
    'HEAD');
my $etag = $x->{headers}{etag};
has_status(http($t, 'GET', $url, headers => { 'If-None-Match' => $etag }),
    304, undef, 'If-None-Match');

srand 7;
for my $way (sort keys %way) {
    (my $u = $url) =~ s{^/play}{/$way};
    ok(http($t, 'GET', $u)->{body} eq $whole, "$way: the whole");
    my $wrong = 0;
    for my $i (1 .. 12) {
        my $from = int rand $len;
        my $to = $from + int rand($i % 3 ? 5000 : $len - $from);
        $to = $len - 1 if $to >= $len;
        my $y = http($t, 'GET', $u,
            headers => { Range => "bytes=$from-$to" });
        $wrong++ if $y->{status} != 206
            || $y->{headers}{'content-range'} ne "bytes $from-$to/$len"
            || $y->{headers}{'content-length'} != $to - $from + 1
            || $y->{body} ne substr $whole, $from, $to - $from + 1;
    }
    is($wrong, 0, "$way: 12 ranges");
}

my $h = length $head;
for my $c ([0, 0], [0, 99], [$h - 5, $h + 5], [$h, $h], [$h - 1, $h - 1],
    [$len - 1, $len - 1], [0, $len - 1], [1, $len - 2])
{
    my ($from, $to) = @$c;
    my $y = http($t, 'GET', $url, headers => { Range => "bytes=$from-$to" });
    ok($y->{status} == 206
        && $y->{body} eq substr($whole, $from, $to - $from + 1),
        "bytes $from-$to");
}
for my $c (['bytes=-100', 206, -100], ['bytes=-1', 206, -1],
    ['bytes= -7', 206, -7], ["bytes=@{[ $len - 9 ]}-", 206, -9],
    ["bytes=-@{[ $len + 5 ]}", 206, -$len], ['bytes=0-', 206, -$len],
    ['bytes=0-1,5-9', 200, -$len], ['bytes=5-2', 416],
    ['bytes=999999999999999999999999-', 416], ["bytes=$len-", 416],
    ['bytes=-0', 416], ['bytes=x', 416], ['bytes=1-x', 416],
    ['chunks=0-1', 200, -$len], ['bytes=' . '0-1,' x 500 . '5-9', 200, -$len],
    ["bytes=$len-,20-29", 206, undef])
{
    my ($range, $status, $from) = @$c;
    my $y = http($t, 'GET', $url, headers => { Range => $range });
    my $name = substr $range, 0, 40;
    is($y->{status}, $status, "$name: $status");
    ok($y->{body} eq substr($whole, $from), "$name: bytes")
        if defined $from;
}
$x = http($t, 'GET', $url,
    headers => { Range => 'bytes=9000-9009', 'If-Range' => $etag });
ok($x->{status} == 206 && $x->{body} eq substr($whole, 9000, 10),
    'If-Range, same');
$x = http($t, 'GET', $url,
    headers => { Range => "bytes=@{[ $len - 50 ]}-", 'If-Range' => '"o"' });
ok($x->{status} == 200 && $x->{body} eq $whole, 'If-Range, other: the whole');

# the name of the upload
spew($a->file('request.json'), '{"asset":"' . $a->{id} . '","project":"p",'
    . '"pipeline":"default","name":"dir/K\u00f6ln \"1\".mov","size":1,'
    . '"created_ms":1}');
is(http($t, 'HEAD', $url)->{headers}{'content-disposition'}, 'attachment; '
    . "filename=\"K__ln _1_.mp4\"; filename*=UTF-8''K%C3%B6ln%20%221%22.mp4",
    'its name');
spew($a->file('request.json'), 'no JSON');
has_header(http($t, 'HEAD', $url), 'Content-Disposition',
    qr/^attachment; filename="$a->{id}\.mp4"/, 'a broken request.json');

# one kind alone
for my $r ('v720:video:9000', 'a64:audio:900') {
    my ($name, $kind) = split /:/, $r;
    my $one = Asset->new($t, fragments => 7, renditions => [$r]);
    my $y = http($t, 'GET', $one->url('download.mp4'));
    has_header($y, 'Content-Type', qr{^$kind/mp4$}, "$kind alone");
    my $tail = body($one, '', $name);
    ok(substr($y->{body}, -length $tail) eq $tail, "$kind alone: bytes");
}

# growing: not yet
my $g = Asset->new($t, fragments => 8, published => 4, growing => 1);
$x = http($t, 'GET', $g->url('download.mp4'));
has_status($x, 409, 'NOT_COMPLETE', 'growing');
has_header($x, 'Cache-Control', qr/^no-store$/, 'growing');
$g->make(fragments => 8);
wait_for(sub { http($t, 'GET', $g->url('download.mp4'))->{status} == 200 },
    'complete', 5);

# broken: clean while nothing is sent, else cut, never short
my $b = Asset->new($t, fragments => 60, object => 4);
my @objects = $b->objects('v720');
my $last = $b->file("v720/$objects[-1]");
truncate $last, 500 or die $!;
$x = http($t, 'GET', $b->url('download.mp4'));
ok($x->{status} == 200
    && length $x->{body} < $x->{headers}{'content-length'},
    'a truncated object: cut off');
is(scalar(() = $t->log =~ /object ".*\Q$objects[-1]\E" has 500 bytes/g), 1,
    'logged once');
truncate $b->file("v720/$objects[0]"), 500 or die $!;
has_status(http($t, 'GET', $b->url('download.mp4')), 500, 'BAD_OBJECT',
    'the first one truncated');
unlink $b->file("v720/$objects[0]");
has_status(http($t, 'GET', $b->url('download.mp4')), 500, 'BAD_OBJECT',
    'the first one gone');

# of real media: another program finds all of it
my $film = Asset::new_id();
my $mp4 = "$t->{dir}/film";
my $cmaf = '+cmaf+default_base_moof+delay_moov';
(my $remux = $Asset::TOOL) =~ s/mkasset$/mkremux/;
film("$mp4-v.mp4", qw(-f lavfi -i testsrc2=size=160x90:rate=24:duration=14
    -pix_fmt yuv420p -c:v libx264 -preset ultrafast -g 48 -movflags),
    "$cmaf+frag_keyframe");
film("$mp4-a.mp4", qw(-f lavfi -i sine=sample_rate=48000:duration=14 -c:a aac
    -frag_duration 1000000 -movflags), $cmaf);
system("$remux $t->{dir}/store $film 7 v90=$mp4-v.mp4 a=$mp4-a.mp4 "
    . '>/dev/null') == 0 or die;
my $played = `ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 http://127.0.0.1:$t->{port}/play/$film/download.mp4 2>&1`;
like($played, qr/^336\n65[78]\n\z/, 'ffmpeg decodes each frame, and is content');

# a seek into what was not read yet finds all that follows
for my $c ([7, 168], [5.5, 204], [12, 48]) {
    my ($from, $want) = @$c;
    my $n = () = `ffmpeg -nostdin -v error -ss $from -i http://127.0.0.1:$t->{port}/play/$film/download.mp4 -map 0:v -f framemd5 - 2>&1`
        =~ /^0,/mg;
    cmp_ok(abs($n - $want), '<=', 1, "from $from s: $n frames of $want");
}

# a client that reads slowly, and one that goes
my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}") or die $!;
sleep 0.3;
print $s "GET $url HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
my $in = '';
while (sysread $s, my $part, 1 << 20) {
    $in .= $part;
    sleep 0.05;
}
ok(substr($in, -$len) eq $whole, 'a slow reader has all of it');
for (1 .. 5) {
    my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}") or die;
    print $c "GET $url HTTP/1.1\r\nHost: x\r\n\r\n";
    sysread $c, my $part, 1000;
    close $c;
}
# two on one connection
$in = raw($t, "GET $url HTTP/1.1\r\nHost: x\r\n\r\n"
    . "GET $url HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
ok(2 == (() = $in =~ /\Q$head\E/g) && substr($in, -$len) eq $whole,
    'twice on one connection');
my ($worker) = $t->workers;
# 20 of them are in the cache of one location
wait_for(sub { my @fds = grep { /\/store\/.*\.mp4/ }
    map { readlink($_) // '' } glob "/proc/$worker/fd/*"; @fds <= 20 },
    'files are closed', 10);
unlike($t->log, qr/\[(alert|emerg)\]/, 'nothing worse logged');

done_testing;
