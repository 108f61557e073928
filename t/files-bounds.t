#!/usr/bin/perl

# reel_play_files: many who ask at once, indexes too large for the zone, and
# segments of thousands of pictures.

use strict;
use warnings;
use lib 't/lib';
use IO::Socket::INET;
use Reel;
use Test::More;
use Time::HiRes qw(sleep);

my $t = Reel->new(conf => 'location /films/ { alias FILMS/; reel_play_files; }',
    zone => 0, http => 'reel_zone small:256k;', idle => 1);
my $films = "$t->{dir}/films";
mkdir $films or die;
$t->{o}{conf} =~ s/FILMS/$films/;

sub film {
    my ($to, $frames, $gop) = @_;
    system('ffmpeg', qw(-v error -nostdin -y -f lavfi -i),
        "testsrc=size=32x32:rate=500", '-frames:v', $frames, '-c:v',
        'libx264', qw(-preset ultrafast -pix_fmt yuv420p -g), $gop,
        qw(-sc_threshold 0 -keyint_min 1 -bf 2), $to) == 0 or die 'ffmpeg';
}
film("$films/long.mp4", 24000, 100000);     # 48 s, one key frame
film("$films/short.mp4", 500, 50);
spew("$films/bad.mp4", "\0" x 4096);
$t->nginx_start;

# n requests that wait in the socket before the worker sees the first
sub together {
    my ($n, $url) = @_;
    my ($pid) = $t->workers;
    kill 'STOP', $pid;
    my @s = map { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}")
        or die $! } 1 .. $n;
    print $_ "GET $url HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        for @s;
    kill 'CONT', $pid;
    my %n;
    for my $s (@s) {
        local $/;
        my $in = <$s> // '';
        $n{$in =~ m{^HTTP/1.1 (\d+)} ? $1 : 'none'}++;
    }
    return join ', ', map { "$n{$_} x $_" } sort keys %n;
}

my $times = sub { scalar(() = $t->log =~ /$_[0]/g) };
is(together(40, '/films/bad.mp4/master.m3u8'), '40 x 422',
    'all are told of a bad file');
is($times->('bad\.mp4" cannot be played'), 1, 'and it was looked at once');
has_status(http($t, 'GET', '/films/bad.mp4/master.m3u8'), 422, 'BAD_FILE',
    'known');
is($times->('bad\.mp4" cannot be played'), 1, 'for a second');
sleep 1.1;
film("$films/bad.mp4", 500, 50);
is(http($t, 'GET', '/films/bad.mp4/master.m3u8')->{status}, 200,
    'then it is looked at again');

is(together(40, '/films/short.mp4/master.m3u8'), '40 x 200',
    'all get a good one');

# --- larger than a quarter of the zone, and one segment of 24,000 pictures ---

is(together(20, '/films/long.mp4/master.m3u8'), '20 x 200',
    'an index that has no room in the zone');
for (1 .. 2) {
    is(http($t, 'GET', '/films/long.mp4/v32/0.m4s')->{status}, 200,
        'is made when it is needed');
    sleep 1.1;
}
is($times->('over a quarter of the zone "small"'), 1, 'which is told once');

my $url = "http://127.0.0.1:$t->{port}/films/long.mp4/master.m3u8";
my ($ours, $theirs) = map {
    scalar qx(ffmpeg -v error -nostdin -i '$_' -c copy -f streamhash -hash md5 -)
} $url, "$films/long.mp4";
like($ours, qr/MD5=\w{32}/, 'ffmpeg reads it');
is($ours, $theirs, 'all of it');

unlike($t->log, qr/\[(alert|crit)\]/, 'nothing alarming in the log');
done_testing;
