# bodies of S3 that are not plain: frames, signatures, checksums
use strict;
use warnings;
use Compress::Zlib ();
use Digest::MD5 qw(md5);
use Digest::SHA qw(sha1 sha256 sha256_hex);
use MIME::Base64 qw(encode_base64);
use Test::More;
use lib 't/lib';
use Reel;
use S3;

my $t = Reel->new(conf => '
    location /upload/ { reel_upload; reel_upload_buffer 16k; }');
my $body = join '', map { chr(($_ * 31) % 253) } 1 .. 300_000;
my $part = '/upload/video/parts.mp4';
my $id = s3_create($t, $part);
my ($n, %sent) = (0);

sub b64 { return encode_base64($_[0], ''); }

# each case by PutObject and by UploadPart
sub targets {
    $n++;
    return ("/upload/video/$n", "$part?partNumber=$n&uploadId=$id");
}

sub assets { my @a = grep { /source$/ } $t->files('assets'); return @a; }

# the number of the part whose ETag and size are on record
sub on_record {
    return scalar s3_list($t, $part, $id)->{body}
        =~ m{<PartNumber>$n</PartNumber>};
}

sub taken {
    my ($name, $send, $want, $header, $value) = @_;
    for my $target (targets()) {
        my $what = $target =~ /partNumber/ ? "$name, part" : $name;
        my $r = $send->($target);
        has_status($r, 200, undef, $what);
        is($r->{headers}{$header}, $value, "$what: $header") if $header;
        if ($target !~ /partNumber/) {
            ok(source($t, $r->{headers}{'reel-asset'}) eq $want,
                "$what: the bytes");
        } else {
            $sent{$n} = [$want, $r->{headers}{etag}];
        }
    }
}

sub refused {
    my ($name, $send, $status, $code, $why) = @_;
    for my $target (targets()) {
        my $what = $target =~ /partNumber/ ? "$name, part" : $name;
        my $before = assets();
        my $r = $send->($target);
        has_status($r, $status, $code, $what);
        like($r->{body}, $why, "$what: says why") if $why;
        is(scalar(my @now = assets()), $before, "$what: no asset");
    }
    ok(!on_record(), "$name: the part is not on record");
}

sub framed {
    my ($target, $bytes, %o) = @_;
    my ($h, $out) = frames($t, 'PUT', $target, $bytes, %o);
    $out = $o{change}->($out) if $o{change};
    return http($t, 'PUT', $target, headers => { %$h,
        %{ $o{unsigned} || {} } }, body => $out);
}

# frames
taken('signed frames', sub { framed($_[0], $body, signed => 1) }, $body);
taken('signed frames of 8 KiB', sub { framed($_[0], $body, signed => 1,
    size => 8192) }, $body);
taken('a signed trailer', sub { framed($_[0], $body, signed => 1,
    trailer => ['x-amz-checksum-crc32', crc32($body)]) }, $body,
    'x-amz-checksum-crc32', crc32($body));
taken('no bytes in signed frames', sub { framed($_[0], '', signed => 1) },
    '');
taken('unsigned frames', sub { framed($_[0], $body,
    trailer => ['x-amz-checksum-crc32', crc32($body)]) }, $body,
    'x-amz-checksum-crc32', crc32($body));
taken('unsigned frames without a trailer', sub { framed($_[0], $body) },
    $body);
taken('a trailer of SHA-256', sub { framed($_[0], $body,
    trailer => ['x-amz-checksum-sha256', b64(sha256($body))]) }, $body,
    'x-amz-checksum-sha256', b64(sha256($body)));
taken('chunked outside, frames inside', sub {
    my ($h, $out) = frames($t, 'PUT', $_[0], $body,
        trailer => ['x-amz-checksum-crc32', crc32($body)]);
    my $chunks = join '', map { sprintf("%x\r\n", length) . "$_\r\n" }
        unpack '(a50000)*', $out;
    return http($t, 'PUT', $_[0], body => "${chunks}0\r\n\r\n",
        headers => { %$h, 'Transfer-Encoding' => 'chunked' });
}, $body);

refused('a byte of a signed frame is another', sub { framed($_[0], $body,
    signed => 1, change => sub { my $b = shift; substr($b, 100_000, 1) ^= 'x';
    $b }) }, 403, 'SignatureDoesNotMatch');
refused('a signature of a frame is another', sub { framed($_[0], $body,
    signed => 1, change => sub { my $b = shift;
    $b =~ s/(signature=)(.)/$1 . ($2 eq '0' ? '1' : '0')/e; $b }) },
    403, 'SignatureDoesNotMatch');
refused('the last signature is another', sub { framed($_[0], $body,
    signed => 1, change => sub { my $b = shift; $b =~ s/(.)(\r\n\r\n)\z/
    ($1 eq '0' ? '1' : '0') . $2/e; $b }) }, 403, 'SignatureDoesNotMatch');
refused('a signed trailer was changed', sub { framed($_[0], $body,
    signed => 1, trailer => ['x-amz-checksum-crc32', crc32($body)],
    change => sub { my $b = shift; my $c = crc32('');
    $b =~ s/(crc32:)[^\r]*/$1$c/; $b }) }, 403, 'SignatureDoesNotMatch');
refused('the trailer has another sum', sub { framed($_[0], $body,
    trailer => ['x-amz-checksum-crc32', crc32('x')]) }, 400, 'BadDigest');
refused('the trailer has no sum', sub { framed($_[0], $body,
    trailer => ['x-amz-checksum-crc32', 'xyz']) }, 400, 'InvalidRequest',
    qr/x-amz-checksum-crc32/);
refused('the trailer that was named is missing', sub { framed($_[0], $body,
    trailer => ['x-amz-checksum-crc32', crc32($body)],
    change => sub { my $b = shift; $b =~ s/x-amz-checksum-crc32.*\r\n\r\n/
    \r\n/x; $b }) }, 400, undef);
refused('the end is missing', sub { framed($_[0], $body,
    change => sub { my $b = shift; $b =~ s/0\r\n\r\n\z//; $b }) }, 400,
    'IncompleteBody');
refused('less than was told', sub { framed($_[0], $body,
    length => 300_001) }, 400, undef);
refused('more than was told', sub { framed($_[0], $body,
    length => 299_999) }, 400, undef);
refused('no frames at all', sub { framed($_[0], $body,
    change => sub { $body }) }, 400, 'InvalidRequest', qr/byte/);
refused('no length', sub { framed($_[0], $body, no_length => 1) }, 411,
    'MissingContentLength', qr/decoded/);
refused('a length that is none', sub { framed($_[0], $body,
    length => '1e3') }, 400, 'InvalidArgument');
refused('a checksum that is not known', sub { framed($_[0], $body,
    trailer => ['x-amz-checksum-xxhash3', 'AAAA']) }, 501,
    'NotImplemented');
refused('a trailer of a plain body', sub { s3($t, 'PUT', $_[0],
    body => $body, headers => { 'x-amz-trailer' => 'x-amz-checksum-crc32' })
    }, 400, 'InvalidRequest');
refused('a form of payload that is not known', sub { s3($t, 'PUT', $_[0],
    body => $body, payload => 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD') },
    400, 'AuthorizationHeaderMalformed');

# sums in headers
my $crc = crc32($body);
for ([crc32 => crc32($body)], [sha1 => b64(sha1($body))],
    [sha256 => b64(sha256($body))])
{
    my ($kind, $value) = @$_;
    taken("x-amz-checksum-$kind", sub { s3($t, 'PUT', $_[0], body => $body,
        headers => { "x-amz-checksum-$kind" => $value }) }, $body,
        "x-amz-checksum-$kind", $value);
}
taken('a sum, the name of its kind and its type', sub { s3($t, 'PUT', $_[0],
    body => $body, headers => { 'x-amz-checksum-crc32' => $crc,
    'x-amz-sdk-checksum-algorithm' => 'CRC32',
    'x-amz-checksum-type' => 'FULL_OBJECT' }) }, $body);
taken('Content-MD5', sub { s3($t, 'PUT', $_[0], body => $body,
    headers => { 'content-md5' => b64(md5($body)) }) }, $body);
taken('Content-MD5, a sum and the SHA-256', sub { s3($t, 'PUT', $_[0],
    body => $body, payload => sha256_hex($body), headers => {
    'content-md5' => b64(md5($body)), 'x-amz-checksum-crc32' => $crc }) },
    $body);
taken('the SHA-256', sub { s3($t, 'PUT', $_[0], body => $body,
    payload => sha256_hex($body)) }, $body);

refused('x-amz-checksum-crc32 is another', sub { s3($t, 'PUT', $_[0],
    body => $body, headers => { 'x-amz-checksum-crc32' => crc32('') }) },
    400, 'BadDigest');
refused('Content-MD5 is another', sub { s3($t, 'PUT', $_[0], body => $body,
    headers => { 'content-md5' => b64(md5('')) }) }, 400, 'BadDigest');
refused('the SHA-256 is another', sub { s3($t, 'PUT', $_[0], body => $body,
    payload => sha256_hex('')) }, 400, 'XAmzContentSHA256Mismatch');
refused('Content-MD5 is none', sub { s3($t, 'PUT', $_[0], body => $body,
    headers => { 'content-md5' => 'abc' }) }, 400, 'InvalidDigest');
refused('x-amz-checksum-sha1 is none', sub { s3($t, 'PUT', $_[0],
    body => $body, headers => { 'x-amz-checksum-sha1' => $crc }) }, 400,
    'InvalidRequest');
refused('two sums', sub { s3($t, 'PUT', $_[0], body => $body, headers => {
    'x-amz-checksum-crc32' => $crc, 'x-amz-checksum-sha1' =>
    b64(sha1($body)) }) }, 400, 'InvalidRequest');
refused('conditions', sub { s3($t, 'PUT', $_[0], body => $body,
    headers => { 'if-none-match' => '*' }) }, 501, 'NotImplemented');
refused('a copy', sub { s3($t, 'PUT', $_[0], body => '',
    headers => { 'x-amz-copy-source' => '/video/1' }) }, 501,
    'NotImplemented');

# SDKs sign the checksum of no bytes into a presigned query
for my $target (targets()) {
    my ($path, $q) = split /\?/, $target;
    my %q = map { split /=/ } split /&/, $q // '';
    my $r = http($t, 'PUT', presign($t, 'PUT', $path, query => { %q,
        'x-amz-checksum-crc32' => 'AAAAAA==',
        'x-amz-sdk-checksum-algorithm' => 'CRC32' }), body => $body);
    has_status($r, 200, undef, 'a checksum in the query of '
        . ($q ? 'a part' : 'a PUT'));
    is($r->{headers}{'x-amz-checksum-crc32'}, undef, 'is not told again');
}

# the sums of parts are on record, and the whole is compared with the list's
sub sum_of {
    my ($xml, $n) = @_;
    my ($p) = $xml =~ m{<Part><PartNumber>$n</PartNumber>(.*?)</Part>};
    return $p =~ m{<Checksum(\w+)>([^<]*)<} ? "$1 $2" : '';
}
my ($first) = grep { $sent{$_}[0] eq $body } sort { $a <=> $b } keys %sent;
my $key = '/upload/video/sums.mp4';
my $big = 'z' x (5 << 20);
my @part = ($big, 'tail');
sub begin {
    my (%o) = @_;
    my $up = s3_create($t, $key, headers => {
        'x-amz-checksum-algorithm' => 'CRC32', %o });
    my @etag = map { s3_part($t, $key, $up, $_, $part[$_ - 1], headers =>
        { 'x-amz-checksum-crc32' => crc32($part[$_ - 1]) })->{headers}{etag} }
        1, 2;
    return ($up, @etag);
}
sub with_sums {
    my ($etag, @sum) = @_;
    return '<CompleteMultipartUpload>' . join('', map { '<Part><ETag>'
        . "$etag->[$_ - 1]</ETag><ChecksumCRC32>$sum[$_ - 1]</ChecksumCRC32>"
        . "<PartNumber>$_</PartNumber></Part>" } 1, 2)
        . '</CompleteMultipartUpload>';
}
my ($up, @etag) = begin();
my @sum = map { crc32($_) } @part;
is(sum_of(s3_list($t, $key, $up)->{body}, 2), "CRC32 $sum[1]",
    'ListParts tells the checksum');
has_status(s3_complete($t, $key, $up, with_sums(\@etag, $sum[0], $sum[0])),
    400, 'InvalidPart', 'another checksum in the list');
my $r = s3_complete($t, $key, $up, with_sums(\@etag, @sum));
has_status($r, 200, undef, 'a list with checksums');
my $of_sums = crc32(join '', map { MIME::Base64::decode_base64($_) } @sum);
is(xml($r, 'ChecksumCRC32'), "$of_sums-2", 'the composite checksum');
is(xml($r, 'ChecksumType'), 'COMPOSITE', 'and its type');
is(s3_complete($t, $key, $up, with_sums(\@etag, @sum))->{body}, $r->{body},
    'and again');

($up, @etag) = begin('x-amz-checksum-type' => 'FULL_OBJECT');
for ([crc32('x'), 400, 'BadDigest'], ["$of_sums-3", 400, 'BadDigest'],
    ['x', 400, 'InvalidRequest'], [crc32($big . 'tail'), 200, undef])
{
    my ($value, $status, $code) = @$_;
    $r = s3_complete($t, $key, $up, [1, $etag[0], 2, $etag[1]], headers => {
        'x-amz-checksum-crc32' => $value,
        'x-amz-checksum-type' => 'FULL_OBJECT' });
    has_status($r, $status, $code, "the whole has $value");
}
is(xml($r, 'ChecksumCRC32'), crc32($big . 'tail'), 'is told again');
is(xml($r, 'ChecksumType'), 'FULL_OBJECT', 'with its type');

($up, @etag) = begin();
has_status(s3_complete($t, $key, $up, [1, $etag[0], 2, $etag[1]],
    headers => { 'x-amz-checksum-sha256' => b64(sha256('x')) }), 400,
    'InvalidRequest', 'a checksum that does not follow');
has_status(s3_complete($t, $key, $up, [1, $etag[0], 2, $etag[1]],
    headers => { 'x-amz-checksum-crc32' => "$of_sums-2" }), 200, undef,
    'a composite checksum of the whole');
has_status(s3($t, 'POST', "$key?uploads", headers => {
    'x-amz-checksum-algorithm' => 'XXHASH3' }), 501, 'NotImplemented',
    'create: an algorithm that is not known');

unlike($t->log, qr/\[(?:alert|emerg|crit)\]/, 'nothing alarming in the log');

done_testing();
