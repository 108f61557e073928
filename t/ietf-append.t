# resumable uploads of the IETF: HEAD, PATCH and DELETE of an upload
use strict;
use warnings;
use Test::More;
use lib 't/lib';
use Ietf;
use Reel;

my $h2 = Reel::free_port();
my $conf = '
    location /upload/ { reel_upload; }
    location /small/  { reel_upload; reel_upload_max_size 1000; }';
my $t = Reel->new(workers => 2, conf => $conf,
    http => "server { listen 127.0.0.1:$h2 http2; $conf }");

my %partial = ('Content-Type' => 'application/partial-upload');
my $types = 'https://iana.org/assignments/http-problem-types#';

sub either { my ($port, @rest) = @_;
    return $port ? ask_h2($t, $port, @rest) : ask($t, @rest) }

sub flagged { my ($r, $v, $complete, $name) = @_;
    has_header($r, $v == 3 ? ('upload-incomplete', $complete ? qr{^\?0\z}
        : qr{^\?1\z}) : ('upload-complete', $complete ? qr{^\?1\z}
        : qr{^\?0\z}), $name) }

sub problem { my ($r, $type, $name) = @_;
    is((json($r->{body}) || {})->{type}, "$types$type", "$name: its type") }

sub at { my ($url, $v) = @_;
    my $r = ask($t, 'HEAD', $url, undef,
        $v ? ('Upload-Draft-Interop-Version' => $v) : ());
    return $r->{headers}{'upload-offset'} }

# an upload in three parts, of each version
for my $v (3 .. 8, 0, 42) {
    for my $port (0, $h2) {
        my $name = "version $v" . ($port ? ' over HTTP/2' : '');
        my $body = bytes(150_001, $v + $port);
        my %type = $v >= 6 || !$v ? %partial : ();
        my $status = $v >= 3 && $v < 7 ? 201 : 204;
        my @version = $v ? ('Upload-Draft-Interop-Version' => $v) : ();
        my $url = create($t, $v);

        my $r = either($port, 'HEAD', $url, undef, @version);
        has_status($r, 204, undef, "$name: HEAD");
        flagged($r, $v, 0, "$name: HEAD");
        has_header($r, 'upload-offset', qr{^0\z}, "$name: HEAD");
        has_header($r, 'cache-control', qr{no-store}, "$name: HEAD");
        is($r->{headers}{'upload-length'}, undef, "$name: length unknown");
        is(!!$r->{headers}{'upload-limit'}, !($v >= 3 && $v < 6),
            "$name: HEAD: limits");

        for my $part (0 .. 1) {
            my $at = $part * 60_000;
            $r = either($port, 'PATCH', $url, substr($body, $at, 60_000),
                Ietf::flag($v, 0), %type, 'Upload-Offset' => $at);
            has_status($r, $status, undef, "$name: part $part");
            flagged($r, $v, 0, "$name: part $part");
            has_header($r, 'upload-offset', qr{^@{[$at + 60_000]}\z},
                "$name: part $part");
            is($r->{headers}{location}, undef, "$name: no Location");
            is(scalar @{ $r->{interim} }, 0, "$name: nor a 104");
        }

        my $get = either($port, 'GET', $url, undef, @version);
        has_status($get, 204, undef, "$name: GET");
        has_header($get, 'upload-offset', qr{^120000\z}, "$name: GET");

        my @last = ('PATCH', $url, substr($body, 120_000),
            Ietf::flag($v, 1), %type, 'Upload-Offset' => 120_000);
        $r = either($port, @last);
        has_status($r, 200, undef, "$name: the last part");
        flagged($r, $v, 1, "$name: the last part");
        has_header($r, 'upload-offset', qr{^150001\z}, "$name: at its end");
        is($r->{headers}{location}, undef, "$name: no Location at its end");
        ok(source($t, $r) eq $body, "$name: the bytes");
        my ($asset, $etag) = @{ $r->{headers} }{qw(reel-asset etag)};
        ok($asset && $etag, "$name: as PutObject");

        # the answer was lost
        $r = either($port, 'HEAD', $url, undef, @version);
        has_status($r, 204, undef, "$name: HEAD after the end");
        flagged($r, $v, 1, "$name: HEAD after the end");
        is($r->{headers}{'reel-asset'}, $asset, "$name: HEAD: the asset");
        has_header($r, 'upload-offset', qr{^150001\z}, "$name: after");
        for my $again (\@last, [ 'PATCH', $url, '', Ietf::flag($v, 1), %type,
            'Upload-Offset' => 150_001 ]) {
            $r = either($port, @$again);
            has_status($r, 200, undef, "$name: the last part again");
            flagged($r, $v, 1, "$name: the last part again");
            is($r->{headers}{'reel-asset'}, $asset, "$name: the same asset");
            is($r->{headers}{etag}, $etag, "$name: the same ETag");
        }

        # nothing changes it any more
        for my $c ([ 'more', 'x', 1, 150_001 ], [ 'more, and not all', 'x', 0,
            150_001 ], [ 'nothing, and not all', '', 0, 150_001 ]) {
            my ($what, $bytes, $complete, $offset) = @$c;
            $r = either($port, 'PATCH', $url, $bytes,
                Ietf::flag($v, $complete), %type, 'Upload-Offset' => $offset);
            has_status($r, 400, 'UploadComplete', "$name: $what");
            problem($r, 'completed-upload', "$name: $what");
            flagged($r, $v, 0, "$name: $what");
        }
        $r = either($port, 'PATCH', $url, 'x', Ietf::flag($v, 1), %type,
            'Upload-Offset' => 3);
        has_status($r, 409, 'OffsetMismatch', "$name: elsewhere");
        $r = either($port, 'DELETE', $url, undef, @version);
        has_status($r, 400, 'UploadComplete', "$name: DELETE");
        ok(source($t, { headers => { 'reel-asset' => $asset } }) eq $body,
            "$name: the asset stays");
    }
}

