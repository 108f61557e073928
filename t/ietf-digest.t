# digests (RFC 9530) of resumable uploads of the IETF
use strict;
use warnings;
use Digest::MD5 qw(md5_base64);
use Digest::SHA qw(sha1_base64 sha256_base64 sha256_hex);
use Test::More;
use lib 't/lib';
use Ietf;
use Reel;

my $t = Reel->new(workers => 2, conf => 'location /upload/ { reel_upload; }');

my %partial = ('Content-Type' => 'application/partial-upload');
my $types = 'https://iana.org/assignments/http-problem-types#';

sub pad { my ($s) = @_; return $s . '=' x (-length($s) % 4) }
sub sha256 { return 'sha-256=:' . pad(sha256_base64($_[0])) . ':' }
sub to { my (%q) = @_; return presign($t, 'POST', '/upload/video/',
    query => \%q) }
sub part { my ($url, $offset, $bytes, $complete, %h) = @_;
    return ask($t, 'PATCH', $url, $bytes, Ietf::flag(8, $complete),
        %partial, 'Upload-Offset' => $offset, %h) }
sub at { return ask($t, 'HEAD', $_[0], undef)->{headers}{'upload-offset'} }
sub refused { my ($r, $code, $type, $name) = @_;
    has_status($r, 400, $code, $name);
    is((json($r->{body}) || {})->{type}, "$types$type", "$name: its type") }
sub assets { return scalar grep { m{/source\z} } $t->files('assets') }

# of the content of an append
my $bytes = bytes(300_000);
my ($one, $two) = (substr($bytes, 0, 200_000), substr($bytes, 200_000));
for my $c (
    [ 'sha-256', sub { sha256($_[0]) } ],
    [ 'parameters', sub { sha256($_[0]) . ';a=1' } ],
    [ 'beside one not known', sub { 'x=:AAAA:, ' . sha256($_[0]) } ],
    [ 'the strongest counts', sub { 'md5=:' . pad(md5_base64('no')) . ':, '
        . sha256($_[0]) } ],
    [ 'sha-1', sub { 'sha=:' . pad(sha1_base64($_[0])) . ':' } ],
    [ 'md5', sub { 'md5=:' . pad(md5_base64($_[0])) . ':' } ],
) {
    my ($name, $digest) = @$c;
    my $url = create($t, 8);
    for my $h ([], [ 'Transfer-Encoding' => 'chunked' ]) {
        my $r = part($url, 0, $one, 0, 'Content-Digest' => $digest->($two),
            @$h);
        refused($r, 'BadDigest', 'digest-mismatched-values', "$name, wrong");
        has_header($r, 'upload-offset', qr{^0\z}, "$name, wrong");
        has_header($r, 'upload-complete', qr{^\?0\z}, "$name, wrong");
    }
    is(at($url), 0, "$name, wrong: nothing is kept");
    my $r = part($url, 0, $one, 0, 'Content-Digest' => $digest->($one));
    has_status($r, 204, undef, "$name, right");
    $r = part($url, 200_000, $two, 1, 'Content-Digest' => $digest->($one));
    refused($r, 'BadDigest', 'digest-mismatched-values', "$name, the end");
    is(at($url), 200_000, "$name, the end: what was right is kept");
    $r = part($url, 200_000, $two, 1, 'Content-Digest' => $digest->($two));
    has_status($r, 200, undef, "$name, the end");
    ok(source($t, $r) eq $bytes, "$name: the bytes");
}

# what cannot be a digest, or not one of ours
for my $field ('Content-Digest', 'Repr-Digest') {
    for my $value ('', 'sha-256', 'sha-256=abc', 'sha-256=:YQ==:',
        'sha-256=:!:', sha256('x') . ',') {
        my $r = ask($t, 'POST', to(), 'x', Ietf::flag(8, 1),
            $field => $value);
        refused($r, 'InvalidDigest', 'digest-invalid-values',
            "$field: $value");
    }
    for my $value ('sha-512=:AAAA:', 'unixsum=:AAAA:',
        $field =~ /^R/ ? 'md5=:' . pad(md5_base64('x')) . ':' : ()) {
        my $r = ask($t, 'POST', to(), 'x', Ietf::flag(8, 1),
            $field => $value);
        refused($r, 'InvalidDigest', 'digest-unsupported-algorithms',
            "$field: $value");
        has_header($r, "want-$field", qr{^sha-256=10\z}, "$field: $value");
    }
}
is(assets(), 6, 'none of them made an asset');

