# tus: PATCH from the first byte to the asset, and what it refuses
use strict;
use warnings;
use Digest::SHA qw(sha1_base64 sha256_base64 sha256_hex);
use Digest::MD5 qw(md5_base64);
use Test::More;
use lib 't/lib';
use Reel;
use Tus;

my $t = Reel->new;
my $body = join '', map { chr($_ % 251) } 1 .. 3_000_000;

# --- in pieces ---------------------------------------------------------------
my $url = create($t, length $body);
my $r;
for my $at (0, 1_000_000, 2_000_000) {
    $r = patch($t, $url, $at, substr $body, $at, 1_000_000);
    has_status($r, 204, undef, "from $at");
    has_header($r, 'Upload-Offset', qr/^@{[ $at + 1_000_000 ]}$/, "from $at");
    has_header($r, 'Tus-Resumable', qr/^1\.0\.0$/, "from $at");
    if ($at < 2_000_000) {
        has_header($r, 'Upload-Expires', qr/GMT$/, "from $at");
        ok(!$r->{headers}{'reel-asset'}, 'not complete');
    }
}
my $asset = $r->{headers}{'reel-asset'};
is(sha256_hex(slurp(asset_source($t, $asset))), sha256_hex($body),
    'the asset has the bytes');
ok(!defined $r->{headers}{'upload-expires'}, 'what is complete never expires');

# --- said again --------------------------------------------------------------
$r = patch($t, $url, 3_000_000, '');
has_status($r, 204, undef, 'an empty PATCH at the end');
is($r->{headers}{'reel-asset'}, $asset, 'tells of the same asset');
$r = patch($t, $url, 2_000_000, substr $body, 2_000_000);
has_status($r, 409, 'OffsetMismatch', 'the last PATCH again');
has_header($r, 'Upload-Offset', qr/^3000000$/, 'told what is there');
$r = tus($t, 'HEAD', $url);
has_status($r, 200, undef, 'HEAD');
has_header($r, 'Upload-Offset', qr/^3000000$/, 'HEAD');
has_header($r, 'Upload-Length', qr/^3000000$/, 'HEAD');
is($r->{headers}{'reel-asset'}, $asset, 'HEAD tells of the asset');
has_status(tus($t, 'DELETE', $url), 400, 'UploadComplete',
    'an asset is not deleted here');
has_status(patch($t, $url, 3_000_000, 'x'), 413, 'EntityTooLarge',
    'one byte more');
is(scalar(grep { /source$/ } $t->files('assets')), 1, 'one asset');

# --- what is not right -------------------------------------------------------
$url = create($t, 10);
has_status(patch($t, $url, 0, 'abc'), 204, undef, 'three bytes');

sub refused {
    my ($name, $status, $code, $r) = @_;
    has_status($r, $status, $code, $name);
    has_header($r, 'Tus-Resumable', qr/^1\.0\.0$/, $name);
    has_header($r, 'Access-Control-Allow-Origin', qr/^\*$/, $name);
    is(offset($t, $url), 3, "$name: nothing changed");
    return $r;
}

for my $at (0, 2, 4, 10, 11) {
    $r = refused("at $at", 409, 'OffsetMismatch', patch($t, $url, $at, 'x'));
    has_header($r, 'Upload-Offset', qr/^3$/, "at $at");
}
for my $at ('', '-1', '+3', '3 ', ' 03x', '3,3', '1e3', '18446744073709551619',
    '9223372036854775808') {
    next if $at =~ /^ |\ $/;
    refused("Upload-Offset \"$at\"", 400, 'InvalidArgument',
        patch($t, $url, $at, 'x'));
}
refused('no Upload-Offset', 400, 'InvalidArgument', tus($t, 'PATCH', $url,
    body => 'x', headers => { 'Content-Type' => $Tus::TYPE }));
refused('no type', 415, 'UnsupportedMediaType', tus($t, 'PATCH', $url,
    body => 'x', headers => { 'Upload-Offset' => 3 }));
