# a presigned PUT: stored, published, queued, replayed
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Test::More;
use lib 't/lib';
use Reel;

my $t = Reel->new(redis => 1);
my $body = join '', map { chr($_ % 251) } 1 .. 3_000_000;

my $url = presign($t, 'PUT', '/upload/video/a.mp4');
my $r = http($t, 'PUT', $url, body => $body);
has_status($r, 200, undef, 'presigned');
my $id = $r->{headers}{'reel-asset'};
like($id, qr/^[0-9a-hjkmnp-tv-z]{26}$/, 'an asset id');
has_header($r, 'ETag', qr/^"[^"]+-1"$/, 'presigned');
my $home = 'assets/' . substr($id, -2) . "/$id";
is(sha256_hex(slurp("$t->{dir}/store/$home/source")), sha256_hex($body),
    'the source has the bytes');
my $rq = json(slurp("$t->{dir}/store/$home/request.json"));
is($rq->{asset}, $id, 'request.json');
ok(-e "$t->{dir}/store/pending/$id.1", 'pending stands');
is(scalar $t->files('uploads'), 0, 'nothing staged is left');
Reel::wait_for(sub { $t->redis('ZSCORE', 'reel1:{r0}:jobs', "$id.1") },
    'the job is queued');
pass('the job is in Redis');

my $again = http($t, 'PUT', $url, body => $body);
has_status($again, 200, undef, 'the same URL again');
is($again->{headers}{'reel-asset'}, $id, 'replays the same asset');
is($again->{headers}{etag}, $r->{headers}{etag}, 'and the same ETag');
unlink "$t->{dir}/store/pending/$id.1";
$again = http($t, 'PUT', $url, body => $body);
ok(-e "$t->{dir}/store/pending/$id.1", 'and heals a lost outbox entry');

$r = http($t, 'PUT', '/upload/video/h.mp4', body => 'x' x 100,
    headers => signed_headers($t, 'PUT', '/upload/video/h.mp4'));
has_status($r, 200, undef, 'signed in the header');

# what a signature replays is one body: it must stand for that
my $h = signed_headers($t, 'PUT', '/upload/video/twice.mp4');
my %got = map { $_ => http($t, 'PUT', '/upload/video/twice.mp4', body => $_,
    headers => $h) } 'one', 'two', 'three';
for my $b (sort keys %got) {
    has_status($got{$b}, 200, undef, "a body that is not signed: $b");
    my $a = $got{$b}{headers}{'reel-asset'} // 'x' x 26;
    is(slurp("$t->{dir}/store/assets/" . substr($a, -2) . "/$a/source"), $b,
        "is not taken for another: $b");
}
$h = signed_headers($t, 'PUT', '/upload/video/hash.mp4',
    payload => sha256_hex('hash'));
%got = map { $_ => http($t, 'PUT', '/upload/video/hash.mp4', body => 'hash',
    headers => $h) } 1, 2;
has_status($got{2}, 200, undef, 'a signed body again');
is($got{2}{headers}{'reel-asset'}, $got{1}{headers}{'reel-asset'},
    'is replayed');
has_status(http($t, 'PUT', $url, body => 'of another length'), 409,
    'OperationAborted', 'a presigned URL again, with other bytes');
$again = http($t, 'PUT', $url, body => $body);
is($again->{headers}{'reel-asset'}, $id, 'and with the same');
$r = http($t, 'PUT', $url, body => 'short', headers => {
    'Upload-Complete' => '?1', 'Upload-Draft-Interop-Version' => 8 });
has_status($r, 409, 'OperationAborted', 'so by the IETF');

my $chunked = "1000\r\n" . ('c' x 4096) . "\r\n5\r\nhello\r\n0\r\n\r\n";
$r = http($t, 'PUT', presign($t, 'PUT', '/upload/video/c.mp4'),
    body => $chunked, headers => { 'Transfer-Encoding' => 'chunked' });
has_status($r, 200, undef, 'chunked');
$id = $r->{headers}{'reel-asset'};
is(-s "$t->{dir}/store/assets/" . substr($id, -2) . "/$id/source", 4101,
    'chunked: the bytes without framing');

$r = http($t, 'PUT', presign($t, 'PUT', '/upload/video/0.mp4'), body => '');
has_status($r, 200, undef, 'no bytes at all');

my $q = { 'reel-name' => 'Übung 1.mp4', 'reel-pipeline' => 'default',
    'reel-meta' => '{"title":"T","passthrough":"p"}',
    'reel-max-duration' => 60, 'reel-asset' => '01m842w7mgk41a9desm65b90ee' };
$r = http($t, 'PUT', presign($t, 'PUT', '/upload/video/m.mp4', query => $q),
    body => 'abc');
has_status($r, 200, undef, 'all parameters');
is($r->{headers}{'reel-asset'}, $q->{'reel-asset'}, 'the fixed id');
$home = 'assets/ee/01m842w7mgk41a9desm65b90ee';
$rq = json(slurp("$t->{dir}/store/$home/request.json"));
is($rq->{name}, "\x{dc}bung 1.mp4", 'reel-name');
is(json(slurp("$t->{dir}/store/$home/meta.json"))->{title}, 'T', 'reel-meta');
$r = http($t, 'PUT', presign($t, 'PUT', '/upload/video/m2.mp4', query => $q),
    body => 'abc');
has_status($r, 409, 'OperationAborted', 'the id is taken');

done_testing();
