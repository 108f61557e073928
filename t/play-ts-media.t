#!/usr/bin/perl

# Other programs find in transport streams what lies in the CMAF: the same
# packets, at the same times, without a word of complaint.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Film;
use Reel;
use Test::More;

plan skip_all => 'no ffmpeg' if system('ffmpeg -version >/dev/null 2>&1');

my $t = Reel->new(conf => '
    location /play/ { reel_play; }
    location /ts/ { reel_play; reel_hls_segments ts; }');
my $d = $t->{dir};
my $id = Asset::new_id();
(my $tool = $Asset::TOOL) =~ s/mkasset$/mkremux/;

# B-frames, small pictures of a still, sound of its own rhythm
my @frag = ('-movflags', '+frag_every_frame+empty_moov+default_base_moof'
    . '+negative_cts_offsets');
sub run { my ($c) = @_; my $o = `$c 2>&1`; die "$c: $o" if $?; return $o; }
film("$d/v.mp4", qw(-f lavfi -i testsrc2=s=320x180:r=25:d=10 -c:v libx264
    -preset veryfast -bf 2 -g 50 -keyint_min 50 -sc_threshold 0), @frag);
film("$d/a.mp4", qw(-f lavfi -i sine=r=44100:d=10 -c:a aac -b:a 64k), @frag);
run("$tool $d/store $id 5 v=$d/v.mp4 a=$d/a.mp4");

sub fetch {
    my ($path) = @_;
    my $x = http($t, 'GET', $path);
    is($x->{status}, 200, $path) or diag $x->{body};
    return $x->{body};
}

sub packets {
    my ($file, $options) = @_;
    return run("ffmpeg -v warning -copyts -i $file -map 0 -c copy $options "
        . "-f streamhash -hash md5 -");
}

# in decoding order
sub stamps {
    my ($file) = @_;
    return map { /^0, +-?\d+, +(-?\d+),/ ? $1 : () } split /\n/,
        run("ffmpeg -v error -copyts -i $file -map 0 -c copy -f framemd5 -");
}

my $master = fetch("/ts/$id/master.m3u8");
unlike($master, qr/init|m4s/, 'nothing of CMAF in the playlist');

for my $r ('v', 'a') {
    my ($name) = $master =~ m{($r~[0-9a-f]+)/media\.m3u8};
    my $list = fetch("/ts/$id/$name/media.m3u8");
    unlike($list, qr/EXT-X-MAP/, 'no EXT-X-MAP');
    my @n = $list =~ /^(\d+\.ts)$/mg;
    is(scalar @n, 2, 'two segments');
    spew("$d/$r.ts", join '', map { fetch("/ts/$id/$name/$_") } @n);
    spew("$d/$r.cmaf", join '', map { fetch("/play/$id/$r/$_") }
        'init.mp4', '0.m4s', '1.m4s');

    my $video = $r eq 'v';
    my $want = packets("$d/$r.cmaf", $video
        ? '-bsf:v h264_mp4toannexb,filter_units=remove_types=7-9' : '');
    like($want, qr/^0,$r,MD5=[0-9a-f]{32}$/m, 'the packets of CMAF');
    is(packets("$d/$r.ts", $video ? '-bsf:v filter_units=remove_types=7-9'
        : '-bsf:a aac_adtstoasc'), $want, 'the same packets, no complaint');

    my $scale = $video ? run("ffprobe -v error -show_entries "
        . "stream=time_base -of csv=p=0 $d/$r.cmaf") =~ m{1/(\d+)} && $1
        : 44100;
    my (@cmaf, @ts);
    @cmaf = stamps("$d/$r.cmaf");
    @ts = stamps("$d/$r.ts");
    is(scalar @ts, scalar @cmaf, 'as many');
    # of CMAF, ffmpeg shows the whole track late by its reordering
    is($ts[0], 900000, 'timeline 0 is 10 s');
    my @off = grep { abs($ts[$_] - $ts[0]
        - ($cmaf[$_] - $cmaf[0]) * 90000 / $scale) > 2 } 0 .. $#ts;
    is(scalar @off, 0, 'the same times');
    is(run("ffmpeg -v warning -i $d/$r.ts -f null -"), '', 'decoded');
}

is(run("ffmpeg -v warning -i http://127.0.0.1:$t->{port}/ts/$id/master.m3u8 "
    . '-map 0 -c copy -f null -'), '', 'played by its master playlist');

done_testing;