# until version 6 an append without the flag is the last
for my $v (3 .. 6) {
    my $url = create($t, $v);
    my $r = ask($t, 'PATCH', $url, 'abc', $v == 6 ? %partial : (),
        'Upload-Draft-Interop-Version' => $v, 'Upload-Offset' => 0);
    has_status($r, 200, undef, "version $v: no flag");
    is(source($t, $r), 'abc', "version $v: no flag: the bytes");
}
for my $v (7, 8, 0) {
    my $r = ask($t, 'PATCH', create($t, $v), 'abc', %partial,
        'Upload-Offset' => 0, $v ? ('Upload-Draft-Interop-Version' => $v)
        : ());
    has_status($r, 400, 'InvalidRequest', "version $v: no flag");
}

# … and HEAD and DELETE have neither of the fields
for my $v (3 .. 8) {
    my $url = create($t, $v);
    for my $method (qw(HEAD DELETE)) {
        for my $h ([ 'Upload-Offset' => 0 ], [ 'Upload-Complete' => '?1' ]) {
            next if $v > 6 && $method eq 'DELETE';
            my $r = ask($t, $method, $url, undef,
                'Upload-Draft-Interop-Version' => $v, @$h);
            has_status($r, $v < 7 ? 400 : 204, undef,
                "version $v: $method with $h->[0]");
        }
    }
    next if $v > 6;
    has_status(ask($t, 'DELETE', $url, undef, 'Upload-Offset' => 0,
        'Upload-Draft-Interop-Version' => $v), 400, undef, "version $v");
    has_status(ask($t, 'HEAD', $url, undef,
        'Upload-Draft-Interop-Version' => $v), 204, undef,
        "version $v: what was refused did nothing");
}

