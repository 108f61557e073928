# what the upload door refuses, and that nothing stands afterwards
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Test::More;
use lib 't/lib';
use Reel;

my $t = Reel->new(http => 'reel_upload_max_size 1000000;');
my $P = '/upload/video/a.mp4';
my $now = int time;

sub refused {
    my ($name, $status, $code, $target, %o) = @_;
    my $method = delete $o{method} // 'PUT';
    my $r = http($t, $method, $target, body => 'abc', %o);
    has_status($r, $status, $code, $name);
    has_header($r, 'Access-Control-Allow-Origin', qr/^\*$/, $name);
    unlike($r->{raw}, qr/\Q$Reel::SECRET\E/, "$name: no secret");
    return $r;
}

my $r = refused('unsigned', 403, 'AccessDenied', $P);
has_header($r, 'Content-Type', qr{^application/xml$}, 'S3 form');
refused('wrong secret', 403, 'SignatureDoesNotMatch',
    presign($t, 'PUT', $P, secret => 'x' x 20));
refused('no such key', 403, 'InvalidAccessKeyId',
    presign($t, 'PUT', $P, key => 'NOBODY'));
refused('signed for GET', 403, 'SignatureDoesNotMatch',
    presign($t, 'GET', $P));
(my $moved = presign($t, 'PUT', $P)) =~ s/a\.mp4/b.mp4/;
refused('another path', 403, 'SignatureDoesNotMatch', $moved);
refused('expired', 403, 'AccessDenied',
    presign($t, 'PUT', $P, time => $now - 700, expires => 600));
refused('from the future', 403, 'RequestTimeTooSkewed',
    presign($t, 'PUT', $P, time => $now + 3600));
refused('header skew', 403, 'RequestTimeTooSkewed', $P,
    headers => signed_headers($t, 'PUT', $P, time => $now - 3600));
refused('expires 604801', 400, 'AuthorizationQueryParametersError',
    presign($t, 'PUT', $P, expires => 604801));
(my $cut = presign($t, 'PUT', $P)) =~ s/X-Amz-Date=[^&]*&//;
refused('no date', 400, 'AuthorizationQueryParametersError', $cut);
refused('signature version 2', 400, 'InvalidRequest',
    "$P?AWSAccessKeyId=x&Signature=y&Expires=1");
refused('no such bucket', 404, 'NoSuchBucket',
    presign($t, 'PUT', '/upload/nope/a.mp4'));
refused('no name', 400, 'InvalidArgument',
    presign($t, 'PUT', '/upload/video/'));
refused('another method', 405, 'MethodNotAllowed',
    presign($t, 'POST', $P), method => 'POST');

$r = refused('over the server limit', 413, 'EntityTooLarge',
    presign($t, 'PUT', $P), body => 'x' x 1000001);
like($r->{body}, qr/reel_upload_max_size allows: at most 1000000 bytes/,
    'names the limit');
$r = refused('over the signed limit', 413, 'EntityTooLarge',
    presign($t, 'PUT', $P, query => { 'reel-max-bytes' => 2 }));
like($r->{body}, qr/reel-max-bytes/, 'names the limit');
refused('over the limit, chunked', 413, 'EntityTooLarge',
    presign($t, 'PUT', $P, query => { 'reel-max-bytes' => 2 }),
    body => "3\r\nabc\r\n0\r\n\r\n",
    headers => { 'Transfer-Encoding' => 'chunked' });

refused('stated hash', 400, 'XAmzContentSHA256Mismatch',
    presign($t, 'PUT', $P, payload => sha256_hex('other')));
refused('reel-sha256', 400, 'XAmzContentSHA256Mismatch',
    presign($t, 'PUT', $P, query => { 'reel-sha256' => sha256_hex('no') }));
refused('aws-chunked without its length', 411, 'MissingContentLength', $P,
    headers => signed_headers($t, 'PUT', $P,
        payload => 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'));
refused('content type', 400, 'InvalidRequest',
    presign($t, 'PUT', $P, query => { 'reel-type' => 'video/mp4' }),
    headers => { 'Content-Type' => 'text/plain' });
refused('no such pipeline', 400, 'InvalidArgument',
    presign($t, 'PUT', $P, query => { 'reel-pipeline' => 'nope' }));
refused('meta is not JSON', 400, 'InvalidArgument',
    presign($t, 'PUT', $P, query => { 'reel-meta' => '{' }));
refused('meta has another member', 400, 'InvalidArgument',
    presign($t, 'PUT', $P, query => { 'reel-meta' => '{"x":1}' }));
refused('bad asset id', 400, 'InvalidArgument',
    presign($t, 'PUT', $P, query => { 'reel-asset' => '../../etc' }));
refused('bad number', 400, 'InvalidArgument',
    presign($t, 'PUT', $P, query => { 'reel-max-bytes' => '-1' }));

$r = raw($t, "PUT " . presign($t, 'PUT', $P) . " HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$t->{port}\r\nConnection: close\r\n\r\n");
like($r, qr{ 411 .*MissingContentLength}s, 'neither length nor chunked');

$r = http($t, 'PUT', $P, body => 'abc',
    headers => { Accept => 'application/problem+json' });
has_header($r, 'Content-Type', qr{^application/problem\+json$}, 'asked for');
is(json($r->{body})->{status}, 403, 'a problem document');

is_deeply([ $t->files ], [], 'nothing stands in the store');

# a connection that breaks in the middle leaves no asset
raw($t, "PUT " . presign($t, 'PUT', $P) . " HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$t->{port}\r\nContent-Length: 900000\r\n\r\n"
    . ('x' x 500000), cut => 1);
Reel::wait_for(sub { $t->log =~ /prematurely closed/ && !$t->files },
    'the staged bytes go');
is_deeply([ $t->files ], [], 'a broken connection leaves nothing');

$r = http($t, 'OPTIONS', $P, headers => { Origin => 'https://a.example',
    'Access-Control-Request-Method' => 'PUT' });
is($r->{status}, 204, 'preflight');
has_header($r, 'Access-Control-Allow-Methods', qr/PUT/, 'preflight');

done_testing();
