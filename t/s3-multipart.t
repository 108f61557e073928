# S3 multipart: create, parts in any order, complete, abort
# last: a deadline is measured, with slack for a busy machine
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use IO::Socket::INET;
use Test::More;
use Time::HiRes ();
use lib 't/lib';
use Reel;
use S3;

my $t = Reel->new(redis => 1, conf => '
    location /upload/ { reel_upload; }
    location /small/  { reel_upload; reel_upload_max_size 6m; }');
my $key = '/upload/video/a%20b/%C3%9C.mp4';
my $mib = 1024 * 1024;
my @body = ('a' x (5 * $mib) . 'x', 'b' x (5 * $mib) . 'y', 'end');

my $r = s3($t, 'POST', "$key?uploads=");
has_status($r, 200, undef, 'create');
has_header($r, 'Content-Type', qr{^application/xml$}, 'create');
has_header($r, 'x-amz-request-id', qr/^\w+$/, 'create');
is(xml($r, 'Bucket'), 'video', 'create: Bucket');
like($r->{body}, qr{<Key>a b/\xc3\x9c.mp4</Key>}, 'create: Key');
my $id = xml($r, 'UploadId');
like($id, qr/^[0-9a-f]{32}$/, 'create: UploadId');
my $asset = $r->{headers}{'reel-asset'};
like($asset, qr/^[0-9a-hjkmnp-tv-z]{26}$/, 'create: the asset it will be');
is(my @none = $t->files('assets'), 0, 'which does not stand yet');

# in an order of their own, the second one twice
my @etag;
for my $n (3, 1, 2, 2) {
    $r = s3_part($t, $key, $id, $n, $body[$n - 1]);
    has_status($r, 200, undef, "part $n");
    has_header($r, 'ETag', qr/^"[0-9a-f]{16}-1"$/, "part $n");
    isnt($r->{headers}{etag}, $etag[$n] // '', "part $n: an ETag of its own");
    $etag[$n] = $r->{headers}{etag};
}

my @list = map { $_ => $etag[$_] } 1 .. 3;
has_status(s3_complete($t, $key, $id, [1, $etag[1], 2, '"0123456789abcdef-1"']),
    400, 'InvalidPart', 'another ETag');
has_status(s3_complete($t, $key, $id, [1, $etag[1], 4, $etag[1]]), 400,
    'InvalidPart', 'a part that is not there');
has_status(s3_complete($t, $key, $id, [2, $etag[2], 1, $etag[1]]), 400,
    'InvalidPartOrder', 'not in order');
has_status(s3_complete($t, $key, $id, [1, $etag[1], 1, $etag[1]]), 400,
    'InvalidPartOrder', 'twice');
has_status(s3_complete($t, $key, $id, '<CompleteMultipartUpload/>'), 400,
    'MalformedXML', 'an empty list');
has_status(s3_complete($t, $key, $id, 'hello'), 400, 'MalformedXML',
    'no document');
has_status(s3_complete($t, $key, $id, ''), 400, 'MalformedXML', 'nothing');
has_status(s3_complete($t, $key, $id, '<!DOCTYPE a>' . part_list(@list)), 400,
    'MalformedXML', 'a document type');
has_status(s3_complete($t, $key, $id, ' ' x (2 * $mib + 1)), 413,
    'EntityTooLarge', 'a body of 2 MiB and one');
has_status(s3_complete($t, $key, $id, \@list,
    headers => { 'x-amz-mp-object-size' => 7 }), 400, 'InvalidRequest',
    'another size of the whole');
has_status(s3_complete($t, $key, $id, part_list(@list),
    payload => sha256_hex('x')), 400, 'XAmzContentSHA256Mismatch',
    'a list that was not signed');
is(@none = $t->files('assets'), 0, 'nothing stands after all of these');

my $whole = join '', @body;
$r = s3_complete($t, $key, $id, \@list,
    payload => sha256_hex(part_list(@list)),
    headers => { 'x-amz-mp-object-size' => length $whole });
has_status($r, 200, undef, 'complete');
has_header($r, 'Content-Type', qr{^application/xml$}, 'complete');
is($r->{headers}{'reel-asset'}, $asset, 'complete: the asset');
is(xml($r, 'Location'), "http://127.0.0.1:$t->{port}$key", 'Location');
is(xml($r, 'Bucket'), 'video', 'Bucket');
like($r->{body}, qr{<Key>a b/\xc3\x9c.mp4</Key>}, 'Key');
like(xml($r, 'ETag'), qr/^"[^"]+-3"$/, 'ETag names three parts');
ok(source($t, $asset) eq $whole, 'the source is the parts in order');
Reel::wait_for(sub { $t->redis('ZSCORE', 'reel1:{r0}:jobs', "$asset.1") },
    'the job is queued');

my $again = s3_complete($t, $key, $id, \@list);
has_status($again, 200, undef, 'complete again');
is($again->{body}, $r->{body}, 'has the same answer');
is($again->{headers}{'reel-asset'}, $asset, 'and the same asset');
has_status(s3_complete($t, $key, $id, [1, $etag[1]]), 400, 'InvalidPart',
    'complete again with another list');
has_status(s3_part($t, $key, $id, 4, 'x'), 404, 'NoSuchUpload',
    'a part after that');
has_status(s3_list($t, $key, $id), 404, 'NoSuchUpload',
    'a listing after that');
has_status(s3($t, 'DELETE', "$key?uploadId=$id"), 404, 'NoSuchUpload',
    'an abort after that');
ok(source($t, $asset) eq $whole, 'changed nothing');
is(scalar(grep { /request\.json$/ } $t->files('assets')), 1, 'one asset');

# numbers with holes; the last may be small, the others not
$key = '/upload/video/b.mp4';
$id = s3_create($t, $key);
my $e = {};
for my $n (2, 7, 10000) {
    $e->{$n} = s3_part($t, $key, $id, $n, $body[0])->{headers}{etag};
}
$e->{9} = s3_part($t, $key, $id, 9, 'small')->{headers}{etag};
$r = s3_complete($t, $key, $id,
    [2, $e->{2}, 7, $e->{7}, 9, $e->{9}, 10000, $e->{10000}]);
has_status($r, 400, 'EntityTooSmall', 'a small part in the midst');
like($r->{body}, qr/part 9 has 5 bytes/, 'is named');
$r = s3_complete($t, $key, $id, [2, $e->{2}, 7, $e->{7}, 9, $e->{9}]);
has_status($r, 200, undef, 'some parts, with holes between their numbers');
ok(source($t, $r->{headers}{'reel-asset'}) eq $body[0] x 2 . 'small',
    'are the source; what was not listed is not');

# quotes as other clients write them, a part of no bytes
$id = s3_create($t, $key);
my $etag = s3_part($t, $key, $id, 1, '')->{headers}{etag};
(my $bare = $etag) =~ s/"//g;
$r = s3_complete($t, $key, $id, [1, "&#34;$bare&#34;"]);
has_status($r, 200, undef, 'a part of no bytes, quotes as references');
is(source($t, $r->{headers}{'reel-asset'}), '', 'an empty source');

# abort
$id = s3_create($t, $key);
s3_part($t, $key, $id, 1, $body[0]);
$r = s3($t, 'DELETE', "$key?uploadId=$id");
has_status($r, 204, undef, 'abort');
has_status(s3($t, 'DELETE', "$key?uploadId=$id"), 204, undef, 'abort again');
has_status(s3_part($t, $key, $id, 1, 'x'), 404, 'NoSuchUpload',
    'a part after an abort');
has_status(s3_complete($t, $key, $id, [1, '"x"']), 404, 'NoSuchUpload',
    'a completion after an abort');
my ($left) = grep { /data|parts/ } $t->files("uploads/$id");
is($left, undef, 'its bytes are gone');

# whose upload it is
$id = s3_create($t, $key);
for (["$key.", 'another key'], ['/upload/second/b.mp4', 'another bucket']) {
    has_status(s3_part($t, $_->[0], $id, 1, 'x'), 404, 'NoSuchUpload',
        $_->[1]);
    has_status(s3_list($t, $_->[0], $id), 404, 'NoSuchUpload', $_->[1]);
    has_status(s3_complete($t, $_->[0], $id, [1, '"x"']), 404,
        'NoSuchUpload', $_->[1]);
    has_status(s3($t, 'DELETE', "$_->[0]?uploadId=$id"), 404, 'NoSuchUpload',
        $_->[1]);
}
for my $bad ('0' x 32, 'x', '..', $id . '0', uc $id, '', '%00') {
    has_status(s3_part($t, $key, $bad, 1, 'x'), 404, 'NoSuchUpload',
        "uploadId \"$bad\"");
}
has_status(s3($t, 'PUT', "$key?partNumber=1&uploadId=$id", body => 'x',
    key => $Reel::KEY2, secret => $Reel::SECRET2), 404, 'NoSuchBucket',
    'the key of another project');
has_status(http($t, 'PUT', "$key?partNumber=1&uploadId=$id", body => 'x'),
    403, 'AccessDenied', 'a part that is not signed');

# a part's parameters
for my $bad (0, 10001, -1, 'x', '1x', '99999999999999999999') {
    has_status(s3_part($t, $key, $id, $bad, 'x'), 400, 'InvalidArgument',
        "part $bad");
}
has_status(s3($t, 'PUT', "$key?uploadId=$id", body => 'x'), 400,
    'InvalidArgument', 'a part without a number');
has_status(s3($t, 'PUT', "$key?partNumber=1", body => 'x'), 404,
    'NoSuchUpload', 'a part without an upload');
has_status(s3($t, 'PUT', "$key?partNumber=1&uploadId=$id",
    unsigned => { 'Transfer-Encoding' => 'chunked' },
    body => "1\r\nx\r\n0\r\n\r\n"), 411, 'MissingContentLength',
    'a part of no known length');
has_status(s3($t, 'PUT', "$key?partNumber=1&uploadId=$id",
    headers => { 'x-amz-copy-source' => '/video/a' }, body => ''), 501,
    'NotImplemented', 'UploadPartCopy');
$r = raw($t, "PUT $key?partNumber=1&uploadId=$id HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$t->{port}\r\nConnection: close\r\n"
    . "Content-Length: 5368709121\r\n" . join('', map { "$_->[0]: $_->[1]\r\n" }
    map { my $h = $_; map { [$_, $h->{$_}] } keys %$h }
    signed_headers($t, 'PUT', "$key?partNumber=1&uploadId=$id")) . "\r\n");
like($r, qr/^HTTP\/1.1 413 .*EntityTooLarge.*5368709120/s,
    'a part of 5 GiB and one');

# limits bind all parts together
$id = s3_create($t, '/small/video/c.mp4');
s3_part($t, '/small/video/c.mp4', $id, 1, $body[0]);
$r = s3_part($t, '/small/video/c.mp4', $id, 2, 'x' x $mib);
has_status($r, 413, 'EntityTooLarge', 'over reel_upload_max_size together');
like($r->{body}, qr/parts together.*reel_upload_max_size.*6291456/,
    'names the limit');
has_status(s3_part($t, '/small/video/c.mp4', $id, 1, 'x' x (6 * $mib)), 200,
    undef, 'a part again is counted once');

my $q = 'reel-max-bytes=10&reel-name=film&reel-type=video%2Fmp4&uploads=';
$r = s3($t, 'POST', "/upload/video/d?$q");
has_status($r, 400, 'InvalidRequest', 'create: another type than signed');
$r = s3($t, 'POST', "/upload/video/d?$q",
    headers => { 'content-type' => 'video/mp4' });
has_status($r, 200, undef, 'create with signed parameters');
$id = xml($r, 'UploadId');
$r = s3_part($t, '/upload/video/d', $id, 1, 'x' x 11);
has_status($r, 413, 'EntityTooLarge', 'over reel-max-bytes');
like($r->{body}, qr/reel-max-bytes.*at most 10 bytes/, 'names the limit');
$etag = s3_part($t, '/upload/video/d', $id, 1, 'x' x 10)->{headers}{etag};
$r = s3_complete($t, '/upload/video/d', $id, [1, $etag]);
has_status($r, 200, undef, 'up to the limit');
$asset = $r->{headers}{'reel-asset'};
my $rq = json(slurp("$t->{dir}/store/assets/" . substr($asset, -2)
    . "/$asset/request.json"));
is($rq->{name}, 'film', 'reel-name');
is($rq->{content_type}, 'video/mp4', 'Content-Type');
is($rq->{size}, 10, 'the size');
has_status(s3($t, 'POST', '/upload/video/d?reel-max-byte=1&uploads='), 400,
    'InvalidArgument', 'create: a parameter that is not known');

# the asset's id fixed beforehand
$q = "reel-asset=$asset&uploads=";
has_status(s3($t, 'POST', "/upload/video/d?$q"), 409, 'OperationAborted',
    'create: the asset stands');

# the SHA-256 of the whole
$q = 'reel-sha256=' . sha256_hex('right') . '&uploads=';
for (['right', 200, undef], ['wrong', 400, 'XAmzContentSHA256Mismatch']) {
    $id = xml(s3($t, 'POST', "/upload/video/e?$q"), 'UploadId');
    $etag = s3_part($t, '/upload/video/e', $id, 1, $_->[0])->{headers}{etag};
    has_status(s3_complete($t, '/upload/video/e', $id, [1, $etag]), $_->[1],
        $_->[2], "reel-sha256: $_->[0]");
}

# presigned, as a browser does it
$id = xml(http($t, 'POST', presign($t, 'POST', '/upload/video/f',
    query => { uploads => '' }), body => ''), 'UploadId');
$r = http($t, 'PUT', presign($t, 'PUT', '/upload/video/f',
    query => { uploadId => $id, partNumber => 1 }), body => 'abc',
    headers => { Origin => 'https://app.example' });
has_status($r, 200, undef, 'presigned part');
has_header($r, 'Access-Control-Expose-Headers', qr/\bETag\b/,
    'presigned part');
$r = http($t, 'POST', presign($t, 'POST', '/upload/video/f',
    query => { uploadId => $id }), body => part_list(1, $r->{headers}{etag}));
has_status($r, 200, undef, 'presigned completion');

# a body that is on its way makes room for who comes later
sub begin_part {
    my ($path, $upload, $n) = @_;
    my $target = "$path?partNumber=$n&uploadId=$upload";
    my $h = signed_headers($t, 'PUT', $target);
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}")
        or die "connect: $!";
    print $s "PUT $target HTTP/1.1\r\nHost: 127.0.0.1:$t->{port}\r\n"
        . "Content-Length: 100\r\n"
        . join('', map { "$_: $h->{$_}\r\n" } keys %$h) . "\r\nhalf";
    $s->flush;
    return $s;
}

sub gone {
    my ($s) = @_;
    my $left = '';
    local $SIG{ALRM} = sub { die "the old request goes on\n" };
    alarm 10;
    1 while sysread $s, $left, 4096, length $left;
    alarm 0;
    return $left;
}

$key = '/upload/video/g';
$id = s3_create($t, $key);
my $old = begin_part($key, $id, 1);
Reel::sleep(0.3);
my $since = Time::HiRes::time();
$r = s3_part($t, $key, $id, 1, 'newer');
my $took = Time::HiRes::time() - $since;
has_status($r, 200, undef, 'a newer request for a part');
$etag = $r->{headers}{etag};
cmp_ok($took, '<', 3, 'waits for nobody');
is(gone($old), '', 'the older one hears nothing');
my $other = begin_part($key, $id, 2);
Reel::sleep(0.3);
has_status(s3_part($t, $key, $id, 3, 'x'), 200, undef,
    'another part goes on beside it');
$since = Time::HiRes::time();
$r = s3_complete($t, $key, $id, [1, $etag]);
has_status($r, 200, undef, 'completion while a part is on its way');
cmp_ok(Time::HiRes::time() - $since, '<', 3, 'waits for nobody');
is(source($t, $r->{headers}{'reel-asset'}), 'newer', 'with what was listed');
is(gone($other), '', 'the part is cut off');
$id = s3_create($t, $key);
$other = begin_part($key, $id, 2);
Reel::sleep(0.3);
has_status(s3($t, 'DELETE', "$key?uploadId=$id"), 204, undef,
    'abort while a part is on its way');
is(gone($other), '', 'the part is cut off');

# a part that is cut off leaves the one before it
$id = s3_create($t, $key);
$etag = s3_part($t, $key, $id, 1, 'whole')->{headers}{etag};
close begin_part($key, $id, 1);
Reel::sleep(0.2);
$r = s3_complete($t, $key, $id, [1, $etag]);
has_status($r, 200, undef, 'a part cut off');
is(source($t, $r->{headers}{'reel-asset'}), 'whole',
    'does not touch what was there');

unlike($t->log, qr/\[(?:alert|emerg|crit)\]/, 'nothing alarming in the log');

done_testing();