# the media type
for my $c (
    [ 'none', 415 ], [ 'another', 415, 'application/octet-stream' ],
    [ 'a longer one', 415, 'application/partial-upload2' ],
    [ 'with a parameter', 204, 'application/partial-upload; a=b' ],
    [ 'in capitals', 204, 'Application/Partial-Upload' ],
) {
    my ($name, $status, $type) = @$c;
    my $r = ask($t, 'PATCH', create($t, 8), 'abc', Ietf::flag(8, 0),
        'Upload-Offset' => 0, $type ? ('Content-Type' => $type) : ());
    has_status($r, $status, $status == 415 ? 'UnsupportedMediaType' : undef,
        "media type: $name");
    has_header($r, 'accept-patch', qr{^application/partial-upload\z},
        "media type: $name") if $status == 415;
}

# the offset
my $url = create($t, 8);
for my $offset ('-1', '1.0', '"0"', '0, 0', 'x', '') {
    my $r = ask($t, 'PATCH', $url, 'abc', Ietf::flag(8, 0), %partial,
        'Upload-Offset' => $offset);
    has_status($r, 400, 'InvalidRequest', "Upload-Offset: $offset");
}
my $r = ask($t, 'PATCH', $url, 'abc', Ietf::flag(8, 0), %partial);
has_status($r, 400, 'InvalidRequest', 'no Upload-Offset');
$r = ask($t, 'PATCH', $url, 'abc', Ietf::flag(8, 0), %partial,
    'Upload-Offset' => '0;a=1');
has_status($r, 204, undef, 'a parameter means nothing');
for my $offset (0, 2, 4, 999_999_999_999_999) {
    for my $port (0, $h2) {
        $r = either($port, 'PATCH', $url, 'def', Ietf::flag(8, 0), %partial,
            'Upload-Offset' => $offset);
        has_status($r, 409, 'OffsetMismatch', "at $offset");
        problem($r, 'mismatching-upload-offset', "at $offset");
        has_header($r, 'upload-offset', qr{^3\z}, "at $offset");
        has_header($r, 'upload-complete', qr{^\?0\z}, "at $offset");
        my $doc = json($r->{body});
        is($doc->{'expected-offset'}, 3, "at $offset: expected");
        is($doc->{'provided-offset'}, $offset, "at $offset: provided");
    }
}
is(at($url), 3, 'nothing of it was taken');

# empty appends
$r = ask($t, 'PATCH', $url, '', Ietf::flag(8, 0), %partial,
    'Upload-Offset' => 3);
has_status($r, 204, undef, 'nothing more');
$r = ask($t, 'PATCH', $url, undef, Ietf::flag(8, 1), %partial,
    'Upload-Offset' => 3);
has_status($r, 200, undef, 'nothing more, the end');
is(source($t, $r), 'abc', 'nothing more, the end: the bytes');

# the length, told early or late
sub part { my ($url, $offset, $bytes, $complete, %h) = @_;
    return ask($t, 'PATCH', $url, $bytes, Ietf::flag(8, $complete),
        %partial, 'Upload-Offset' => $offset, %h) }

for my $c (
    [ 'more than it', 6, 1, '' ], [ 'less than it, the end', 4, 1, '' ],
    [ 'another one', 5, 0, 11 ], [ 'another one, the end', 5, 1, 9 ],
) {
    my ($name, $size, $complete, $length) = @$c;
    my $url = create($t, 8, 'Upload-Length' => 10);
    is(ask($t, 'HEAD', $url, undef)->{headers}{'upload-length'}, 10,
        "$name: HEAD tells the length");
    part($url, 0, 'x' x 5, 0);
    $r = part($url, 5, 'y' x $size, $complete,
        $length ? ('Upload-Length' => $length) : ());
    has_status($r, 400, 'InvalidRequest', "length: $name");
    problem($r, 'inconsistent-upload-length', "length: $name");
    is(at($url), 5, "length: $name: nothing was taken");
    has_status(part($url, 5, 'y' x 5, 1), 200, undef, "length: $name: but");
}
$url = create($t, 8);
part($url, 0, 'x' x 5, 0, 'Upload-Length' => 10);
is(ask($t, 'HEAD', $url, undef)->{headers}{'upload-length'}, 10,
    'told with the first part');
