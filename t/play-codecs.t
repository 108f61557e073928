#!/usr/bin/perl

# Every codec that goes through the packager: other programs' fMP4 as an
# asset, its CODECS in both manifests, and whole decoding of HLS and DASH.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Film;
use Reel;
use Test::More;

my $t = Reel->new(conf => 'location /play/ { reel_play; }
    location /ts/ { reel_play; reel_hls_segments ts; }');
my $tool = $ENV{REEL_MKREMUX} || "$Reel::TOP/build/tests/tools/mkremux";
my $n = 0;

my $x265 = 'log-level=error:scenecut=0:open-gop=0:keyint=48:min-keyint=48';
my $hdr = '-pix_fmt yuv420p10le -color_primaries bt2020 -colorspace bt2020nc';
my @key = qw(-g 48 -keyint_min 48);
my %video = (
    hevc => [qw(-pix_fmt yuv420p -c:v libx265 -preset ultrafast), @key,
        '-x265-params', $x265, qw(-tag:v hvc1)],
    hevc10 => [split(/ /, $hdr), qw(-color_trc smpte2084 -c:v libx265
        -preset ultrafast), @key, '-x265-params', $x265, qw(-tag:v hvc1)],
    av1 => [split(/ /, $hdr), qw(-color_trc arib-std-b67 -c:v libsvtav1
        -preset 12), @key],
    avc => [qw(-pix_fmt yuv420p -c:v libx264 -preset ultrafast), @key],
    vp9 => [qw(-pix_fmt yuv420p -c:v libvpx-vp9 -deadline realtime
        -cpu-used 8 -b:v 200k), @key],
);
my %audio = (
    heaac => [qw(-ar 24000 -ac 2 -c:a aac)],
    aac => [qw(-ac 2 -c:a aac)],
    opus => [qw(-ac 2 -c:a libopus)],
    ac3 => [qw(-ac 2 -c:a ac3 -b:a 192k)],
    eac3 => [qw(-ac 6 -c:a eac3 -b:a 256k)],
    flac => [qw(-ac 2 -c:a flac -strict -2)],
);

sub encoders {
    my $all = `ffmpeg -v error -encoders`;
    return !grep { $all !~ /\s\Q$_\E\s/ } @_;
}

plan skip_all => 'this ffmpeg lacks an encoder'
    if !encoders(qw(libx265 libsvtav1 libvpx-vp9 libopus ac3 eac3 flac));

sub made {
    my ($name) = @_;
    my $fragments = '+cmaf+default_base_moof+delay_moov';
    return film("$t->{dir}/$name.mp4", $video{$name}
        ? ('-f', 'lavfi', '-i', 'testsrc2=size=192x108:rate=24:duration=4',
            @{ $video{$name} }, '-movflags', "$fragments+frag_keyframe")
        : ('-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=4',
            @{ $audio{$name} }, '-movflags', $fragments, '-frag_duration',
            1000000));
}

# there is no free encoder of it: the core is AAC-LC, and its configuration
# says that SBR follows (of which a decoder finds nothing)
sub signal_sbr {
    my ($path) = @_;
    my $bytes = slurp($path);
    die 'no AudioSpecificConfig' if $bytes !~ s/\x13\x10\x56\xe5\x00/\x13\x10\x56\xe5\x98/;
    spew($path, $bytes);
}

# frames of a stream, and what the decoder complains of
sub decoded {
    my ($url, $kind) = @_;
    my $out = `ffprobe -v error -count_frames -select_streams $kind:0 -show_entries stream=nb_read_frames,codec_name -of csv=p=0 $url 2>&1`;
    my ($first, @more) = grep { $_ ne '' } split /\n/, $out;
    return join ' ', $first // 'nothing', grep { $_ ne $first } @more;
}

sub codecs {
    my ($v, $a, $want_v, $want_a, $range, $frames) = @_;
    my $id = Asset::new_id();
    my %path = ($v => made($v), $a => made($a));
    signal_sbr($path{$a}) if $a eq 'heaac';
    my $said = `$tool $t->{dir}/store $id 2 v=$path{$v} a=$path{$a}`;
    is($said, "codec v $want_v\ncodec a $want_a\n", "$v, $a: strings");

    my $base = "/play/$id";
    my $hls = http($t, 'GET', "$base/master.m3u8")->{body};
    my ($said_hls) = $hls =~ /CODECS="([^"]*)"/;
    is($said_hls, "$want_v,$want_a", "$v, $a: CODECS in HLS");
    is($hls =~ /VIDEO-RANGE=(\w+)/ ? $1 : 'SDR', $range, "$v: VIDEO-RANGE");

    my $mpd = http($t, 'GET', "$base/manifest.mpd")->{body};
    is(join(',', sort $mpd =~ /codecs="([^"]*)"/g),
        join(',', sort $want_v, $want_a), "$v, $a: codecs in DASH");

    for my $name (qw(master.m3u8 manifest.mpd)) {
        my $url = "http://127.0.0.1:$t->{port}$base/$name";
        like(decoded($url, 'v'), qr/^\w+,96,?$/, "$v: $name decodes");
        like(decoded($url, 'a'), qr/^\w+,$frames,?$/, "$a: $name decodes");
    }
}

# what transport streams cannot carry is left out of them, or, if that is all
# of the pictures or of the sound, comes as CMAF
sub segments {
    my ($want, @named) = @_;
    my $id = Asset::new_id();
    system($tool, "$t->{dir}/store", $id, 2, map { "$_=" . made($_) } @named)
        == 0 or die $tool;
    my $master = http($t, 'GET', "/ts/$id/master.m3u8");
    is($master->{status}, 200, "@named: plays with reel_hls_segments ts");
    my ($list) = $master->{body} =~ m{^((?:\w+~[0-9a-f]+)/media\.m3u8)$}m;
    my $media = http($t, 'GET', "/ts/$id/$list")->{body};
    like($media, qr/^\d+\.$want$/m, "@named: $want") or diag $media;
    my $url = "http://127.0.0.1:$t->{port}/ts/$id/master.m3u8";
    like(decoded($url, $video{$named[0]} ? 'v' : 'a'), qr/^\w+,\d+,?$/,
        "@named: decodes");
    return $master->{body};
}

segments('m4s', 'hevc', 'aac');
segments('m4s', 'opus');
segments('ts', 'aac');
unlike(segments('ts', 'hevc', 'avc', 'aac'), qr/hvc1/,
    'of two codecs the one that fits');

codecs('hevc', 'heaac', 'hvc1.1.6.L30.90', 'mp4a.40.5', 'SDR', '9[45]');
codecs('hevc10', 'eac3', 'hvc1.2.4.L30.90', 'ec-3', 'PQ', '125');
codecs('av1', 'opus', 'av01.0.00M.10.0.110.09.18.09.0', 'opus', 'HLG',
    '20[01]');
codecs('vp9', 'flac', 'vp09.00.10.08', 'fLaC', 'SDR', '4[12]');
codecs('vp9', 'ac3', 'vp09.00.10.08', 'ac-3', 'SDR', '125');

done_testing;
