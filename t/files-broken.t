#!/usr/bin/perl

# reel_play_files: a corpus of broken files, one damage each. Each is refused
# with one line in the log that names a box and an offset, or plays when
# nobody needs what is damaged.

use strict;
use warnings;
use lib 't/lib';
use Reel;
use Test::More;

my $t = Reel->new(conf => 'location /films/ { alias FILMS/; reel_play_files; }',
    idle => 1);
my $films = "$t->{dir}/films";
mkdir $films or die;
$t->{o}{conf} =~ s/FILMS/$films/;

my @make = qw(ffmpeg -v error -nostdin -y -f lavfi -i
    testsrc2=size=160x90:rate=10:duration=4 -f lavfi -i
    sine=frequency=440:sample_rate=48000:duration=4 -c:v libx264 -preset
    ultrafast -g 20 -bf 2 -pix_fmt yuv420p -c:a aac);
my %good;
for my $c (['plain', 'mp4', '-movflags', '+faststart'], ['quick', 'mov'],
    ['moofs', 'mp4', '-movflags', '+frag_keyframe+empty_moov+default_base_moof'],
    ['sidx', 'mp4', '-movflags', '+cmaf+dash+global_sidx'])
{
    my ($name, $suffix, @more) = @$c;
    system(@make, @more, "$films/$name.$suffix") == 0 or die 'ffmpeg';
    $good{$name} = slurp("$films/$name.$suffix");
}
$t->nginx_start;

# where the nth box of that type begins
sub box {
    my ($bytes, $type, $n) = @_;
    my $at = -1;
    $at = index $bytes, $type, $at + 1 for 0 .. $n // 0;
    die "no $type" if $at < 4;
    return $at - 4;
}

# file, box, which; where in it (0: its size), what; 1: it may play
my @words = ("\xff\xff\xff\xff", "\0\0\0\0");
my @cases = (
    # the boxes of a moov: too long, or too short for what they have
    (map { ['plain', $_, 0, 0, "\xff\xff\xff\xff"] } qw(moov mvhd trak tkhd
        edts elst mdia mdhd hdlr minf stbl stsd avcC stts ctts stss stsc
        stsz stco mp4a esds)),
    (map { ['plain', $_, 0, 0, "\0\0\0\x0a"] } qw(tkhd elst mdhd hdlr stsd
        stts ctts stss stsc stsz stco)),
    ['plain', 'avc1', 1, 0, "\xff\xff\xff\xff"],    # 0 is ftyp's
    # counts that no table has
    ['plain', 'elst', 0, 12, "\xff\xff\xff\xff", 1],   # the first is enough
    (map { ['plain', $_, 0, 12, "\xff\xff\xff\xff"] } qw(stts ctts stss
        stsc stco)),
    ['plain', 'stsz', 0, 16, "\xff\xff\xff\xff"],
    ['plain', 'mvhd', 0, 20, "\0\0\0\0"],       # timescales
    ['plain', 'mdhd', 0, 20, "\0\0\0\0"],
    ['plain', 'tkhd', 0, 20, "\0\0\0\0"],       # track 0
    ['plain', 'hdlr', 0, 16, 'soun'],           # pictures as sound
    ['plain', 'stsc', 0, 16, "\0\0\0\x05"],     # does not begin with 1
    ['plain', 'stsc', 0, 20, "\0\0\0\0"],       # no samples a chunk
    ['plain', 'stco', 0, 16, "\xff\xff\xff\xff"],
    ['plain', 'stsz', 0, 20, "\xff\xff\xff\xff"],
    ['plain', 'avcC', 0, 8, "\0" x 8],
    ['plain', 'esds', 0, 12, "\x03\xff\xff\xff\x7f"],
    ['plain', 'trak', 0, 4, 'skip', 1],
    ['plain', 'udta', 0, 8, "\xff" x 8, 1],
    # QuickTime's
    ['quick', 'wave', 0, 0, "\xff\xff\xff\xff"],
    ['quick', 'esds', 0, 0, "\xff\xff\xff\xff"],
    ['quick', 'esds', 0, 12, "\x03\xff\xff\xff\x7f"],
    ['quick', 'wave', 0, 4, 'evaw'],
    ['quick', 'mp4a', 0, 16, "\0\x07", 1],      # version 7
    ['quick', 'frma', 0, 8, 'nope', 1],
    # fragments
    ['moofs', 'moof', 0, 0, "\xff\xff\xff\xff"],
    ['moofs', 'moof', 0, 0, "\0\0\0\x07"],
    (map { ['moofs', $_->[0], 0, 0, $_->[1]] } map { my $b = $_;
        map { [$b, $_] } @words, "\0\0\0\x0a" } qw(traf tfhd tfdt trun)),
    ['moofs', 'mvex', 0, 0, "\xff\xff\xff\xff"],
    ['moofs', 'trex', 0, 0, "\0\0\0\x0c"],
    ['moofs', 'tfdt', 0, 12, "\xff" x 8],
    ['moofs', 'trun', 0, 12, "\xff\xff\xff\xff"],
    ['moofs', 'trun', 0, 16, "\x7f\xff\xff\xff"],   # behind the file
    ['moofs', 'trun', 0, 16, "\x80\0\0\0"],         # before it
    ['moofs', 'trun', 0, 9, "\0\0\0", 1],           # of no fields at all
    ['moofs', 'tfhd', 0, 9, "\0\0\x01"],            # from wherever
    ['moofs', 'tfhd', 0, 12, "\0\0\0\x63", 1],      # another track's
    ['moofs', 'moof', 1, 0, "\xff\xff\xff\xff", 1], # behind one that is whole
    ['moofs', 'mfra', 0, 0, "\xff\xff\xff\xff", 1],
    ['moofs', 'tfra', 0, 8, "\xff" x 16, 1],
    ['moofs', 'mdat', 1, 0, "\xff\xff\xff\xff", 1],
    ['moofs', 'mfhd', 0, 8, "\xff" x 8, 1],
    ['sidx', 'sidx', 0, 0, "\xff\xff\xff\xff"],
    ['sidx', 'sidx', 0, 8, "\xff" x 24, 1],
    ['sidx', 'sidx', 0, 4, 'moov'],                 # a second one
);

