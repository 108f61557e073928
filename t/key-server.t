#!/usr/bin/perl

# Master keys of a key server: asked once, kept, used on while it is away or
# slow; what it must not answer. The same keys as of a file are the same.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;
use Time::HiRes qw(sleep time);

my $hex = '0123456789abcdef' x 4;

# what answers /key, and writes down who asked
my $k = Reel->new(idle => 1);
my $kd = $k->{dir};
$k->{o}{http} = 'log_format asked "$request_uri";';
$k->{o}{conf} = "location = /key { access_log $kd/asked asked;
    alias $kd/answer.json; }
    location = /key2 { alias $kd/answer2.json; }";
my $hex2 = reverse $hex;
spew("$kd/answer2.json", qq({"key":"$hex2"}));
spew("$kd/answer.json", qq({"key":"$hex"}));
chmod 0755, $kd;
$k->nginx_start;
my $silent = IO::Socket::INET->new(Listen => 100, LocalAddr => '127.0.0.1')
    or die;

my $t = Reel->new(idle => 1);
my $d = $t->{dir};
spew("$d/master.json", qq({"master_keys":[{"id":0,"key":"$hex"}]}));
spew("$d/master2.json", qq({"master_keys":[{"id":0,"key":"$hex2"}]}));
chmod 0600, "$d/master.json", "$d/master2.json";
my $proxy = 'internal; proxy_pass_request_headers off;
    proxy_pass_request_body off; proxy_connect_timeout 1s;
    proxy_read_timeout 1s;';
