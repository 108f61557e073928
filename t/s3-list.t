# S3: listings of parts and uploads, heads, buckets
use strict;
use warnings;
use Test::More;
use lib 't/lib';
use Reel;
use S3;

my $t = Reel->new(redis => 1);
my $up = '/upload/video';

# parts
my $key = "$up/film%20%26%20more.mp4";
my $id = s3_create($t, $key);
my $r = s3_list($t, $key, $id);
has_status($r, 200, undef, 'no part yet');
has_header($r, 'Content-Type', qr{^application/xml$}, 'ListParts');
unlike($r->{body}, qr/<Part>/, 'lists none');
is(xml($r, 'UploadId'), $id, 'UploadId');
is(xml($r, 'Bucket'), 'video', 'Bucket');
is(xml($r, 'Key'), 'film &amp; more.mp4', 'Key');
is(xml($r, 'IsTruncated'), 'false', 'IsTruncated');

my %etag;
for my $n (1, 3, 20) {
    $etag{$n} = s3_part($t, $key, $id, $n, 'x' x $n, headers =>
        { 'x-amz-checksum-crc32' => crc32('x' x $n) })->{headers}{etag};
}
sub parts { return $_[0]{body} =~ m{<Part><PartNumber>(\d+)</PartNumber>}g; }
$r = s3_list($t, $key, $id);
is_deeply([parts($r)], [1, 3, 20], 'all parts, ascending');
like($r->{body}, qr{<Part><PartNumber>3</PartNumber><LastModified>20\d\d-\d\d-
    \d\dT\d\d:\d\d:\d\d\.\d\d\dZ</LastModified><ETag>(&quot;[0-9a-f]{16}-1&quot;)
    </ETag><Size>3</Size><ChecksumCRC32>\Q${\ crc32('xxx')}\E</ChecksumCRC32>
    </Part>}x, 'what is known of one');
is((xml($r, 'ETag')), $etag{1}, 'the ETag that was told');
$r = s3_list($t, $key, $id, '&max-parts=2');
is_deeply([parts($r)], [1, 3], 'the first two');
is(xml($r, 'IsTruncated'), 'true', 'there are more');
is(xml($r, 'NextPartNumberMarker'), 3, 'behind this one');
$r = s3_list($t, $key, $id, '&max-parts=2&part-number-marker=3');
is_deeply([parts($r)], [20], 'the next page');
is(xml($r, 'IsTruncated'), 'false', 'is the last');
is(xml($r, 'PartNumberMarker'), 3, 'PartNumberMarker');
$r = s3_list($t, $key, $id, '&max-parts=0');
is_deeply([parts($r)], [], 'none are asked for');
has_status(s3_list($t, $key, $id, '&max-parts=x'), 400, 'InvalidArgument',
    'max-parts');
has_status(s3_list($t, $key, $id, '&part-number-marker=-1'), 400,
    'InvalidArgument', 'part-number-marker');
has_status(s3_list($t, $key, '0' x 32), 404, 'NoSuchUpload',
    'an upload that is not there');

# uploads
my %id = (film => $id);
$id{$_} = s3_create($t, "$up/$_") for qw(b/2 b/1 c a/x/1 a/x/2);
$id{'b/1 again'} = s3_create($t, "$up/b/1");
s3_create($t, '/upload/second/other');
xml(s3($t, 'POST', '/upload/theirs/x?uploads', key => $Reel::KEY2,
    secret => $Reel::SECRET2), 'UploadId') or die;
my $gone = s3_create($t, "$up/gone");
s3($t, 'DELETE', "$up/gone?uploadId=$gone");
my $done = s3_create($t, "$up/done");
s3_complete($t, "$up/done", $done, [1,
    s3_part($t, "$up/done", $done, 1, 'x')->{headers}{etag}]);

sub keys_of {
    my ($r) = @_;
    return [$r->{body} =~ m{<Upload><Key>([^<]*)</Key>}g];
}
sub prefixes_of {
    my ($r) = @_;
    return [$r->{body} =~ m{<CommonPrefixes><Prefix>([^<]*)</Prefix>}g];
}