# of the whole, told at creation: in one request …
for my $field ('Content-Digest', 'Repr-Digest') {
    my $r = ask($t, 'POST', to(), $bytes, Ietf::flag(8, 1),
        $field => sha256($bytes));
    has_status($r, 200, undef, "$field of the whole");
    is($r->{headers}{'repr-digest'}, sha256($bytes), "$field: it was checked");
    $r = ask($t, 'POST', to(), $bytes, Ietf::flag(8, 1),
        $field => sha256($one));
    refused($r, 'BadDigest', 'digest-mismatched-values',
        "$field of another whole");
    has_header($r, 'upload-complete', qr{^\?1\z}, "$field: there is no more");
    has_status(ask($t, 'HEAD', $r->{interim}[0]{headers}{location}, undef),
        404, undef, "$field: the upload is given up");
}
is(assets(), 8, 'a wrong one made no asset');

# … and in several; the content of each has its own
my $url = create($t, 8, 'Repr-Digest' => sha256($bytes));
part($url, 0, $one, 0, 'Content-Digest' => sha256($one));
my $r = part($url, 200_000, $two, 1);
has_status($r, 200, undef, 'Repr-Digest of an upload in parts');
is($r->{headers}{'repr-digest'}, sha256($bytes), 'in parts: it was checked');
$r = part($url, 300_000, '', 1);
is($r->{headers}{'repr-digest'}, sha256($bytes), 'in parts: and again');
$url = create($t, 8, 'Repr-Digest' => sha256($two));
part($url, 0, $one, 0);
$r = part($url, 200_000, $two, 1);
refused($r, 'BadDigest', 'digest-mismatched-values',
    'Repr-Digest of another upload');
has_header($r, 'upload-complete', qr{^\?1\z}, 'another: there is no more');
has_status(part($url, 300_000, '', 1), 404, undef, 'another: given up');
$r = ask($t, 'POST', to(), $one, Ietf::flag(8, 0),
    'Repr-Digest' => sha256($bytes), 'Content-Digest' => sha256($two));
refused($r, 'BadDigest', 'digest-mismatched-values', 'wrong first content');
$r = ask($t, 'POST', to(), $one, Ietf::flag(8, 0),
    'Repr-Digest' => sha256($bytes), 'Content-Digest' => sha256($one));
has_status($r, 201, undef, 'right first content');
has_status(part($r->{headers}{location}, 200_000, $two, 1), 200, undef,
    'and the rest');
$r = ask($t, 'POST', to(), $one, Ietf::flag(8, 1),
    'Repr-Digest' => sha256($one), 'Content-Digest' => sha256($two));
refused($r, 'BadDigest', 'digest-mismatched-values', 'they contradict');

# what was signed is one, too
$r = ask($t, 'POST', to('reel-sha256' => sha256_hex($one)), $one,
    Ietf::flag(8, 1), 'Repr-Digest' => sha256($one));
has_status($r, 200, undef, 'the signed one');
$r = ask($t, 'POST', to('reel-sha256' => sha256_hex($one)), $two,
    Ietf::flag(8, 1), 'Repr-Digest' => sha256($two));
has_status($r, 400, 'InvalidArgument', 'not the signed one');

# a cut: unless it ends well nobody knows whether the content was right …
$url = create($t, 8);
my $c = Ietf::begin($t, 'PATCH', $url, Ietf::flag(8, 1), %partial,
    'Upload-Offset' => 0, 'Content-Length' => 300_000,
    'Content-Digest' => sha256($bytes));
$c->put($one);
$c->cut;
select undef, undef, undef, 0.3;
is(at($url), 0, 'a cut append with a digest is not kept');

# … but the whole is checked at its end
$c = Ietf::begin($t, 'POST', to(), Ietf::flag(8, 1),
    'Content-Length' => 300_000, 'Content-Digest' => sha256($bytes));
$url = $c->next_104->{headers}{location};
$c->put($one);
$c->cut;
select undef, undef, undef, 0.3;
is(at($url), 200_000, 'a cut creation is kept');
has_status(part($url, 200_000, $two, 1), 200, undef,
    'and completed when it is right');

done_testing;