$t->{o}{conf} = "
    location /clear/ { reel_play; }
    location /file/ { reel_play; reel_encryption aes-128;
        reel_master_keys $d/master.json; }
    location /ks/ { reel_play; reel_encryption aes-128; reel_key_server /_key; }
    location /short/ { reel_play; reel_encryption aes-128;
        reel_key_server /_key_short fresh=1s valid=6s; }
    location /lic/ { reel_play; reel_encryption cenc; reel_key_server /_key; }
    location /turned/ { reel_play; reel_encryption cenc; reel_key_rotation 1;
        reel_drm clearkey widevine playready; reel_key_server /_key; }
    location /fturned/ { reel_play; reel_encryption cenc; reel_key_rotation 1;
        reel_drm clearkey widevine playready;
        reel_master_keys $d/master.json; }
    location /slow/ { reel_play; reel_encryption aes-128;
        reel_key_server /_slow; }
    location /none/ { reel_play; reel_encryption aes-128;
        reel_key_server /nowhere; }
    location = /_key { $proxy proxy_pass http://127.0.0.1:$k->{port}/key; }
    location = /_key_short { $proxy
        proxy_pass http://127.0.0.1:$k->{port}/key; }
    location = /_slow { $proxy proxy_pass http://127.0.0.1:"
        . $silent->sockport . '; }';
my $other = Reel::free_port();
$t->{o}{http} = "server { listen 127.0.0.1:$other;
    location /file/ { reel_play; reel_encryption aes-128;
        reel_master_keys $d/master2.json; }
    location /ks/ { reel_play; reel_encryption aes-128; reel_key_server /_key; }
    location = /_key { $proxy proxy_pass http://127.0.0.1:$k->{port}/key2; }
    }";
$t->nginx_start;
my @a = map { Asset->new($t, fragments => 6) } 0 .. 3;
my $id = $a[0]{id};

sub get { return http($t, 'GET', @_); }
sub asked { return -e "$kd/asked" ? slurp("$kd/asked") : ''; }

# all at once, while nothing is known
my @s = map { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}") }
    1 .. 20;
print $_ "GET /ks/$id/v720/0.m4s HTTP/1.0\r\n\r\n" for @s;
my %got;
for my $s (@s) { local $/; $got{<$s> =~ s/^.*?\r\n\r\n//sr}++ }
is_deeply([values %got], [20], 'twenty at once get one answer');
wait_for(sub { asked() }, 'the log of it');
is(asked(), "/key?asset=$id&key=0&publication=1\n", '… of one call');
is((keys %got)[0], get("/file/$id/v720/0.m4s")->{body},
    'that of the key in a file');
isnt((keys %got)[0], get("/clear/$id/v720/0.m4s")->{body}, 'encrypted');
for ('v720/media.m3u8', 'v720/0.key', 'a128/1.m4s', 'v720/init.mp4') {
    my $x = get("/ks/$id/$_");
    is("$x->{status} $x->{body}", '200 ' . get("/file/$id/$_")->{body}, $_);
}
my $n = 1;
get("/ks/$id/v720/$_.m4s") for 0, 1, 0, 1;
is((() = asked() =~ /\n/g), $n, 'and no more');
my @two = map { http({ %$t, port => $other }, 'GET', "/$_/$id/v720/0.key")
    ->{body} } 'file', 'ks';
is(unpack('H*', $two[1]), unpack('H*', $two[0]),
    'another server asks for itself');
my ($kid) = get("/lic/$id/manifest.mpd")->{body}
    =~ /default_KID="([0-9a-f-]{36})"/i;
ok($kid, 'KIDs follow from it');
has_status(http($t, 'POST', "/lic/$id/license", body => '{}'), 400,
    'BAD_LICENSE_REQUEST', 'a license request gets through it');
for ('manifest.mpd', 'v720/media.m3u8', 'v720/init.mp4', 'v720/1.m4s',
    'video/1.key') {
    my $x = get("/turned/$id/$_");
    my $same = $x->{body} eq get("/fturned/$id/$_")->{body};
    ok($x->{status} == 200 && $same, "keys that are rotated: $_");
}
is((() = asked() =~ /\n/g), $n, 'of one answer, too');

# away: what was told goes on being used
get("/short/$id/v720/0.key");
my $key = get("/file/$id/v720/0.key")->{body};
$k->nginx_stop;
for (1 .. 3) {
    is(get("/short/$id/v720/0.key")->{body}, $key, 'away: used on');
    sleep 0.6;
}
my $x;
wait_for(sub { $x = get("/short/$id/v720/0.key"); $x->{status} == 503 },
    'it was valid for so long', 20);
has_status($x, 503, 'KEY_SERVER', 'and no longer');
has_header($x, 'Retry-After', qr/^1$/, 'not for long');
like($x->{body}, qr/"retryable":true/, 'retryable');
is(get("/ks/$id/v720/0.key")->{body}, $key, 'fresh: no call');
has_status(get("/ks/$a[1]{id}/master.m3u8"), 503, 'KEY_SERVER',
    'of another asset nothing is known');
my $start = time;
has_status(get("/ks/$a[1]{id}/v720/$_.m4s"), 503, 'KEY_SERVER',
    'nobody queues') for 0 .. 4;
cmp_ok(time - $start, '<', 3, 'told soon');
$k->nginx_start;
wait_for(sub { get("/ks/$a[1]{id}/v720/0.key")->{status} == 200 }, 'back');
wait_for(sub { get("/short/$id/v720/0.key")->{status} == 200 }, 'back');
is(get("/short/$id/v720/0.key")->{body}, $key, 'the same key');

# slow: others are served meanwhile
my $slow = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}");
$start = time;
print $slow "GET /slow/$id/v720/0.key HTTP/1.0\r\n\r\n";
is(get("/ks/$id/v720/0.key")->{status}, 200, 'others');
cmp_ok(time - $start, '<', 0.9, 'at once');
{ local $/; like(scalar <$slow>, qr/^HTTP\/1.1 503 .*"KEY_SERVER"/s,
    'slow: 503'); }
# who goes away while it waits
for (1 .. 3) {
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}");
    print $s "GET /slow/$a[$_]{id}/v720/0.key HTTP/1.0\r\n\r\n";
    close $s;
}

# what is no answer
for ('', '{}', "{\"key\":\"${hex}0\"}", "[\"$hex\"]", '<html>', '{"key":1}') {
    spew("$kd/answer.json", $_);
    wait_for(sub { $x = get("/ks/$a[2]{id}/master.m3u8");
        $x->{status} != 200 }, 'refused');
    has_status($x, 503, 'KEY_SERVER', 'answer ' . substr $_, 0, 20);
    sleep 1.1;
}
# more than nginx takes in: it breaks the request off itself
spew("$kd/answer.json", "{\"key\":\"$hex\",\"x\":\"" . 'y' x 100000 . '"}');
isnt(get("/ks/$a[3]{id}/master.m3u8")->{status}, 200, 'a very long answer');
has_status(get("/none/$id/v720/0.key"), 503, 'KEY_SERVER', 'no such place');
is(get("/ks/$id/v720/0.key")->{body}, $key, 'what was kept is not hurt');
unlike($t->log . $k->log, qr/$hex|$hex2/, 'no key in a log');
unlike($t->log, qr/\[(alert|crit|emerg)\]/, 'nothing worse');

done_testing;