for my $target ("$up?uploads", "$up/?uploads=") {
    $r = s3($t, 'GET', $target);
    has_status($r, 200, undef, $target);
    is_deeply(keys_of($r), [qw(a/x/1 a/x/2 b/1 b/1 b/2 c),
        'film &amp; more.mp4'], 'open uploads of this bucket, sorted');
}
is(xml($r, 'Bucket'), 'video', 'Bucket');
is(xml($r, 'IsTruncated'), 'false', 'IsTruncated');
like($r->{body}, qr{<Key>c</Key><UploadId>$id{c}</UploadId>.*?<Initiated>20
    \d\d-\d\d-\d\dT}xs, 'what is known of one');
$r = s3($t, 'GET', "$up?delimiter=&max-uploads=1000&prefix=b%2F1&uploads=");
is_deeply(keys_of($r), ['b/1', 'b/1'], 'a prefix, as minio-js asks');
$r = s3($t, 'GET', "$up?delimiter=%2F&uploads=");
is_deeply(keys_of($r), ['c', 'film &amp; more.mp4'], 'a delimiter');
is_deeply(prefixes_of($r), ['a/', 'b/'], 'leaves common prefixes');
$r = s3($t, 'GET', "$up?delimiter=%2F&prefix=a%2F&uploads=");
is_deeply(prefixes_of($r), ['a/x/'], 'prefix and delimiter');
is_deeply(keys_of($r), [], 'prefix and delimiter: no more');
$r = s3($t, 'GET', "$up?encoding-type=url&prefix=film&uploads=");
is_deeply(keys_of($r), ['film%20%26%20more.mp4'], 'encoding-type=url');

# in pages, with and without a delimiter
for my $more ('', 'delimiter=%2F&') {
    my @want = (@{ prefixes_of(s3($t, 'GET', "$up?${more}uploads=")) },
        @{ keys_of(s3($t, 'GET', "$up?${more}uploads=")) });
    my ($marker, $upload, @got, $pages) = ('', '');
    do {
        $r = s3($t, 'GET', "$up?${more}encoding-type=url&key-marker=$marker"
            . "&max-uploads=1&upload-id-marker=$upload&uploads=");
        my @page = (@{ prefixes_of($r) }, @{ keys_of($r) });
        push @got, map { s/%20/ /g; s/%26/&amp;/; $_ } @page;
        is(scalar @page, 1, 'one a page');
        ($marker, $upload) = (xml($r, 'NextKeyMarker'),
            xml($r, 'NextUploadIdMarker'));
        $marker =~ s{/}{%2F}g;
    } while xml($r, 'IsTruncated') eq 'true' && ++$pages < 20;
    is_deeply(\@got, \@want, "all pages of '$more'");
}
$r = s3($t, 'GET', "$up?key-marker=b%2F1&uploads=");
is_deeply(keys_of($r), ['b/2', 'c', 'film &amp; more.mp4'],
    'key-marker alone passes over all of that key');
has_status(s3($t, 'GET', "$up?encoding-type=x&uploads="), 400,
    'InvalidArgument', 'encoding-type');
has_status(s3($t, 'GET', "$up?max-uploads=x&uploads="), 400,
    'InvalidArgument', 'max-uploads');

# HeadObject: the newest of a key
$r = s3($t, 'HEAD', "$up/head.mp4");
has_status($r, 404, undef, 'HEAD of nothing');
is($r->{body}, '', 'has no body');
my $put = s3($t, 'PUT', "$up/head.mp4", body => 'first',
    headers => { 'content-type' => 'video/mp4' });
