#!/usr/bin/perl

# reel_play_files: a film of 25 h with 33 tracks in 10 GB, of which nearly all
# is holes: sizes and times of 64 bits, edit lists, and a last segment that
# costs what the first one does, here and behind another server.

use strict;
use warnings;
use lib 't/lib';
use Film qw(film);
use Reel;
use Test::More;
use Time::HiRes qw(sleep);

use constant { HOURS => 25, TRACKS => 33, PICTURE => 50_000, SOUND => 2_000,
    STRIDE => 700_000, CHUNK => 6 };    # samples, of a second each

my $far = Reel::free_port();
my $t = Reel->new(idle => 1, zone => 0, http => "
    reel_zone films:192m;
    log_format far '\$http_range';
    server { listen 127.0.0.1:$far; root FAR; access_log FAR.log far; }",
    conf => "
    location /films/ { alias FAR/; reel_play_files; }
    location /far/ { reel_play_files; reel_play_upstream /inner/; }
    location /inner/ { internal; proxy_pass http://127.0.0.1:$far/;
        proxy_set_header Connection \"\"; proxy_http_version 1.1; }");
my $dir = "$t->{dir}/far";
mkdir $dir or die $!;
$t->{o}{$_} =~ s/FAR/$dir/g for 'conf', 'http';

# --- the maker -----------------------------------------------------------------

# descriptions of samples are a real encoder's
my $real = slurp(film("$t->{dir}/real.mp4", qw(-f lavfi -i
    testsrc2=size=160x90:rate=10:duration=1 -f lavfi -i
    sine=frequency=440:sample_rate=48000:duration=1 -c:v libx264 -preset
    ultrafast -pix_fmt yuv420p -c:a aac)));
my @stsd;
for (my $at = 0; ($at = index $real, 'stsd', $at) >= 0; $at++) {
    push @stsd, substr $real, $at - 4, unpack 'N', substr $real, $at - 4, 4;
}

sub box { my ($type, @in) = @_; my $in = join '', @in;
    return pack('N', 8 + length $in) . $type . $in }
sub full { my ($type, $flags, @in) = @_;
    return box($type, pack('N', $flags), @in) }

use constant V1 => 1 << 24;
my $matrix = pack 'N9', 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000;

# track n, from 0, of so many chunks; its samples have one size
sub trak {
    my ($n, $chunks, $first) = @_;
    my ($scale, $size, $at) = $n ? (48_000, SOUND, CHUNK * PICTURE
        + ($n - 1) * CHUNK * SOUND) : (90_000, PICTURE, 0);
    my $count = $chunks * CHUNK;
    return box('trak',
        full('tkhd', V1 | 3, pack('Q>Q>NNQ>', 0, 0, $n + 1, 0, $count * 1000),
            "\0" x 16, $matrix, pack 'NN', $n ? (0, 0) : (160 << 16, 90 << 16)),
        # the second sound begins half a second late
        box('edts', full('elst', V1, $n == 2
            ? pack('NQ>q>NQ>q>N', 2, 500, -1, 1 << 16, $count * 1000, 0, 1 << 16)
            : pack('NQ>q>N', 1, $count * 1000, 0, 1 << 16))),
        box('mdia',
            full('mdhd', V1, pack 'Q>Q>NQ>nn', 0, 0, $scale, $count * $scale,
                0x15c7, 0),
            full('hdlr', 0, "\0\0\0\0", $n ? 'soun' : 'vide', "\0" x 13),
            box('minf', $n ? full('smhd', 0, "\0" x 4)
                    : full('vmhd', 1, "\0" x 8),
                box('dinf', full('dref', 0, pack('N', 1), full('url ', 1))),
                box('stbl', $stsd[$n ? 1 : 0],
                    full('stts', 0, pack 'NNN', 1, $count, $scale),
                    $n ? () : full('stss', 0, pack 'N*', $chunks,
                        map { $_ * CHUNK + 1 } 0 .. $chunks - 1),
                    full('stsc', 0, pack 'N4', 1, 1, CHUNK, 1),
                    full('stsz', 0, pack 'NN', $size, $count),
                    full('co64', 0, pack 'NQ>*', $chunks,
                        map { $first + $at + $_ * STRIDE }
                        0 .. $chunks - 1)))));
}

# moov behind an mdat of a size of 64 bits; marks: bytes at places of it
sub large {
    my ($path, $tracks, $chunks, %marks) = @_;
    my $ftyp = box('ftyp', 'isom', "\0\0\0\1", 'isom');
    my $first = length($ftyp) + 16;
    my $end = $first + $chunks * STRIDE;
    open my $out, '>:raw', $path or die $!;
    print $out $ftyp, pack 'Na4Q>', 1, 'mdat', 16 + $chunks * STRIDE;
    for (keys %marks) {
        seek $out, $first + $_, 0 or die $!;
        print $out $marks{$_};
    }
    seek $out, $end, 0 or die $!;
    my $moov = box('moov',
        full('mvhd', V1, pack('Q>Q>NQ>N', 0, 0, 1000, $chunks * CHUNK * 1000,
            0x10000), pack('n', 0x100), "\0" x 10, $matrix, "\0" x 24,
            pack 'N', $tracks + 1),
        map { trak($_, $chunks, $first) } 0 .. $tracks - 1);
    print $out $moov;
    close $out or die $!;
    return length $moov;
}

my $chunks = HOURS * 3600 / CHUNK;
my $last = ($chunks - 1) * STRIDE;
my $sound = CHUNK * PICTURE + 31 * CHUNK * SOUND;   # of the last track
my $moov = large("$dir/large.mp4", TRACKS, $chunks, 0 => 'first picture',
    $last => 'last picture', $sound => 'first sound',
    $last + $sound => 'last sound');
large("$dir/many.mp4", 65, 2);
cmp_ok(-s "$dir/large.mp4", '>', 2 ** 33, 'it has over 8 GiB');
cmp_ok((stat "$dir/large.mp4")[12] * 512, '<', 2 ** 25, '… of holes');
$t->nginx_start;

# --- it plays ------------------------------------------------------------------

sub asked {
    my $in = -e "$dir.log" ? slurp("$dir.log") : '';
    spew("$dir.log", '');
    return grep { !/bytes=0-1$|^-$/ } split /\n/, $in;
}

# what the worker has read by itself since it began: bytes, calls
sub has_read {
    my ($pid) = $t->workers;
    open my $in, '<', "/proc/$pid/io" or return (0, 0);
    my %n = map { /(\w+): (\d+)/ } <$in>;
    return @n{qw(rchar syscr)};
}

# where the samples begin, and what the tfdt says
sub parts {
    my ($x) = @_;
    my $at = index($x->{body}, 'mdat') + 4;
    my $tfdt = index $x->{body}, 'tfdt';
    return (substr($x->{body}, $at), $tfdt < 0 ? -1 : unpack 'Q>',
        substr $x->{body}, $tfdt + 8, 8);
}

for my $base ('/films', '/far') {
    my $film = "$base/large.mp4";
    my ($before) = has_read();
    my $master = http($t, 'GET', "$film/master.m3u8", secs => 20);
    has_status($master, 200, undef, "$base: it plays");
    is(scalar(asked()), $base eq '/far' ? 2 : 0, '… requests for its index');
    my ($after) = has_read();
    cmp_ok($after - $before, '<', $moov + 2 ** 20, "… of a moov of $moov bytes")
        if $base eq '/films';
    is(scalar(() = $master->{body} =~ /TYPE=AUDIO/g), 32, '… 32 sounds');
    my $list = http($t, 'GET', "$film/v90/media.m3u8")->{body};
    is(scalar(() = $list =~ /^#EXTINF:6\.0+,/mg), $chunks,
        '… as many segments as chunks');
    is(http($t, 'GET', "$film/manifest.mpd", secs => 20)->{status}, 200,
        '… as DASH');
    asked();

    for (['v90', PICTURE, 'picture', 90_000], ['a32', SOUND, 'sound', 48_000])
    {
        my ($name, $size, $mark, $scale) = @$_;
        # what a worker does but once, and what a second's look takes
        http($t, 'GET', "$film/$name/$_.m4s") for 1, $chunks - 2;
        my (@read, @calls);
        for my $n (0, $chunks - 1) {
            my @before;
            my ($bytes, $calls, $asked, $x) = (2 ** 60, 2 ** 60, 2 ** 60);
            for (1 .. 3) {      # a second may end in one of them
                asked();
                @before = has_read();
                $x = http($t, 'GET', "$film/$name/$n.m4s");
                my @after = has_read();
                $bytes = $after[0] - $before[0]
                    if $after[0] - $before[0] < $bytes;
                $calls = $after[1] - $before[1]
                    if $after[1] - $before[1] < $calls;
                my $did = asked();
                $asked = $did if $did < $asked;
            }
            is($asked, 1, "$name: requests for segment $n")
                if $base eq '/far';
            my ($body, $tfdt) = parts($x);
            like($body, $n ? qr/^last $mark\0/ : qr/^first $mark\0/,
                "$film/$name: segment $n");
            is(length $body, CHUNK * $size, '… of all its samples');
            is($tfdt, $n * CHUNK * $scale, '… at its time');
            push @read, $bytes;
            push @calls, $calls;
        }
        SKIP: {
            skip 'what a process reads is not told', 2 if !$read[0];
            cmp_ok(abs($read[1] - $read[0]), '<', 4096,
                "$film/$name: the last one reads $read[1] bytes, the first "
                . $read[0]);
            cmp_ok(abs($calls[1] - $calls[0]), '<', 64,
                "… in $calls[1] calls, and $calls[0]");
        }
    }
}

# an edit list that delays
my ($one, $two) = map { (parts(http($t, 'GET', "/films/large.mp4/$_/1.m4s")))[1] }
    'a1', 'a2';
is($two - $one, 24_000, 'half a second late by its edit list');

has_status(http($t, 'GET', '/films/many.mp4/master.m3u8'), 422, 'BAD_FILE',
    '65 tracks');
like($t->log, qr/many\.mp4" cannot be played: [^\n]*offset \d+/, '… is logged');
unlike($t->log, qr/\[(alert|crit|emerg)\]/, 'nothing alarming in the log');
done_testing;
