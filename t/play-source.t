#!/usr/bin/perl

# An upload that any player takes plays from its source until the ladder comes;
# who began with it may go on.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Film qw(stream);
use JSON::PP;
use Reel;
use Test::More;
use Time::HiRes qw(sleep);

my $t = Reel->new(workers => 2, conf => '
    location /upload/ { reel_upload; }
    location /api/ { reel_api; }
    location /play/ { reel_play; add_header X-Cache $reel_cache_status always; }
    location /later/ { reel_play; reel_play_source off; }');
my $base = "http://127.0.0.1:$t->{port}";
my $made = 0;

# 8 s unless told, key frames each 2 s, the moov behind the media
sub film {
    my (@more) = @_;
    my $to = "$t->{dir}/film" . $made++ . '.mp4';
    my $s = 8;
    $s = splice @more, 0, 1 if @more && $more[0] =~ /^\d+$/;
    return Film::film($to, '-f', 'lavfi', '-i',
        "testsrc2=size=160x90:rate=10:duration=$s", '-f', 'lavfi', '-i',
        "sine=frequency=440:sample_rate=48000:duration=$s",
        qw(-c:v libx264 -preset veryfast -g 20 -bf 2 -pix_fmt yuv420p -c:a aac
        -b:a 64k), @more);
}

sub upload {
    my ($file, %query) = @_;
    my $x = http($t, 'PUT', presign($t, 'PUT', '/upload/video/f' . $made++
        . '.mp4', query => \%query), body => slurp($file));
    has_status($x, 200, undef, "upload of $file");
    return $x->{headers}{'reel-asset'};
}

sub asset {
    my ($id) = @_;
    return json(http($t, 'GET', "/api/assets/$id", headers => signed_headers(
        $t, 'GET', "/api/assets/$id"))->{body});
}

# --- nothing but the source ---------------------------------------------------

my $file = film();
my $id = upload($file);
my $x = http($t, 'GET', "/play/$id/master.m3u8");
has_status($x, 200, undef, 'plays at once');
is($x->{headers}{'cache-control'}, 'max-age=5', 'for a moment');
like($x->{body}, qr/CODECS="avc1\.\w{6},mp4a\.40\.2",RESOLUTION=160x90/,
    'codecs and size');
my ($list) = $x->{body} =~ m{^(v90~\w{10}/media\.m3u8)}m;
is(stream("$base/play/$id/$_", 'v'), stream($file, 'v'),
    "$_ has its pictures") for 'master.m3u8', 'manifest.mpd';
like(http($t, 'GET', "/play/$id/$list")->{body}, qr/EXT-X-ENDLIST/,
    'all of it');
for (1 .. 3) {                  # a second may end before one of them
    $x = http($t, 'GET', "/play/$id/master.m3u8");
    last if $x->{headers}{'x-cache'} eq 'HIT';
}
is($x->{headers}{'x-cache'}, 'HIT', 'the moov is not read again');

my $a = asset($id);
is($a->{status}, 'preparing', 'the API: it is being prepared');
ok($a->{readyToStream}, '… and can be played');
is($a->{playback}{hls}, "/play/$id/master.m3u8", '… there');

has_status(http($t, 'GET', "/play/$id/poster.jpg"), 404, 'NOT_FOUND',
    'no poster');
has_status(http($t, 'GET', "/later/$id/$_"), 503, 'PREPARING',
    "reel_play_source off: $_") for 'master.m3u8', $list;

# --- the ladder comes ----------------------------------------------------------

(my $segment = "/play/$id/$list") =~ s/media\.m3u8/0.m4s/;
my $bytes = http($t, 'GET', $segment)->{body};
cmp_ok(length $bytes, '>', 1000, 'a segment of the source');

my $ladder = Asset->new($t, id => $id, fragments => 6, growing => 1,
    published => 2);
wait_for(sub { http($t, 'GET', "/play/$id/master.m3u8")->{body} =~ /v720~/ },
    'the ladder', 3);
$x = http($t, 'GET', "/play/$id/master.m3u8");
unlike($x->{body}, qr/v90/, 'sets are not mixed');
unlike(http($t, 'GET', "/play/$id/manifest.mpd")->{body}, qr/v90/,
    'nor by DASH');
like(http($t, 'GET', "/play/$id/$list")->{body}, qr/ENDLIST/,
    'who has the source goes on with its playlist');
is(http($t, 'GET', $segment)->{body}, $bytes, '… and segments');
is(http($t, 'GET', $ladder->url('0.m4s', 'v720', 1))->{status}, 200,
    'beside those of the ladder');
(my $never = $segment) =~ s/~\w{10}/~0123456789/;
has_status(http($t, 'GET', $never), 404, 'NOT_FOUND', 'of no version');
has_status(http($t, 'GET', "/later/$id/$list"), 404, 'NOT_FOUND',
    'reel_play_source off: only the ladder');
$ladder->make(fragments => 6);
sleep 1.1;
is(http($t, 'GET', $segment)->{body}, $bytes, 'when it is complete as well');

# --- deletion -----------------------------------------------------------------

my $gone = upload($file);
has_status(http($t, 'GET', "/play/$gone/master.m3u8"), 200, undef, 'plays');
for my $d ($gone, $id) {
    has_status(http($t, 'DELETE', "/api/assets/$d", headers => signed_headers(
        $t, 'DELETE', "/api/assets/$d")), 204, undef, 'deleted');
    wait_for(sub { http($t, 'GET', "/play/$d/master.m3u8")->{status} == 410 },
        'gone', 3);
}
sleep 1.1;
has_status(http($t, 'GET', $segment), 410, 'DELETED', 'segments as well');

# --- what is left to the ladder --------------------------------------------------

for my $c (
    ['VP9', qw(-c:v libvpx-vp9 -deadline realtime)],
    ['ten bits', qw(-pix_fmt yuv420p10le)],
    ['4:4:4', qw(-pix_fmt yuv444p)],
    ['few key frames', 24, qw(-g 999 -sc_threshold 0)],
    ['other sound', qw(-c:a ac3)],
    ['HLG', qw(-x264-params transfer=arib-std-b67 -color_trc arib-std-b67)],
) {
    my ($name, @o) = @$c;
    my $i = upload(film(@o));
    has_status(http($t, 'GET', "/play/$i/master.m3u8"), 503, 'PREPARING',
        $name) for 1, 2;
    ok(!asset($i)->{readyToStream}, "$name: and so the API says");
}
my $turned = "$t->{dir}/turned.mp4";
my $bits = slurp($file);
substr($bits, index($bits, 'tkhd') + 4 + 40, 20) =
    pack 'N5', 0, 0x10000, 0, 0xffff0000, 0;
spew($turned, $bits);
my $i = upload($turned);
has_status(http($t, 'GET', "/play/$i/master.m3u8"), 503, 'PREPARING',
    'turned');
$i = upload($file, 'reel-max-duration' => 7);
has_status(http($t, 'GET', "/play/$i/master.m3u8"), 503, 'PREPARING',
    'longer than was signed for');
$i = upload($file, 'reel-max-duration' => 8);
has_status(http($t, 'GET', "/play/$i/master.m3u8"), 200, undef,
    'as long as was signed for');
$i = upload($0);
has_status(http($t, 'GET', "/play/$i/master.m3u8"), 503, 'PREPARING',
    'no film');
$i = upload(film('-vn'));
has_status(http($t, 'GET', "/play/$i/master.m3u8"), 200, undef,
    'sound alone');

is(scalar(() = $t->log =~ /\[(?:error|crit|alert|emerg)\]/g), 0,
    'no errors in the log');

done_testing();
