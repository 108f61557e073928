#!/usr/bin/perl

# "if" and "limit_except" blocks inside the module's locations: a
# configuration of their own, in which everything must go on.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;

my $t = Reel->new(zone => 0, conf => '
    location /play/ { reel_play; if ($arg_x) { set $y 1; } }
    location /upload/ { reel_upload; if ($http_x) { set $y 1; } }
    location /api/ { reel_api; if ($http_x) { set $y 1; } }
    location /closed/play/ { reel_play; limit_except OPTIONS { allow all; } }
    location /closed/upload/ { reel_upload; limit_except GET { allow all; } }
    location /closed/api/ { reel_api; limit_except GET { allow all; } }
    location /away/ { reel_api; if ($arg_x) { return 418; } }
    location /denied/ { reel_upload; limit_except GET { deny all; } }');
my $asset = Asset->new($t, renditions => ['v720:video:9000']);
my $large = 'x' x (3 * 1024 * 1024);
my $r;


sub signed {
    my ($method, $path, $body, %h) = @_;
    return http($t, $method, $path, body => $body,
        headers => { %{ signed_headers($t, $method, $path) }, %h });
}


$r = http($t, 'GET', $asset->url('0.m4s', 'v720') . '?x=1');
has_status($r, 200, undef, 'if: a segment');
is($r->{body}, $asset->segment('v720', 0, 3), 'if: its bytes');
is(http($t, 'GET', "/closed$_")->{status}, 200, "limit_except: $_")
    for $asset->url('master.m3u8'), $asset->url('0.m4s', 'v720');

$r = signed('PUT', '/upload/video/a', $large, X => 1);
has_status($r, 200, undef, 'if: an upload of 3 MiB');
$r = signed('PUT', '/closed/upload/video/b', $large);
has_status($r, 200, undef, 'limit_except: an upload of 3 MiB');
has_status(signed('PUT', '/denied/video/b', 'x'), 403, undef,
    'limit_except: what it denies');
has_status(signed('GET', '/closed/upload/video/b'), 405, 'MethodNotAllowed',
    'limit_except: its exception');

# larger than client_body_buffer_size
my $body = '{"name":"a"' . ' ' x 40000 . '}';
for (['/api', X => 1], ['/closed/api']) {
    my ($at, @h) = @$_;
    $r = signed('POST', "$at/uploads", $body, @h);
    has_status($r, 201, undef, "$at: a call with a body");
    $r = signed('GET', "$at/assets/" . json($r->{body})->{asset}, undef, @h);
    has_status($r, 404, 'NOT_FOUND', "$at: a call on the store");
    $r = signed('POST', "$at/uploads", ' ' x (2 * 1024 * 1024), @h);
    has_status($r, 413, 'TOO_LARGE', "$at: the API's own bound");
}

is(http($t, 'GET', '/away/assets?x=1')->{status}, 418, 'if: another answer');
unlike($t->log, qr/exited on signal/, 'no worker died');

done_testing;
