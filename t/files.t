#!/usr/bin/perl

# reel_play_files: a folder of plain movies plays as HLS and DASH.

use strict;
use warnings;
use lib 't/lib';
use File::Path qw(make_path);
use Film qw(stream);
use POSIX ();
use Reel;
use Test::More;
use Time::HiRes qw(sleep);

my $t = Reel->new(conf => 'location /films/ { alias FILMS/; reel_play_files; }
    location /root/ { root FILMS/..; reel_play_files; }
    location /plain { alias FILMS; reel_play_files; }', idle => 1);
my $films = "$t->{dir}/root";
make_path("$films/a b");
$t->{o}{conf} =~ s/FILMS/$films/g;
$t->{o}{conf} =~ s/^\s+//;

# 14 s, key frames each 2 s, two B-frames, sound a little shorter
sub film {
    my ($to, @more) = @_;
    return Film::film($to, '-f', 'lavfi', '-i',
        'testsrc2=size=160x90:rate=10:duration=14', '-f', 'lavfi', '-i',
        'sine=frequency=440:sample_rate=48000:duration=13.9',
        qw(-c:v libx264 -preset veryfast -g 20 -bf 2 -pix_fmt yuv420p -c:a aac
        -b:a 64k), @more);
}
film("$films/late.mp4");
film("$films/a b/first.mp4", '-movflags', '+faststart');
film("$films/sound.m4a", '-vn');
film("$films/phone.mov");
my $mov = slurp("$films/phone.mov");
substr($mov, index($mov, 'tkhd') + 44, 36) = pack 'N9', 0, 0x10000, 0,
    0xffff0000, 0, 0, 90 << 16, 0, 0x40000000;
spew("$films/phone.mov", $mov);
$t->nginx_start;

# what ffmpeg makes of it: a digest of the coded pictures or sound
my $base = "http://127.0.0.1:$t->{port}";
for my $c (['/films/late.mp4', "$films/late.mp4"],
    ['/films/a%20b/first.mp4', "$films/a b/first.mp4"],
    ['/root/late.mp4', "$films/late.mp4"])
{
    my ($url, $file) = @$c;
    my $x = http($t, 'GET', "$url/master.m3u8");
    has_status($x, 200, undef, $url);
    like($x->{body}, qr/CODECS="avc1\.\w{6},mp4a\.40\.2",RESOLUTION=160x90/,
        "$url: codecs and size");
    for my $m ('master.m3u8', 'manifest.mpd') {
        is(stream("$base$url/$m", 'v'), stream($file, 'v'),
            "$url: $m has the pictures of the file");
    }
    my $l = http($t, 'GET', "$url/v90/media.m3u8")->{body};
    my $sum = 0;
    $sum += $_ for $l =~ /#EXTINF:([\d.]+),/g;
    cmp_ok(abs($sum - 14), '<', 0.001, "$url: all of it ($sum s)");
    is(scalar(() = $l =~ /#EXTINF/g), 3, "$url: three segments");
}

# sound: the units that are heard, all but the one of priming
my ($ours) = map { stream("$base/films/late.mp4/$_", 'a') } 'master.m3u8';
like($ours, qr/^\w{32}$/, 'sound comes');
is($ours, stream("$base/films/late.mp4/manifest.mpd", 'a'), 'by DASH as well');
like(http($t, 'GET', '/films/phone.mov/master.m3u8')->{body},
    qr/mp4a\.40\.2",RESOLUTION=90x160/, "QuickTime's entries; held upright");
is(stream("$base/films/phone.mov/master.m3u8", 'v'),
    stream("$films/phone.mov", 'v'), 'and it plays');
is(http($t, 'GET', '/films/sound.m4a/master.m3u8')->{status}, 200,
    'sound alone');

# --- segments as a CDN's origin owes them ------------------------------------

my ($hash) = http($t, 'GET', '/films/late.mp4/master.m3u8')->{body}
    =~ /v90~(\w{10})/;
my $wrong = 0;
for my $r ('v90', 'a1') {
    for my $n (0 .. 2) {
        my $url = "/films/late.mp4/$r~$hash/$n.m4s";
        my $x = http($t, 'GET', $url);
        my $h = http($t, 'HEAD', $url);
        $wrong++ if $x->{status} != 200 || $h->{status} != 200
            || $h->{headers}{'content-length'} != length $x->{body}
            || $x->{headers}{etag} ne $h->{headers}{etag}
            || $x->{headers}{'cache-control'} !~ /immutable/;
        for (1 .. 5) {
            my $from = int rand length $x->{body};
            my $to = $from + int rand 5000;
            my $p = http($t, 'GET', $url,
                headers => { Range => "bytes=$from-$to" });
            $wrong++ if $p->{status} != 206
                || $p->{body} ne substr $x->{body}, $from, $to - $from + 1;
        }
    }
}
is($wrong, 0, 'HEAD, ranges, caching');
has_status(http($t, 'GET', "/films/late.mp4/v90~$hash/3.m4s"), 404,
    'NOT_FOUND', 'no segment behind the last');
has_status(http($t, 'GET', '/films/late.mp4/poster.jpg'), 404, 'NOT_FOUND',
    'a file has no poster');

# --- files that are none -----------------------------------------------------

POSIX::mkfifo("$films/fifo.mp4", 0600) or die;
spew("$films/empty.mp4", '');
spew("$films/text.mp4", "#EXTM3U\n" x 100);
has_status(http($t, 'GET', '/films/no.mp4/master.m3u8'), 404, 'NOT_FOUND',
    'absent');
has_status(http($t, 'GET', '/films/fifo.mp4/master.m3u8', secs => 5), 404,
    'NOT_FOUND', 'a FIFO');
has_status(http($t, 'GET', '/films/a%20b/master.m3u8'), 404, 'NOT_FOUND',
    'a folder');
for my $path ('/films/master.m3u8', '/films/v90/init.mp4',
    '/films/v90/media.m3u8', '/filmsx/late.mp4/master.m3u8',
    '/plain../root/late.mp4/master.m3u8')
{
    has_status(http($t, 'GET', $path), $path =~ /^.filmsx/ ? 404 : 400,
        $path =~ /^.filmsx/ ? undef : 'BAD_PATH', "nothing but files: $path");
}
has_status(http($t, 'GET', '/films/late.mp4'), 400, 'BAD_PATH',
    'the file itself');
has_status(http($t, 'GET', '/films/late.mp4/v90~zz/0.m4s'), 400, 'BAD_PATH',
    'a hash that is none');
has_status(http($t, 'GET', "/films/$_.mp4/master.m3u8"), 422, 'BAD_FILE', $_)
    for 'empty', 'text';
like($t->log, qr{text\.mp4" cannot be played: .*near offset 0}, 'the log says why');

# --- damaged ones: half a hundred, none of which does more than be refused ---

my $good = slurp("$films/a b/first.mp4");
my $moov = index($good, 'moov') - 4;
my $size = unpack 'N', substr $good, $moov, 4;
my %answers;
for my $i (0 .. 55) {
    my $bad = $good;
    my $at = $moov + 8 + int(($size - 12) * $i / 56);
    if ($i % 4 == 0) { substr($bad, $at, 4) = "\xff\xff\xff\xff" }
    elsif ($i % 4 == 1) { substr($bad, $at, 4) = "\0\0\0\0" }
    elsif ($i % 4 == 2) { $bad = substr $bad, 0, $at }
    else { substr($bad, $moov + 4 + int(rand($size - 8)), 1) = chr rand 256 }
    spew("$films/bad$i.mp4", $bad);
    my $x = http($t, 'GET', "/films/bad$i.mp4/master.m3u8");
    $answers{$x->{status}}++;
    if ($x->{status} == 200) {
        $answers{http($t, 'GET', "/films/bad$i.mp4/$_/1.m4s")->{status}} += 0
            for 'v90', 'a1';
    }
}
is(join(' ', grep { !/^(200|404|422)$/ } keys %answers), '',
    'each is played or refused: ' . join ', ',
    map { "$answers{$_} x $_" } sort keys %answers);
cmp_ok($answers{422}, '>', 20, 'most are refused');

# --- a file that is replaced -------------------------------------------------

rename "$films/a b/first.mp4", "$films/old.mp4" or die;
film("$films/new.mp4", '-t', 6);
rename "$films/new.mp4", "$films/late.mp4" or die;
wait_for(sub {
    my ($now) = http($t, 'GET', '/films/late.mp4/master.m3u8')->{body}
        =~ /v90~(\w{10})/;
    return $now ne $hash;
}, 'the new one is seen');
has_status(http($t, 'GET', "/films/late.mp4/v90~$hash/0.m4s"), 404,
    'NOT_FOUND', 'segments of the old one are gone');
is(stream("$base/films/late.mp4/master.m3u8", 'v'),
    stream("$films/late.mp4", 'v'), 'and the new one plays');
unlike($t->log, qr/\[(alert|crit)\]/, 'nothing alarming in the log');

done_testing;
