#!/usr/bin/perl

# reel_manifest_cache: what was printed is kept beside its index, and goes
# with it.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use IO::Uncompress::Gunzip qw(gunzip);
use Reel;
use Test::More;
use Time::HiRes qw(sleep);

my $status = 'add_header X-Kept $reel_manifest_cache_status always;';
my $t = Reel->new(workers => 2, conf => "$status
    location /play/ { reel_play; }
    location /anew/ { reel_play; reel_manifest_cache off; }");

sub get {
    my ($nginx, $url, $gzip) = @_;
    my $x = http($nginx, 'GET', $url, headers => $gzip
        ? { 'Accept-Encoding' => 'gzip' } : {});
    $x->{kept} = $x->{headers}{'x-kept'} // 'none';
    gunzip(\(my $z = $x->{body}), \$x->{body}) if $gzip;
    return $x;
}

# the same as without the cache
sub anew {
    my ($url) = @_;
    $url =~ s{^/play}{/anew};
    return get($t, $url)->{body};
}

my $a = Asset->new($t, fragments => 30);
my @urls = map { $a->url(@$_) } ['master.m3u8'], ['manifest.mpd'],
    ['media.m3u8', 'v720'], ['media.m3u8', 'v720', 3],
    ['media.m3u8', 'v720', 1], ['media.m3u8', 'a128', 3];
for my $gzip (0, 1) {
    for my $url (@urls) {
        my $x = get($t, $url, $gzip);
        is($x->{kept}, 'MISS', "$url, gzip $gzip: printed");
        is($x->{body}, anew($url), "  as without a cache");
        for (1 .. 4) {
            my $y = get($t, $url, $gzip);
            is("$y->{kept} " . ($y->{body} eq $x->{body}), 'HIT 1',
                '  then kept, for all workers');
        }
    }
}
is(get($t, $a->url('0.m4s', 'v720'))->{kept}, 'none', 'nothing of segments');
(my $off = $urls[0]) =~ s{^/play}{/anew};
is(get($t, $off)->{kept}, 'MISS', 'off') for 1 .. 2;

# the index is only looked at again: its manifests stay
sleep 1.1;
is(get($t, $urls[0])->{kept}, 'HIT', 'the same index a second later');

# a new one: nothing of the old
my $old = get($t, $urls[0])->{body};
$a->make(fragments => 30, publication => 2);
wait_for(sub { get($t, $urls[0])->{body} ne $old }, 'it is followed', 5);
for my $url ($a->url('master.m3u8'), $a->url('media.m3u8', 'v720')) {
    is(get($t, $url)->{body}, anew($url), "$url: of the new index");
    unlike(get($t, $url)->{body}, qr/$1/, 'nothing of the old')
        if $old =~ /(~[0-9a-f]{10})/;
}
is(get($t, $urls[3])->{status}, 404, 'the old version is gone');

# growing: each index has its own
my $g = Asset->new($t, fragments => 20, published => 4, growing => 1);
for my $n (4, 7, 11, 20) {
    $g->make(fragments => 20, published => $n, growing => $n < 20 ? 1 : 0);
    my $url = $g->url('media.m3u8', 'v720', 1);
    wait_for(sub { $n == (() = get($t, $url)->{body} =~ /\.m4s$/mg) },
        "$n segments", 5);
    is(get($t, $url)->{body}, anew($url), "growing, $n: kept as printed");
}

# reload, and workers that die
http($t, 'GET', $a->url('master.m3u8'));
my %before = map { $_ => 1 } $t->workers;
$t->reload;
wait_for(sub { 2 == grep { !$before{$_} } $t->workers }, 'new workers');
is(get($t, $a->url('master.m3u8'))->{kept}, 'HIT', 'kept over a reload');
kill 'KILL', $t->workers;
wait_for(sub { my $y = eval { get($t, $a->url('master.m3u8')) };
    $y && $y->{status} == 200 }, 'new workers serve');
is(get($t, $a->url('master.m3u8'))->{kept}, 'HIT',
    'after SIGKILL of the workers');

# deleted: at once no more
spew($a->file('tombstone'), '{}');
wait_for(sub { get($t, $a->url('master.m3u8'))->{status} == 410 },
    'deleted', 5);
undef $t;

# more forms of an asset than are kept, and a zone that holds few of them
$t = Reel->new(zone => 0, http => 'reel_zone small:512k;', conf => "$status
    location /play/ { reel_play; }
    location /anew/ { reel_play; reel_manifest_cache off; }");
my $m = Asset->new($t, fragments => 40, renditions =>
    [map { ("v$_:video:3000", "a$_:audio:500") } 1 .. 8]);
my @forms = map { my $r = $_; map { [$m->url('media.m3u8', $r, $_), 0],
    [$m->url('media.m3u8', $r, $_), 1] } undef, 3, 1 } sort keys
    %{ $m->{fragment} };
my ($wrong, %how) = (0);
for my $round (1 .. 2) {
    for my $f (@forms) {
        my $x = get($t, @$f);
        $wrong++ if $x->{body} ne anew($f->[0]);
        $how{$x->{kept}}++;
        $wrong++ if get($t, @$f)->{kept} ne 'HIT';
    }
}
is($wrong, 0, '96 forms, twice: all right, and kept while they are asked for');
is($how{MISS}, 192, 'what was used longest ago made room');

my @many = map { Asset->new($t, fragments => 60, poster => 0,
    renditions => ['v720:video:1000', 'a64:audio:300']) } 1 .. 25;
%how = ();
for my $round (1 .. 3) {
    for my $asset (@many) {
        for my $url ($asset->url('master.m3u8'), $asset->url('manifest.mpd'),
            map { $asset->url('media.m3u8', $_, 3) } 'v720', 'a64')
        {
            my $x = get($t, $url, $round == 2);
            $wrong++ if $x->{body} ne anew($url);
            $how{get($t, $url, $round == 2)->{kept}}++;
        }
    }
}
is($wrong, 0, '25 assets in a small zone: all right');
cmp_ok($how{HIT}, '>', 250, 'the last one is kept') or diag explain \%how;
unlike($t->log, qr/\[(error|crit|alert|emerg)\]/, 'nothing logged');

done_testing;