$r = s3($t, 'HEAD', "$up/head.mp4");
has_status($r, 200, undef, 'HEAD after a PUT');
is($r->{headers}{'content-length'}, 5, 'Content-Length');
is($r->{headers}{'content-type'}, 'video/mp4', 'Content-Type');
is($r->{headers}{etag}, $put->{headers}{etag}, 'ETag');
is($r->{headers}{'reel-asset'}, $put->{headers}{'reel-asset'}, 'reel-asset');
has_header($r, 'Last-Modified', qr/GMT$/, 'HEAD');
is($r->{body}, '', 'no body');
$id = s3_create($t, "$up/head.mp4");
my $second = s3_complete($t, "$up/head.mp4", $id, [1,
    s3_part($t, "$up/head.mp4", $id, 1, 'the second')->{headers}{etag}]);
$r = s3($t, 'HEAD', "$up/head.mp4");
is($r->{headers}{'content-length'}, 10, 'HEAD after a multipart upload');
is($r->{headers}{etag}, xml($second, 'ETag'), 'with its ETag');
is($r->{headers}{'content-type'}, 'application/octet-stream',
    'a type that nobody told');
has_status(s3($t, 'HEAD', '/upload/second/head.mp4'), 404, undef,
    'HEAD in another bucket');
has_status(http($t, 'HEAD', presign($t, 'HEAD', "$up/head.mp4")), 200, undef,
    'HEAD presigned');
has_status(http($t, 'HEAD', "$up/head.mp4"), 403, undef, 'HEAD unsigned');
my $asset = $second->{headers}{'reel-asset'};
has_status(http($t, 'DELETE', "/api/assets/$asset",
    headers => signed_headers($t, 'DELETE', "/api/assets/$asset")), 204,
    undef, 'the asset is deleted');
has_status(s3($t, 'HEAD', "$up/head.mp4"), 404, undef, 'HEAD after that');

# what is not there
has_status(s3($t, 'GET', "$up/head.mp4"), 405, 'MethodNotAllowed',
    'GET of an object');
has_status(s3($t, 'DELETE', "$up/head.mp4"), 405, 'MethodNotAllowed',
    'DELETE of an object');
has_status(s3($t, 'GET', "$up?list-type=2"), 501, 'NotImplemented',
    'ListObjectsV2');
has_status(s3($t, 'GET', $up), 501, 'NotImplemented', 'ListObjects');
has_status(s3($t, 'DELETE', $up), 405, 'MethodNotAllowed', 'DeleteBucket');

# buckets
for my $path ($up, "$up/") {
    has_status(s3($t, 'HEAD', $path), 200, undef, "HEAD $path");
    has_status(s3($t, 'PUT', $path, body => ''), 200, undef, "PUT $path");
    $r = s3($t, 'GET', "$path?location");
    has_status($r, 200, undef, "GetBucketLocation $path");
    like($r->{body}, qr{<LocationConstraint [^>]*/>}, 'us-east-1');
}
for ('<CreateBucketConfiguration/>', '<?xml version="1.0"?>'
    . '<CreateBucketConfiguration xmlns="x"><LocationConstraint>eu'
    . '</LocationConstraint></CreateBucketConfiguration>')
{
    has_status(s3($t, 'PUT', $up, body => $_), 200, undef,
        'CreateBucket with a body');
}
for ('a film', '<Film/>', 'x' x 4096, 'x' x 100_000) {
    has_status(s3($t, 'PUT', $up, body => $_), 400, 'InvalidArgument',
        length() . ' bytes that have no name');
}
has_status(s3($t, 'PUT', $up, body => "1\r\nx\r\n0\r\n\r\n", unsigned =>
    { 'Transfer-Encoding' => 'chunked' }), 400, 'InvalidArgument',
    'chunked bytes that have no name');
for my $m (qw(HEAD PUT)) {
    has_status(s3($t, $m, '/upload/theirs'), 404,
        $m eq 'PUT' ? 'NoSuchBucket' : undef, "$m of another's bucket");
}
$r = s3($t, 'GET', '/upload/');
has_status($r, 200, undef, 'ListBuckets');
is_deeply([$r->{body} =~ m{<Name>([^<]*)}g], ['video', 'second'],
    'the buckets of this key');

unlike($t->log, qr/\[(?:alert|emerg|crit)\]/, 'nothing alarming in the log');

done_testing();