refused('another type', 415, 'UnsupportedMediaType', patch($t, $url, 3, 'x',
    'Content-Type' => 'application/octet-stream'));
refused('another length', 400, 'InvalidArgument',
    patch($t, $url, 3, 'x', 'Upload-Length' => 11));
$r = refused('too much', 413, 'EntityTooLarge',
    patch($t, $url, 3, 'x' x 8));
like($r->{body}, qr/upload's own length allows: at most 10 bytes, 7 more/,
    'names the limit and what may come');
refused('too much of a large body', 413, 'EntityTooLarge',
    patch($t, $url, 3, 'x' x 3_000_000));
$r = patch($t, $url, 3, "8\r\n12345678\r\n0\r\n\r\n",
    'Transfer-Encoding' => 'chunked');
has_status($r, 413, 'EntityTooLarge', 'too much, chunked');
is(offset($t, $url), 3, 'what does not fit is not taken in part');
$r = patch($t, $url, offset($t, $url), "x\r\n1\r\n",
    'Transfer-Encoding' => 'chunked');
has_status($r, 400, undef, 'a broken frame');

$r = patch($t, $url, offset($t, $url), "4\r\ndefg\r\n0\r\n\r\n",
    'Transfer-Encoding' => 'chunked');
has_status($r, 204, undef, 'chunked');
is(offset($t, $url), 7, 'chunked');
$r = tus($t, 'POST', $url, body => 'hi', headers => { 'Upload-Offset' => 7,
    'Content-Type' => $Tus::TYPE, 'X-HTTP-Method-Override' => 'PATCH' });
has_status($r, 204, undef, 'POST that means PATCH');
has_header($r, 'Upload-Offset', qr/^9$/, 'POST that means PATCH');
$r = tus($t, 'POST', $url, body => '', headers => {
    'X-HTTP-Method-Override' => 'HEAD' });
has_header($r, 'Upload-Offset', qr/^9$/, 'POST that means HEAD');
has_status(tus($t, 'POST', $url, body => ''), 405, 'MethodNotAllowed',
    'POST that means POST');
has_status(tus($t, 'POST', $url, body => '', headers => {
    'X-HTTP-Method-Override' => 'patch' }), 405, 'MethodNotAllowed',
    'POST that means nothing');
has_status(tus($t, 'GET', $url), 405, 'MethodNotAllowed', 'GET');
$r = patch($t, $url, 9, 'j', Expect => '100-continue');
has_status($r, 204, undef, 'Expect: 100-continue');
is(slurp(asset_source($t, $r->{headers}{'reel-asset'})), 'abcdefghij',
    'all of it, once');

# --- checksums ---------------------------------------------------------------
sub b64 { my ($s) = @_; $s .= '=' while length($s) % 4; return $s; }

$url = create($t, 15);
$r = patch($t, $url, 0, 'abc', 'Upload-Checksum' => 'sha1 '
    . b64(sha1_base64('abc')));
has_status($r, 204, undef, 'sha1');
for my $n (1, 700_000) {
    my $u = create($t, 2_000_000);
    patch($t, $u, 0, 'abc');
    $r = patch($t, $u, 3, 'x' x $n, 'Upload-Checksum' => 'sha1 '
        . b64(sha1_base64('other')));
    has_status($r, 460, 'ChecksumMismatch', "a wrong one of $n bytes");
    like($r->{raw}, qr{^HTTP/1\.1 460 Checksum Mismatch\r\n}, 'by its name');
    has_header($r, 'Upload-Offset', qr/^3$/, 'nothing was taken');
    is(offset($t, $u), 3, 'nothing was taken');
    has_status(patch($t, $u, 3, 'y' x 1_999_997), 204, undef, 'others come');
    $r = tus($t, 'HEAD', $u);
    is(slurp(asset_source($t, $r->{headers}{'reel-asset'})),
        'abc' . 'y' x 1_999_997, 'and those count');
}
has_status(patch($t, $url, 3, 'def', 'Upload-Checksum' => 'sha256 '
    . b64(sha256_base64('def'))), 204, undef, 'sha256');