my ($n, %answers, @wrong) = (0);
for my $c (@cases) {
    my ($from, $box, $which, $at, $what, $plays) = @$c;
    my $bad = $good{$from};
    substr($bad, box($bad, $box, $which) + $at, length $what) = $what;
    my $name = sprintf 'b%03d-%s-%d', $n++, $box, $at;
    spew("$films/$name.mp4", $bad);
    my $x = http($t, 'GET', "/films/$name.mp4/master.m3u8");
    $answers{$x->{status}}++;
    push @wrong, "$name (" . unpack('H*', $what) . "): $x->{status}"
        if $x->{status} != 422 && !($plays && $x->{status} == 200);
    next if $x->{status} != 200;
    http($t, 'GET', "/films/$name.mp4/$_/0.m4s") for 'v90', 'a1';
}
cmp_ok($n, '>=', 80, "$n of them: " . join ', ',
    map { "$answers{$_} x $_" } sort keys %answers);
is(join("\n", @wrong), '', 'each is refused, or plays without what it lacks');

my %lines;
my $log = $t->log;
$lines{$1}{$2}++ while $log
    =~ /films\/(b\d+)\S*\.mp4" cannot be played: ([^\n]*?near offset \d+)\)/g;
is(scalar keys %lines, $answers{422}, 'each refused one is in the log');
is(join("\n", map { "$_: " . join '; ', keys %{ $lines{$_} } }
    grep { keys %{ $lines{$_} } != 1 || (values %{ $lines{$_} })[0] != 1 }
    sort keys %lines), '', 'by one line');
my $named = join '|', qw(moov mvhd trak tkhd edts elst mdia mdhd hdlr minf
    stbl stsd stts ctts stss stsc stsz stco mp4a esds avcC avc1 moof traf tfhd
    tfdt trun mvex trex);
is(join("\n", grep { !/^($named)\b|^a box at the top|^there is no moov/ }
    map { keys %$_ } values %lines), '', 'that names the box');
unlike($t->log, qr/\[(alert|crit)\]/, 'nothing alarming in the log');

done_testing;
