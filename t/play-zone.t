#!/usr/bin/perl

# reel_zone and the variables: hits, checks, a zone too small, none at all,
# reload, workers that share it.

# last: a deadline is measured, with slack for a busy machine

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;
use Time::HiRes qw(sleep time);

sub cache_status { return http(@_)->{headers}{'x-cache'}; }

my $t = Reel->new(workers => 2, conf => '
    location /play/ {
        reel_play;
        add_header X-Cache $reel_cache_status always;
        add_header X-What
            "$reel_asset,$reel_rendition,$reel_segment,$reel_status" always;
    }');
my $a = Asset->new($t, fragments => 9);
my $id = $a->{id};
my $url = $a->url('1.m4s', 'v720', 3);

is(cache_status($t, 'GET', $url), 'MISS', 'first: MISS');
is(cache_status($t, 'GET', $url), 'HIT', "then HIT") for 1 .. 8;
is(cache_status($t, 'HEAD', $a->url('master.m3u8')), 'HIT',
    'whatever is asked for');
sleep 1.1;
is(cache_status($t, 'GET', $url), 'REVALIDATED', 'a second later it is checked');
is(cache_status($t, 'GET', $url), 'HIT', 'and fresh again');
utime 1000000000, 1000000000, $a->file('index');
sleep 1.1;
my $x = http($t, 'GET', $url);
is($x->{headers}{'x-cache'}, 'REVALIDATED', 'it changed: loaded again');
is($x->{headers}{'last-modified'}, 'Sun, 09 Sep 2001 01:46:40 GMT',
    'Last-Modified is the file\'s');

is($x->{headers}{'x-what'}, "$id,v720,1,OK", 'variables of a segment');
is(http($t, 'GET', $a->url('master.m3u8'))->{headers}{'x-what'}, "$id,,,OK",
    'of a master playlist');
is(http($t, 'GET', $a->url('77.m4s', 'a128'))->{headers}{'x-what'},
    "$id,a128,77,NOT_FOUND", 'of a refusal');
is(http($t, 'GET', '/play/x')->{headers}{'x-what'}, ',,,BAD_PATH',
    'of a bad path');

# reload: the zone stays, and a response under way ends well
my $big = Asset->new($t, fragments => 3, renditions => ['v1080:video:4000000']);
my $bytes = $big->segment('v1080', 0, 3);
http($t, 'GET', $big->url('0.m4s', 'v1080', 3));
my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}") or die $!;
print $s 'GET ', $big->url('0.m4s', 'v1080', 3),
    " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
sysread $s, my $part, 1000;
my @old = $t->workers;
$t->reload;
my %old = map { $_ => 1 } @old;
wait_for(sub { 2 == grep { !$old{$_} } $t->workers }, 'new workers');
my $status = cache_status($t, 'GET', $big->url('0.m4s', 'v1080', 3));
like($status, qr/^(HIT|REVALIDATED)$/, "after a reload: $status, no MISS");
{
    local $/;
    $part .= <$s>;
}
ok(substr($part, -length $bytes) eq $bytes,
    'the response that the reload met is whole');
my %codes;
$t->reload;
my $end = time + 1.5;
while (time < $end) {
    my $y = http($t, 'GET', $url);
    $codes{$y->{status} . ($y->{body} eq $a->segment('v720', 1, 3)
        ? '' : ' wrong')}++;
}
is(join(',', keys %codes), '200', 'no request fails while it reloads');

# workers killed in mid-flight leave a zone that works
kill 'KILL', $t->workers;
wait_for(sub { my $y = eval { http($t, 'GET', $url) };
    $y && $y->{status} == 200 }, 'new workers serve');
ok(http($t, 'GET', $url)->{body} eq $a->segment('v720', 1, 3),
    'after SIGKILL of the workers');
undef $t;

# a zone that holds a few indexes: the rest are served all the same
$t = Reel->new(zone => 0, http => 'reel_zone small:256k;', conf => '
    location /play/ {
        reel_play;
        add_header X-Cache $reel_cache_status always;
    }');
my @many = map { Asset->new($t, fragments => 3, poster => 0,
    renditions => ['a64:audio:1000']) } 1 .. 30;
my ($wrong, %how) = (0);
for my $round (1 .. 3) {
    for my $m (@many) {
        my $y = http($t, 'GET', $m->url('0.m4s', 'a64', 3));
        $wrong++ if $y->{body} ne $m->segment('a64', 0, 3);
        $how{$y->{headers}{'x-cache'}}++;
    }
}
is($wrong, 0, '30 assets in a small zone: all right');
cmp_ok($how{MISS}, '>', 60, 'most were loaded again');
http($t, 'GET', $many[7]->url('0.m4s', 'a64', 3));
is(cache_status($t, 'GET', $many[7]->url('0.m4s', 'a64', 3)), 'HIT',
    'the last one is there');
unlike($t->log, qr/\[(error|crit|alert|emerg)\]/, 'nothing logged');

# one index above a quarter of the zone is served from the request's pool
my $long = Asset->new($t, fragments => 20000, data => 0,
    renditions => ['v720:video:100000']);
$x = http($t, 'GET', $long->url('media.m3u8', 'v720', 3));
is(scalar(my @u = $x->{body} =~ /^\d+\.m4s$/mg), 6667, 'a long one');
is(cache_status($t, 'GET', $long->url('init.mp4', 'v720', 3)), 'MISS',
    'is not kept');
like(cache_status($t, 'GET', $many[7]->url('0.m4s', 'a64', 3)),
    qr/^(HIT|REVALIDATED)\z/, 'and did not push out another');
undef $t;

# no zone
$t = Reel->new(zone => 0, conf => '
    location /play/ {
        reel_play;
        add_header X-Cache $reel_cache_status always;
    }');
my $c = Asset->new($t, fragments => 9);
for (1 .. 3) {
    my $y = http($t, 'GET', $c->url('2.m4s', 'v720', 3));
    is($y->{headers}{'x-cache'}, 'MISS', 'no zone: MISS');
    ok($y->{body} eq $c->segment('v720', 2, 3), 'no zone: served');
}
$c->make(fragments => 9, publication => 2);
ok(http($t, 'GET', $c->url('2.m4s', 'v720', 3))->{body}
    eq $c->segment('v720', 2, 3), 'no zone: a new publication at once');
undef $t;

# two stores share a zone but not their assets
my $two = Reel->new;
mkdir "$two->{dir}/second";
$two->nginx_stop;
$two->{o}{conf} = "location /play/ { reel_play; }
    location /second/ { reel_play; reel_store $two->{dir}/second; }";
$two->nginx_start;
my $d = Asset->new($two, fragments => 3, renditions => ['v720:video:9000']);
has_status(http($two, 'GET', "/play/$d->{id}/v720/0.m4s"), 200, undef,
    'first store');
has_status(http($two, 'GET', "/second/$d->{id}/v720/0.m4s"), 404, 'NOT_FOUND',
    'second store');

done_testing;