has_status(part($url, 5, 'y' x 6, 1), 400, undef, 'it binds');
has_status(part($url, 5, 'y' x 5, 0), 204, undef, 'all of it');
is(ask($t, 'HEAD', $url, undef)->{headers}{'upload-complete'}, '?0',
    'offset = length is not the end');
has_status(part($url, 10, '', 1), 200, undef, 'what is said is');

# … but for clients of an older version, which ask no more
for my $v (3 .. 8, 0) {
    $url = create($t, $v);
    my $old = $v >= 3 && $v < 7;
    part($url, 0, 'x' x 10, 0, 'Upload-Length' => 10);
    $r = ask($t, 'HEAD', $url, undef,
        $v ? ('Upload-Draft-Interop-Version' => $v) : ());
    flagged($r, $v, $old, "version $v: offset = length");
    is(source($t, $r), $old ? 'x' x 10 : undef,
        "version $v: offset = length: the asset");
    has_status(part($url, 10, '', 1), 200, undef, "version $v: the end");

    $url = create($t, $v, 'Upload-Length' => 10);
    $r = ask($t, 'PATCH', $url, 'y' x 10, Ietf::flag($v, 0), %partial,
        'Upload-Offset' => 0);
    has_status($r, $old ? 200 : 204, undef, "version $v: all, with ?0");
    flagged($r, $v, $old, "version $v: all, with ?0");
    is(source($t, $r), $old ? 'y' x 10 : undef,
        "version $v: all, with ?0: the asset");
}

$url = create($t, 8);
$r = part($url, 0, 'abc', 0, 'Upload-Length' => 2);
has_status($r, 400, undef, 'a length less than what is sent with it');

my @chunked = ('Transfer-Encoding' => 'chunked');
$url = create($t, 8, 'Upload-Length' => 10);
$r = part($url, 0, 'x' x 11, 0, @chunked);
has_status($r, 400, 'InvalidRequest', 'chunked, too long');
problem($r, 'inconsistent-upload-length', 'chunked, too long');
has_status(ask($t, 'HEAD', $url, undef), 404, undef, 'chunked: given up');
$url = create($t, 8, 'Upload-Length' => 10);
$r = part($url, 0, 'x' x 9, 1, @chunked);
has_status($r, 400, 'InvalidRequest', 'chunked, too short');
is(at($url), 9, 'chunked, too short: kept');
$url = create($t, 8);
$r = part($url, 0, 'x' x 200_000, 1, @chunked);
has_status($r, 200, undef, 'chunked, the end');
is(length source($t, $r), 200_000, 'chunked, the end: the bytes');
$r = part($url, 200_000, '', 1);
has_status($r, 200, undef, 'chunked, the end: again');

# limits that were told at creation
my $at = '/small/video/';
$r = ask($t, 'POST', presign($t, 'POST', $at), 'x' x 600, Ietf::flag(8, 0));
$url = $r->{headers}{location};
for my $h ([], [ 'Transfer-Encoding' => 'chunked' ]) {
    $r = part($url, 600, 'x' x 401, 0, @$h);
    has_status($r, 413, 'EntityTooLarge', 'over the maximum');
    like($r->{body}, qr{reel_upload_max_size .*1000 bytes, 400 more},
        'over the maximum: which, and what may come');
    has_header($r, 'upload-limit', qr{max-size=1000, max-age=\d},
        'over the maximum');
    has_header($r, 'upload-offset', qr{^600\z}, 'over the maximum');
}
$r = part($url, 600, '', 0, 'Upload-Length' => 1001);
has_status($r, 413, 'EntityTooLarge', 'a length over the maximum');
(my $elsewhere = $url) =~ s/small/upload/;
$r = part($elsewhere, 600, 'x' x 401, 1);
has_status($r, 413, 'EntityTooLarge', 'they hold in any location');
has_status(part($url, 600, 'x' x 400, 1), 200, undef, 'just that');