has_status(patch($t, $url, 6, 'ghi', 'Upload-Checksum' => 'md5 '
    . b64(md5_base64('ghi'))), 204, undef, 'md5');
# of 32 zero bytes it is 8a9136aa (RFC 3720, B.4): "123456789" has e3069283
has_status(patch($t, create($t, 9), 0, '123456789',
    'Upload-Checksum' => 'crc32c 4waSgw=='), 204, undef, 'crc32c');
for my $bad ('', 'sha1', 'sha1 ', 'sha1 !', 'sha1 YQ==', 'sha512 YQ==',
    'sha256 ' . b64(sha1_base64('x'))) {
    has_status(patch($t, $url, 9, 'x', 'Upload-Checksum' => $bad), 400,
        'InvalidArgument', "\"$bad\"");
}
is(offset($t, $url), 9, 'nothing was taken');
raw($t, "PATCH $url HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n"
    . "Content-Type: $Tus::TYPE\r\nUpload-Offset: 9\r\nUpload-Checksum: sha1 "
    . b64(sha1_base64('abcdef')) . "\r\nContent-Length: 6\r\n\r\nabc",
    cut => 1);
is(offset($t, $url), 9, 'a body cut short cannot be checked');
$r = patch($t, $url, 9, 'jklmno', 'Upload-Checksum' => 'sha1 '
    . b64(sha1_base64('jklmno')));
is(slurp(asset_source($t, $r->{headers}{'reel-asset'})), 'abcdefghijklmno',
    'checked bytes complete it');

$r = tus($t, 'POST', presign($t, 'POST', '/upload/video/'), body => 'abcd',
    headers => { 'Upload-Length' => 4, 'Content-Type' => $Tus::TYPE,
        'Upload-Checksum' => 'sha1 ' . b64(sha1_base64('abcd')) });
has_status($r, 201, undef, 'a creation with a checksum');
my @before = $t->files('uploads');
$r = tus($t, 'POST', presign($t, 'POST', '/upload/video/'), body => 'abcx',
    headers => { 'Upload-Length' => 4, 'Content-Type' => $Tus::TYPE,
        'Upload-Checksum' => 'sha1 ' . b64(sha1_base64('abcd')) });
has_status($r, 460, 'ChecksumMismatch', 'a creation with a wrong one');
is_deeply([ $t->files('uploads') ], \@before, 'leaves nothing');
$r = tus($t, 'POST', '/upload/video/a', body => 'abcx', headers => {
    'Upload-Length' => 4, 'Content-Type' => $Tus::TYPE,
    %{ signed_headers($t, 'POST', '/upload/video/a',
        payload => sha256_hex('abcd')) } });
has_status($r, 400, 'XAmzContentSHA256Mismatch', 'a wrong signed hash');
is_deeply([ $t->files('uploads') ], \@before, 'leaves nothing');
$r = tus($t, 'POST', '/upload/video/a', body => 'abcd', headers => {
    'Upload-Length' => 4, 'Content-Type' => $Tus::TYPE,
    %{ signed_headers($t, 'POST', '/upload/video/a',
        payload => sha256_hex('abcd')) } });
has_status($r, 201, undef, 'the right one');

# --- DELETE ------------------------------------------------------------------
$url = create($t, 10);
patch($t, $url, 0, 'abc');
has_status(tus($t, 'DELETE', $url), 204, undef, 'DELETE');
has_status(tus($t, 'DELETE', $url), 204, undef, 'DELETE again');
$r = tus($t, 'HEAD', $url);
is($r->{status}, 410, 'HEAD of what was aborted');
ok(!defined $r->{headers}{'upload-offset'}, 'has no offset');
has_status(patch($t, $url, 3, 'd'), 410, 'UploadAborted', 'PATCH of it');
my ($id) = $url =~ m{([^/]+)$};
ok(!-e "$t->{dir}/store/uploads/$id/data", 'its bytes are gone');
unlike($t->log, qr/\[(alert|crit|emerg)\]|\[error\].* reel:/,
    'nothing in the log');

done_testing();
