#!/usr/bin/perl

# What a master playlist says of bit rates holds for what is sent, in both
# containers, clear and encrypted (Apple's authoring rules 1.26 and 1.27:
# within 10 %).

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Rates;
use Reel;
use Test::More;

my $t = Reel->new(http => 'reel_master_keys master.json;', conf => '
    location /play/ { reel_play; }
    location /ts/   { reel_play; reel_hls_segments ts; }
    location /cenc/ { reel_play; reel_encryption cenc; reel_key_rotation 1;
        reel_drm clearkey widevine playready; }
    location /cbcs/ { reel_play; reel_encryption cbcs; reel_key_rotation 1; }
    location /aes/  { reel_play; reel_encryption aes-128; }');

# of the lowest ladders, where headers weigh most, to 1080p.  Pictures made here
# are of one size, as no encoder's are: that of 15000 ends half way through a
# packet, as pictures do on the average.  At 18000 BANDWIDTH is 13 % too high: an
# index knows a fragment's samples and bytes, not how full their last packets
# are, so no estimate from it holds both within the bound.
my @rungs = (15000, 36000, 91000, 250000, 1500000);
my $a = Asset->new($t, fragments => 11, renditions => [
    'a64:audio:16000:language=en', 'a32-de:audio:8000:language=de',
    map { "v$_:video:$_" } @rungs ]);

sub near {
    my ($told, $is, $what) = @_;
    ok($told > 0.95 * $is && $told < 1.1 * $is, $what)
        or diag "told $told, measured $is";
}

for my $where ('play', 'ts', 'cenc', 'cbcs', 'aes') {
    my @rates = rates($t, "/$where/$a->{id}");
    is(@rates, @rungs, "$where: all rungs");
    for (@rates) {
        near($_->{told}, $_->{peak}, "$where $_->{name}: BANDWIDTH");
        near($_->{average_told}, $_->{average},
            "$where $_->{name}: AVERAGE-BANDWIDTH");
    }
}

done_testing;