# cancellation
for my $v (3 .. 8, 0) {
    my @version = $v ? ('Upload-Draft-Interop-Version' => $v) : ();
    my $url = create($t, $v);
    part($url, 0, 'abc', 0);
    my ($id) = $url =~ m{([0-9a-f]{32})\z};
    $r = ask($t, 'DELETE', $url, undef, @version);
    has_status($r, 204, undef, "version $v: DELETE");
    ok(!-e "$t->{dir}/store/uploads/$id/data", "version $v: bytes are gone");
    $r = ask_h2($t, $h2, 'DELETE', $url, undef, @version);
    has_status($r, 204, undef, "version $v: DELETE again");
    has_status(ask($t, 'HEAD', $url, undef, @version), 404, undef,
        "version $v: HEAD after it");
    $r = ask($t, 'PATCH', $url, 'def', Ietf::flag($v, 1), %partial,
        'Upload-Offset' => 3);
    has_status($r, 404, 'NoSuchUpload', "version $v: PATCH after it");
}

# what is no upload, or another door's
my $id = 'f' x 32;
for my $c (
    [ 'an unknown one', "/upload/video/.uploads/$id", 404 ],
    [ 'no id', '/upload/video/.uploads/', 404 ],
    [ 'a short id', '/upload/video/.uploads/abc', 404 ],
    [ 'a path', '/upload/video/.uploads/../../x', 404 ],
    [ 'capitals', '/upload/video/.uploads/' . 'F' x 32, 404 ],
    [ 'another bucket', '/upload/second/.uploads/' . (create($t, 8)
        =~ m{([^/]+)\z})[0], 404 ],
) {
    my ($name, $target, $status) = @$c;
    has_status(ask($t, 'HEAD', $target, undef), $status, undef, "$name: HEAD");
    $r = ask($t, 'PATCH', $target, 'abc', Ietf::flag(8, 0), %partial,
        'Upload-Offset' => 0);
    has_status($r, $status, undef, "$name: PATCH");
    has_header($r, 'content-type', qr{^application/problem\+json\z}, $name);
    is($r->{headers}{'upload-offset'}, undef, "$name: no Upload-Offset");
    has_status(ask($t, 'DELETE', $target, undef), $status, undef,
        "$name: DELETE");
}
for my $method (qw(PUT POST)) {
    $r = ask($t, $method, create($t, 8), 'abc', Ietf::flag(8, 1));
    has_status($r, 405, 'MethodNotAllowed', "$method to an upload");
}

# Expect: 100-continue
$url = create($t, 8);
for my $c ([ 0, 100 ], [ 3, 409 ]) {
    my ($offset, $status) = @$c;
    my $s = Ietf::begin($t, 'PATCH', $url, Ietf::flag(8, 0), %partial,
        'Upload-Offset' => $offset, 'Content-Length' => 7,
        Expect => '100-continue');
    is($s->next_head->{status}, $status, "Expect: $status");
    $s->put('expects') if $status == 100;
    is($s->answer->{status}, 204, 'Expect: the answer') if $status == 100;
}

# a body that breaks its frame
$url = create($t, 8);
my $s = Ietf::begin($t, 'PATCH', $url, Ietf::flag(8, 1), %partial,
    'Upload-Offset' => 0, @chunked);
$s->chunk('hello');
select undef, undef, undef, 0.2;
$s->put("nonsense\r\n");
$r = $s->answer;
has_status($r, 400, 'InvalidRequest', 'a broken chunk');
is(at($url), 5, 'a broken chunk: what came before it is kept');

unlike($t->log, qr{\[(error|crit|alert|emerg)\] (?!.*(client|reset))},
    'nothing else is logged');

done_testing;
