#!/usr/bin/perl

# What a master playlist says of bit rates holds for what is sent, in both
# containers, clear and encrypted (Apple's authoring rules 1.26 and 1.27:
# within 10 %).

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;

my $t = Reel->new(http => 'reel_master_keys master.json;', conf => '
    location /play/ { reel_play; }
    location /ts/   { reel_play; reel_hls_segments ts; }
    location /cenc/ { reel_play; reel_encryption cenc; reel_key_rotation 1;
        reel_drm clearkey widevine playready; }
    location /cbcs/ { reel_play; reel_encryption cbcs; reel_key_rotation 1; }
    location /aes/  { reel_play; reel_encryption aes-128; }');

# of the lowest ladders, where headers weigh most, to 1080p
my @rungs = (18000, 36000, 91000, 250000, 1500000);
my $a = Asset->new($t, fragments => 11, renditions => [
    'a64:audio:16000:language=en', 'a32-de:audio:8000:language=de',
    map { "v$_:video:$_" } @rungs ]);

# (peak, average) of the whole segments of a playlist, in bits a second
sub measured {
    my ($list) = @_;
    (my $base = $list) =~ s{[^/]*$}{};
    my ($peak, $bytes, $time) = (0, 0, 0);
    my $text = http($t, 'GET', $list)->{body};
    while ($text =~ /^#EXTINF:([\d.]+),\n(?:#.*\n)*(\S+)$/mg) {
        my $n = length http($t, 'GET', "$base$2")->{body};
        $peak = $n * 8 / $1 if $1 > 3 && $n * 8 / $1 > $peak;
        $bytes += $n;
        $time += $1;
    }
    return ($peak, $bytes * 8 / $time);
}

sub near {
    my ($told, $is, $what) = @_;
    ok($told > 0.95 * $is && $told < 1.1 * $is, $what)
        or diag "told $told, measured $is";
}

for my $where ('play', 'ts', 'cenc', 'cbcs', 'aes') {
    my $master = http($t, 'GET', "/$where/$a->{id}/master.m3u8")->{body};
    my ($sound, $mean) = (0, 0);
    for my $uri ($master =~ /TYPE=AUDIO.*URI="([^"]+)"/g) {
        my ($p, $m) = measured("/$where/$a->{id}/$uri");
        $sound = $p if $p > $sound;
        $mean = $m if $m > $mean;
    }
    my $n = 0;
    while ($master =~ /:BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+),.*\n(v.*)/g)
    {
        my ($told, $average, $uri) = ($1, $2, $3);
        my ($p, $m) = measured("/$where/$a->{id}/$uri");
        my ($r) = $uri =~ /^(\w+)~/;
        near($told, $p + $sound, "$where $r: BANDWIDTH");
        near($average, $m + $mean, "$where $r: AVERAGE-BANDWIDTH");
        $n++;
    }
    is($n, @rungs, "$where: all rungs");
}

done_testing;
