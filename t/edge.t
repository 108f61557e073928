#!/usr/bin/perl

# conf/edge.conf in front of an origin, both nginx: 1000 players at once, each
# with a token of its own, cost one fetch of each segment; tokens that do not
# permit; the origin stopped; a new publication.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Conf;
use IO::Select;
use Reel;
use Test::More;
use Token;
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
        'modules/ngx_http_reel_module.so;' => Conf::module() . ';',
        '/etc/reel/tokens.json;' => key_file("$edge->{dir}/tokens.json",
            'one') . ';',
        'listen 80;' => "listen 127.0.0.1:$edge->{port};",
        '/var/cache/nginx/reel' => "$edge->{dir}/cache",
        'origin.example:8080' => "127.0.0.1:$t->{port}");
my ($good, $said) = $edge->check($edge->{text});
ok($good, 'conf/edge.conf') or BAIL_OUT($said);
unlike($said, qr/\[warn\]/, 'conf/edge.conf: no warning');
$edge->nginx_start;

# how often the origin was asked for each
# (a request is logged when it has ended, which its answer may outrun)
sub logged { return map { (split)[0] } split /\n/, slurp($asked); }
sub was_asked {
    my ($want) = @_;
    wait_for(sub { grep { /$want/ } logged() }, "the origin's $want");
}
sub asked {
    my %n;
    $n{$_}++ for logged();
    return %n;
}

# with a token of its own each time, in the path
sub at_edge {
    my ($url, @more) = @_;
    my $sub = $url =~ m{^/play/(\w+)} ? $1 : '';
    my $token = token({ sub => $sub, jti => rand });
    return http($edge, 'GET', $url =~ s{^/play/}{/play/$token/}r, @more);
}

my $a = Asset->new($t, fragments => 18, renditions =>
    ['v720:video:12000', 'a128:audio:3000']);

# each asks for all of these in turn on one connection
my @urls = ($a->url('master.m3u8'), $a->url('media.m3u8', 'v720', 3),
    map { ($a->url("$_.m4s", 'v720', 3), $a->url("$_.m4s", 'a128', 3)) }
    0 .. 5);
my @want = map { http($t, 'GET', $_)->{body} } @urls;
sub all_of {
    my $token = token({ sub => $a->{id}, jti => $_[0] });
    return join '', map { 'GET ' . ($urls[$_] =~ s{/play/}{/play/$token/}r)
        . " HTTP/1.1\r\nHost: x\r\n"
        . ($_ == $#urls ? "Connection: close\r\n" : '') . "\r\n" }
        0 .. $#urls;
}
spew($asked, '');

my ($wrong, %in) = (0);
my $select = IO::Select->new;
for (1 .. $players) {
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$edge->{port}")
        or die "player $_: $!";
    print $s all_of($_);
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
was_asked(quotemeta) for @urls;
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
is(http($edge, 'HEAD', $segment, headers => { Cookie => 'reel_token='
    . token({ sub => $a->{id} }) })->{headers}{'content-length'},
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
was_asked(qr{/99\.m4s});

# tokens: refused by the edge, of what it keeps and without asking
sub with { my ($token, $url) = @_;
    return http($edge, 'GET', $url =~ s{^/play/}{/play/$token/}r); }
spew($asked, '');
for (['none', undef, 'TOKEN_MISSING'],
    ['expired', { exp => time - 86400 }, 'TOKEN_EXPIRED'],
    ['of another asset', { sub => Asset::new_id() }, 'TOKEN_ASSET'],
    ['forged', {}, 'TOKEN_SIGNATURE', secret => 'x'])
{
    my ($name, $claims, $code, @o) = @$_;
    for my $url ($segment, $urls[0], $a->url('init.mp4', 'v720', 3)) {
        has_status($claims ? with(token({ sub => $a->{id}, exp => 9999999999,
            %$claims }, @o), $url) : http($edge, 'GET', $url), 403, $code,
            "a token that is $name");
    }
}
has_status(http($edge, 'GET', "$segment?token=" . token({ sub => '*' })), 403,
    'TOKEN_MISSING', 'a token in the query');
is(slurp($asked), '', 'the origin heard nothing of it');
my $low = token({ sub => $a->{id}, max_height => 480, end => 7 });
my $two = token({ sub => $a->{id}, max_height => 480, end => 7, jti => 2 });
is(with($low, $urls[0])->{status}, 404, 'no rendition is so low');
has_status(with($low, $segment), 403, 'TOKEN_HEIGHT', 'a higher one');
has_status(with($low, $a->url('2.m4s', 'a128', 3)), 403, 'TOKEN_CLIP',
    'sound behind its end');
is(with($low, $urls[3])->{body}, $want[3], 'sound of its part');
is(with($two, $urls[3])->{headers}{'x-cache-status'}, 'HIT',
    'is kept for who has equal rights');
was_asked(qr{a128.*/0\.m4s});
is(join(' ', grep { m{a128.*/0\.m4s} } logged()),
    "$urls[3]?limit_end=7&limit_max_height=480",
    'the origin was told of them, and of no token');
has_status(with(token({ sub => $a->{id}, exp => time - 3600 }), $segment),
    200, undef, 'who began plays on');

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
wait_for(sub { $x = at_edge($urls[0]);
    ($x->{headers}{'x-cache-status'} // '') ne 'HIT' }, 'it is too old', 25);
ok($x->{status} == 200 && $x->{headers}{'x-cache-status'} =~ /^STALE$/,
    'origin stopped: a stale manifest') or diag $x->{raw};
ok(at_edge($segment)->{body} eq $want[2], 'and segments');
$t->nginx_start;
wait_for(sub { at_edge($urls[0])->{headers}{'x-cache-status'}
    =~ /^(REVALIDATED|HIT|EXPIRED)$/ }, 'it is back', 15);
spew($a->file('tombstone'), '{}');
wait_for(sub { at_edge($urls[0])->{status} == 410 }, 'deleted', 15);

unlike(slurp($_), qr/eyJ/, 'no token in ' . s{.*/}{}r)
    for "$edge->{dir}/log/access.log", "$edge->{dir}/error.log",
        "$t->{dir}/error.log";

done_testing;
