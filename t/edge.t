#!/usr/bin/perl

# conf/edge.conf in front of an origin, both nginx: 1000 players at once cost
# one fetch of each segment; the origin stopped; a new publication.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Conf;
use IO::Select;
use Reel;
use Test::More;
use Time::HiRes qw(sleep time);

my $players = $ENV{REEL_PRELOAD} ? 200 : 1000;

my $t = Reel->new(idle => 1, workers => 2);
my $asked = "$t->{dir}/asked";
$t->{o}{http} = 'log_format asked "$request_uri $status"; server_tokens off;';
$t->{o}{conf} = "location /play/ { reel_play; access_log $asked asked; }";
$t->nginx_start;
my $edge = Conf->new;
mkdir "$edge->{dir}/cache";
chmod 0777, "$edge->{dir}/cache";
$edge->{text} = "pid $edge->{dir}/nginx.pid;\nworker_processes 2;\n"
    . "error_log $edge->{dir}/error.log info;\n"
    . ($> == 0 ? "user root;\n" : '')
    . Conf::replace(slurp("$Reel::TOP/conf/edge.conf"),
        "http {\n" => "http {\n" . $edge->own_paths,
        'listen 80;' => "listen 127.0.0.1:$edge->{port};",
        '/var/cache/nginx/reel' => "$edge->{dir}/cache",
        'origin.example:8080' => "127.0.0.1:$t->{port}");
my ($good, $said) = $edge->check($edge->{text});
ok($good, 'conf/edge.conf') or BAIL_OUT($said);
unlike($said, qr/\[warn\]/, 'conf/edge.conf: no warning');
$edge->nginx_start;

# how often the origin was asked for each
sub asked {
    my %n;
    $n{(split)[0]}++ for split /\n/, slurp($asked);
    return %n;
}

sub at_edge { my $x = http($edge, 'GET', @_); return $x; }

my $a = Asset->new($t, fragments => 18, renditions =>
    ['v720:video:12000', 'a128:audio:3000']);

# each asks for all of these in turn on one connection
my @urls = ($a->url('master.m3u8'), $a->url('media.m3u8', 'v720', 3),
    map { ($a->url("$_.m4s", 'v720', 3), $a->url("$_.m4s", 'a128', 3)) }
    0 .. 5);
my @want = map { http($t, 'GET', $_)->{body} } @urls;
my $all = join '', map { "GET $urls[$_] HTTP/1.1\r\nHost: x\r\n"
    . ($_ == $#urls ? "Connection: close\r\n" : '') . "\r\n" } 0 .. $#urls;
spew($asked, '');

my ($wrong, %in) = (0);
my $select = IO::Select->new;
for (1 .. $players) {
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$edge->{port}")
        or die "player $_: $!";
    print $s $all;
    $select->add($s);
}
my $end = time + 120;
while ($select->count && time < $end) {
    for my $s ($select->can_read(1)) {
        my $n = sysread $s, $in{$s}, 1 << 18, length($in{$s} // '');
        next if $n;
        $select->remove($s);
        my $got = delete $in{$s};
        for my $want (@want) {
            $got =~ s/\AHTTP\/1\.1 200 OK\r\n.*?\r\n\r\n//s or $wrong++, last;
            substr($got, 0, length $want, '') eq $want or $wrong++, last;
        }
        close $s;
    }
}
is($select->count . " $wrong", '0 0',
    "$players players have all that they asked for, and it is right");
my %n = asked();
my @more = grep { /\.m4s$/ && $n{$_} != 1 } keys %n;
is("@more", '', 'the origin was asked once for each segment');
is(scalar(grep { /\.m4s$/ } keys %n), 12, '12 of them');
cmp_ok($n{$urls[0]}, '<=', 1 + 60, 'and now and then for the manifest');

# ranges, HEAD and conditions come from the cache; a token is in no key
my $segment = $urls[2];
my $x = at_edge("$segment?token=abc", headers => { Range => 'bytes=100-199' });
ok($x->{status} == 206 && $x->{body} eq substr($want[2], 100, 100), 'a range');
has_status(at_edge("$segment?token=def", headers => {
    'If-None-Match' => at_edge($segment)->{headers}{etag} }), 304, undef,
    'If-None-Match');
is(http($edge, 'HEAD', $segment)->{headers}{'content-length'},
    length $want[2], 'HEAD');
my $z = at_edge($urls[0], headers => { 'Accept-Encoding' => 'gzip, br' });
has_header($z, 'Content-Encoding', qr/^gzip$/, 'manifest');
has_header(at_edge($urls[0]), 'Content-Length', qr/^${\ length $want[0]}$/,
    'and not, for others');
my $d = at_edge($a->url('download.mp4'));
ok($d->{status} == 200 && $d->{body} eq http($t, 'GET',
    $a->url('download.mp4'))->{body}, 'download.mp4, in slices');
is({asked()}->{$segment} // 'none', 1, 'nothing of it asked the origin');
has_status(at_edge($a->url('99.m4s', 'v720', 3)), 404, 'NOT_FOUND',
    'what is not there');

# a new publication
my $old = $want[0];
$a->make(fragments => 18, publication => 2);
my $start = time;
wait_for(sub { at_edge($urls[0])->{body} ne $old }, 'it is followed', 15);
cmp_ok(time - $start, '<', 9, 'a new publication is followed in seconds');
my ($list) = at_edge($urls[0])->{body} =~ /^(v720\S+)/m;
has_status(at_edge("/play/$a->{id}/$list"), 200, undef, 'its playlist');
ok(at_edge($segment)->{body} eq $want[2], 'the old one plays on');

# the origin away: what was played plays, the manifest is an old one
$t->nginx_stop;
sleep 5.5;
$x = at_edge($urls[0]);
ok($x->{status} == 200 && $x->{headers}{'x-cache-status'} =~ /^STALE$/,
    'origin stopped: a stale manifest') or diag $x->{raw};
ok(at_edge($segment)->{body} eq $want[2], 'and segments');
$t->nginx_start;
wait_for(sub { at_edge($urls[0])->{headers}{'x-cache-status'}
    =~ /^(REVALIDATED|HIT|EXPIRED)$/ }, 'it is back', 15);
spew($a->file('tombstone'), '{}');
wait_for(sub { at_edge($urls[0])->{status} == 410 }, 'deleted', 15);

done_testing;
