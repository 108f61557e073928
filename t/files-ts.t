#!/usr/bin/perl

# reel_play_files with reel_hls_segments ts: transport streams of plain files,
# whose sound lies between the pictures.

use strict;
use warnings;
use lib 't/lib';
use Rates;
use Reel;
use Test::More;

my $t = Reel->new(conf => 'location /films/ { alias FILMS/; reel_play_files;
    reel_hls_segments ts; }', idle => 1);
my $films = "$t->{dir}/films";
mkdir $films or die;
$t->{o}{conf} =~ s/FILMS/$films/;

# sound ends 7 s early: there are segments of none
sub film {
    my ($to, @more) = @_;
    system('ffmpeg', qw(-v error -nostdin -y -f lavfi -i
        testsrc2=size=160x90:rate=10:duration=14 -f lavfi -i
        sine=frequency=440:sample_rate=48000:duration=7 -preset ultrafast -g 20
        -bf 2 -pix_fmt yuv420p -c:a aac -b:a 64k), @more, $to) == 0
        or die 'ffmpeg';
}
film("$films/plain.mp4", '-c:v', 'libx264');
film("$films/fragments.mp4", qw(-c:v libx264 -movflags
    frag_keyframe+empty_moov));
film("$films/vp9.mp4", qw(-c:v libvpx-vp9 -cpu-used 8 -deadline realtime));

# of the lowest rates, where headers weigh most; a still one, all small pictures
sub low {
    my ($to, $picture, $kbps, $sound) = @_;
    system('ffmpeg', qw(-v error -nostdin -y -f lavfi -i), $picture,
        qw(-f lavfi -i anoisesrc=d=24:c=pink:r=48000:a=0.3:seed=7 -c:v libx264
        -preset fast -g 60 -pix_fmt yuv420p), '-b:v', "${kbps}k", '-maxrate',
        "${kbps}k", '-bufsize', (2 * $kbps) . 'k', '-c:a', 'aac', '-b:a',
        "${sound}k", "$films/$to") == 0 or die 'ffmpeg';
}
my $moving = 'testsrc2=size=320x180:rate=30:duration=24';
low('low60.mp4', $moving, 60, 32);
low('low150.mp4', $moving, 150, 64);
low('low400.mp4', $moving, 400, 128);
low('still.mp4', 'color=c=blue:size=320x180:rate=30:duration=24', 60, 64);
$t->nginx_start;

# what is seen or heard: a digest of it, decoded
sub decoded {
    my ($in, $kind, @more) = @_;
    my $said = qx(ffmpeg -v error -nostdin -i '$in' -map 0:$kind @more -f streamhash -hash md5 -);
    return $said =~ /MD5=(\w+)/ ? $1 : "none: $said";
}

my $base = "http://127.0.0.1:$t->{port}/films";
for my $film ('plain', 'fragments') {
    my $x = http($t, 'GET', "/films/$film.mp4/v90/media.m3u8");
    is(scalar(() = $x->{body} =~ /\d+\.ts$/mg), 3, "$film: three segments")
        or diag $x->{body};
    my $m = "$base/$film.mp4/master.m3u8";
    is(decoded($m, 'v'), decoded("$films/$film.mp4", 'v'), "$film: pictures");
    like(decoded($m, 'a'), qr/^\w{32}$/, "$film: sound");
}
like(decoded("$base/plain.mp4/manifest.mpd", 'v'), qr/^\w{32}$/,
    'DASH is of CMAF');
like(http($t, 'GET', '/films/vp9.mp4/v90/media.m3u8')->{body}, qr/\.m4s/,
    'what a transport stream cannot carry comes as CMAF');

# --- BANDWIDTH covers what is sent, and is near it ----------------------------

for my $film ('low60', 'low150', 'low400', 'still') {
    for (rates($t, "/films/$film.mp4")) {
        my $over = $_->{told} / $_->{peak};
        ok($over >= 1 && $over < 1.1, "$film: BANDWIDTH")
            or diag "told $_->{told}, sent $_->{peak}";
        note sprintf '%s: %.3f of the peak, average %.3f', $film, $over,
            $_->{average_told} / $_->{average};
    }
}

# --- as a CDN's origin owes them ---------------------------------------------

my ($hash) = http($t, 'GET', '/films/plain.mp4/master.m3u8')->{body}
    =~ /v90~(\w{10})/;
my $wrong = 0;
for my $r ('v90', 'a1') {
    for my $n (0 .. 2) {
        my $url = "/films/plain.mp4/$r~$hash/$n.ts";
        my $x = http($t, 'GET', $url);
        my $h = http($t, 'HEAD', $url);
        $wrong++ if $x->{status} != 200 || length($x->{body}) % 188
            || $h->{headers}{'content-length'} != length $x->{body};
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
is($wrong, 0, 'HEAD, ranges, whole packets');
is(length http($t, 'GET', "/films/plain.mp4/a1~$hash/2.ts")->{body}, 2 * 188,
    'a segment without sound is of tables');

unlike($t->log, qr/\[(alert|crit|error)\]/, 'nothing alarming in the log');
done_testing;
