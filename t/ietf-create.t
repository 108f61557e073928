# resumable uploads of the IETF: creation, by each version's rules
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Test::More;
use lib 't/lib';
use Ietf;
use Reel;

my $h2 = Reel::free_port();
my $conf = '
    location /upload/ { reel_upload; }
    location /small/  { reel_upload; reel_upload_max_size 1000;
                        reel_upload_expires 1h; }';
my $t = Reel->new(workers => 2, conf => $conf,
    http => "server { listen 127.0.0.1:$h2 http2; $conf }");

my $url = qr{^/upload/video/\.uploads/[0-9a-f]{32}\z};
sub to { my ($method, $path, %q) = @_;
    return presign($t, $method, $path // '/upload/video/', query => \%q) }
sub done { my ($v) = @_; return $v == 3 ? ('upload-incomplete', qr{^\?0\z})
    : ('upload-complete', qr{^\?1\z}) }
sub more { my ($v) = @_; return $v == 3 ? ('upload-incomplete', qr{^\?1\z})
    : ('upload-complete', qr{^\?0\z}) }

sub either { my ($port, @rest) = @_;
    return $port ? ask_h2($t, $port, @rest) : ask($t, @rest) }

# the whole in one request, of every version, by every method and place
my $n = 0;
for my $v (3 .. 8, 0, 2, 9, 99) {
    my $known = $v >= 3 && $v <= 8;
    my $rules = $known ? $v : 8;
    for my $port (0, $h2) {
        my $name = "version $v" . ($port ? ' over HTTP/2' : '');
        my $body = bytes(70_000, ++$n);
        my $method = (qw(POST PUT PATCH))[$n % 3];
        my $target = to($method, $n % 2 ? "/upload/video/$n.mp4" : undef);
        my $r = either($port, $method, $target, $body, Ietf::flag($v, 1));
        has_status($r, 200, undef, "$name, ?1 by $method");
        has_header($r, (done($rules))[0, 1], "$name, ?1");
        has_header($r, 'upload-offset', qr{^70000\z}, "$name, ?1");
        has_header($r, 'location', $url, "$name, ?1");
        has_header($r, 'etag', qr{^"\S+"\z}, "$name, ?1");
        ok(source($t, $r) eq $body, "$name, ?1: the bytes");
        is(scalar @{ $r->{interim} }, $known ? 1 : 0, "$name: 104");

        # … and as the first of several
        $target = to('POST');
        $r = either($port, 'POST', $target, $body, Ietf::flag($v, 0));
        has_status($r, 201, undef, "$name, ?0");
        has_header($r, (more($rules))[0, 1], "$name, ?0");
        has_header($r, 'upload-offset', qr{^70000\z}, "$name, ?0");
        has_header($r, 'location', $url, "$name, ?0");
        has_header($r, 'cache-control', qr{no-store}, "$name, ?0");
        has_header($r, 'upload-limit', $rules < 6 ? qr{^\(none\)\z}
            : $rules == 6 ? qr{^min-size=0, expires=\d+\z}
            : qr{^min-size=0, max-age=\d+\z}, "$name, ?0");
        is($r->{headers}{'reel-asset'}, undef, "$name, ?0: no asset yet");
        if ($known) {
            my $i = $r->{interim}[0];
            is($i->{status}, 104, "$name, ?0: 104");
            is($i->{headers}{location}, $r->{headers}{location},
                "$name: one Location");
            is($i->{headers}{'upload-draft-interop-version'}, $v,
                "$name: echoed");
            is(!!$i->{headers}{'upload-limit'}, $rules >= 6,
                "$name: limits in 104");
        }
        $r = ask($t, 'HEAD', $r->{headers}{location}, undef,
            $v ? ('Upload-Draft-Interop-Version' => $v) : ());
        has_header($r, 'upload-offset', qr{^70000\z}, "$name: kept");
    }
}

# careful creation; nothing of an empty upload is missing
for my $v (3, 5, 6, 8, 0) {
    my $r = ask($t, 'POST', to('POST'), '', Ietf::flag($v, 0));
    has_status($r, 201, undef, "version $v: careful");
    has_header($r, 'location', $url, "version $v: careful");
    has_header($r, 'upload-offset', qr{^0\z}, "version $v: careful");

    $r = ask($t, 'POST', to('POST'), undef, Ietf::flag($v, 0),
        $v == 3 ? () : ('Upload-Length' => 5));
    has_status($r, 201, undef, "version $v: careful without a length");
}
my $r = ask_h2($t, $h2, 'POST', to('POST'), undef, Ietf::flag(8, 0));
has_status($r, 201, undef, 'careful over HTTP/2');
$r = ask($t, 'POST', to('POST'), '', Ietf::flag(8, 1));
has_status($r, 200, undef, 'an empty whole');
is(source($t, $r), '', 'an empty whole: its source');

# chunked, with and without its length
for my $length (undef, 100_000) {
    my $body = bytes(100_000, 99);
    for my $complete (0, 1) {
        $r = ask($t, 'POST', to('POST'), $body, Ietf::flag(8, $complete),
            'Transfer-Encoding' => 'chunked', 'Upload-Length' => $length);
        has_status($r, $complete ? 200 : 201, undef, 'chunked, length '
            . ($length // 'unknown') . ", ?$complete");
    }
    ok(source($t, $r) eq $body, 'chunked: the bytes');
}

# by HTTP/2 the end of the stream is the end
spew("$t->{dir}/stream", my $body = bytes(100_000, 98));
for my $complete (0, 1) {
    my $out = `curl -s --http2-prior-knowledge -X POST -T - -D - \\
        -H 'Expect:' -H 'Upload-Draft-Interop-Version: 8' \\
        -H 'Upload-Complete: ?$complete' -H 'Host: 127.0.0.1:$t->{port}' \\
        'http://127.0.0.1:$h2@{[to('POST')]}' < $t->{dir}/stream`;
    like($out, $complete ? qr{^HTTP/2 200}m : qr{^HTTP/2 201}m,
        "a stream, ?$complete");
    like($out, qr{^upload-offset: 100000\r}m, "a stream, ?$complete: all");
    next if !$complete;
    my ($asset) = $out =~ /^reel-asset: (\S+)\r/m;
    ok(source($t, { headers => { 'reel-asset' => $asset } }) eq $body,
        'a stream: the bytes');
}

# how long it is
my $problem = qr{"type":"https://iana.org/assignments/http-problem-types#inconsistent-upload-length"};
for my $c (
    [ 'another Content-Length', 1, 10, 'Upload-Length' => 11 ],
    [ 'a longer body', 0, 10, 'Upload-Length' => 9 ],
) {
    my ($name, $complete, $size, %h) = @$c;
    $r = ask($t, 'POST', to('POST'), 'x' x $size, Ietf::flag(8, $complete),
        %h);
    has_status($r, 400, 'InvalidRequest', $name);
    like($r->{body}, $problem, "$name: its type");
    is($r->{headers}{location}, undef, "$name: nothing is created");
}
$r = ask($t, 'POST', to('POST'), 'abc', Ietf::flag(8, 1),
    'Transfer-Encoding' => 'chunked', 'Upload-Length' => 4);
has_status($r, 400, 'InvalidRequest', 'chunked, too short');
like($r->{body}, $problem, 'chunked, too short: its type');
$r = ask($t, 'HEAD', $r->{interim}[0]{headers}{location}, undef);
has_status($r, 204, undef, 'chunked, too short: can be gone on with');
$r = ask($t, 'POST', to('POST'), 'abcde', Ietf::flag(8, 1),
    'Transfer-Encoding' => 'chunked', 'Upload-Length' => 4);
has_status($r, 400, 'InvalidRequest', 'chunked, too long');
like($r->{body}, $problem, 'chunked, too long: its type');
$r = ask($t, 'HEAD', $r->{interim}[0]{headers}{location}, undef);
has_status($r, 404, undef, 'chunked, too long: the upload is given up');

# fields that are void are not there
for my $flag ('1', '?2', 'true', '?1, ?1', '?1;', '"?1"', '') {
    $r = ask($t, 'PUT', to('PUT', '/upload/video/void' . ++$n), 'abc',
        'Upload-Complete' => $flag);
    has_status($r, 200, undef, "Upload-Complete: $flag is none");
    is($r->{headers}{'upload-complete'}, undef,
        "Upload-Complete: $flag: a plain PutObject");
}
for my $length ('-3', '3.0', '"3"', '4, 4', '4a', '1000000000000000') {
    $r = ask($t, 'POST', to('POST'), 'abc', Ietf::flag(8, 1),
        'Upload-Length' => $length);
    has_status($r, 200, undef, "Upload-Length: $length is none");
}
$r = ask($t, 'POST', to('POST'), 'abc', 'Upload-Complete' => '?1; a=b ',
    'Upload-Length' => ' 3;unit=byte');
has_status($r, 200, undef, 'parameters mean nothing');
$r = ask($t, 'PATCH', to('PATCH', '/upload/video/lost.mp4'), 'abc',
    Ietf::flag(8, 1), 'Upload-Offset' => 7);
has_status($r, 400, 'InvalidRequest', 'an append that lost its way');

# limits
for my $c (
    [ 'the location\'s', '/small/', 1001, 1, 'reel_upload_max_size' ],
    [ 'what was signed', '/upload/', 1001, 1, 'reel-max-bytes' ],
    [ 'the first part alone', '/small/', 1001, 0, 'reel_upload_max_size' ],
) {
    my ($name, $at, $size, $complete, $limit) = @$c;
    $r = ask($t, 'POST', to('POST', "${at}video/", $limit =~ /bytes/
        ? ('reel-max-bytes' => 1000) : ()), 'x' x $size,
        Ietf::flag(8, $complete));
    has_status($r, 413, 'EntityTooLarge', $name);
    like($r->{body}, qr{$limit .*1000 bytes}, "$name: is named");
    has_header($r, 'upload-limit', qr{max-size=1000\b}, $name);
}
$r = ask($t, 'POST', to('POST', '/small/video/'), '', Ietf::flag(8, 0),
    'Upload-Length' => 1001);
has_status($r, 413, 'EntityTooLarge', 'a length that is too large');
$r = ask($t, 'POST', to('POST', '/small/video/'), 'x' x 1001,
    Ietf::flag(8, 1), 'Transfer-Encoding' => 'chunked');
has_status($r, 413, 'EntityTooLarge', 'chunked and too large');
has_header($r, 'upload-limit', qr{max-size=1000\b}, 'chunked and too large');
$r = ask($t, 'POST', to('POST', '/small/video/'), 'x' x 1000,
    Ietf::flag(8, 0));
has_status($r, 201, undef, 'just as large as is allowed');
has_header($r, 'upload-limit', qr{^min-size=0, max-size=1000, max-age=3(599|600)\z},
    'just as large');

$r = ask($t, 'OPTIONS', '/small/video/', undef, Origin => 'http://elsewhere');
has_status($r, 204, undef, 'discovery');
has_header($r, 'upload-limit', qr{^min-size=0, max-size=1000, max-age=3600\z},
    'discovery');
$r = ask($t, 'OPTIONS', '/upload/video/', undef);
has_header($r, 'upload-limit', qr{^min-size=0, max-age=86400\z},
    'discovery without a maximum');

# who may
for my $c (
    [ 'unsigned', '/upload/video/', 401 ],
    [ 'expired', presign($t, 'POST', '/upload/video/', time => time - 100,
        expires => 10), 403 ],
    [ 'another method', to('PUT'), 403 ],
    [ 'another key\'s bucket', to('POST', '/upload/theirs/'), 404 ],
    [ 'no bucket', to('POST', '/upload/'), 405 ],
    [ 'a limit with a slip of the pen', to('POST', undef,
        'reel-max-byte' => 1), 400 ],
) {
    my ($name, $target, $status) = @$c;
    $r = ask($t, 'POST', $target, 'abc', Ietf::flag(8, 1));
    has_status($r, $status, undef, $name);
    has_header($r, 'content-type', qr{^application/problem\+json\z}, $name);
    is(scalar @{ $r->{interim} }, 0, "$name: no 104");
}

# what the representation is called, and is
my $named = sub {
    my ($path, $query, @h) = @_;
    my $r = ask($t, 'POST', to('POST', $path, %$query), 'abc',
        Ietf::flag(8, 1), @h);
    my $id = $r->{headers}{'reel-asset'} // return $r->{status};
    return json(slurp("$t->{dir}/store/assets/" . substr($id, -2)
        . "/$id/request.json")) };
for my $c (
    [ 'the key', 'a/b.mp4', '/upload/video/a/b.mp4', {} ],
    [ 'nothing', 'upload', undef, {} ],
    [ 'a file', 'f.mp4', undef, {},
        'Content-Disposition' => 'inline; filename="/home/f.mp4"' ],
    [ 'a file, signed', 'signed', undef, { 'reel-name' => 'signed' },
        'Content-Disposition' => 'inline; filename="f.mp4"' ],
    [ 'no file', 'k', '/upload/video/k', {},
        'Content-Disposition' => 'inline; filename="f.mp4' ],
) {
    my ($name, $want, $path, $query, @h) = @$c;
    is($named->($path, $query, @h)->{name} // '', $want, "name: $name");
}
my $facts = $named->(undef, { 'reel-type' => 'video/mp4',
    'reel-max-duration' => 60, 'reel-meta' => '{"title":"T"}' },
    'Content-Type' => 'video/mp4');
is($facts->{content_type}, 'video/mp4', 'its type');
is($facts->{max_duration_s}, 60, 'its limits');
is($named->(undef, { 'reel-type' => 'video/mp4' },
    'Content-Type' => 'video/webm'), 400, 'not the signed type');

# the signed hash is of the body
my $path = '/upload/video/signed.mp4';
$r = ask($t, 'PUT', $path, 'abc', Ietf::flag(8, 1),
    %{ signed_headers($t, 'PUT', $path, payload => sha256_hex('abc')) });
has_status($r, 200, undef, 'a signed payload');
$path = '/upload/video/signed-2.mp4';
$r = ask($t, 'PUT', $path, 'abd', Ietf::flag(8, 1),
    %{ signed_headers($t, 'PUT', $path, payload => sha256_hex('abc')) });
has_status($r, 400, 'BadDigest', 'another payload');
$r = ask($t, 'PUT', $path, 'ab', Ietf::flag(8, 0),
    %{ signed_headers($t, 'PUT', $path, payload => sha256_hex('ab')) });
has_status($r, 201, undef, 'a signed first part');
$r = ask($t, 'PUT', $path, '', Ietf::flag(8, 0),
    %{ signed_headers($t, 'PUT', $path, payload => sha256_hex('')) });
has_status($r, 201, undef, 'a signed careful creation');

# a PUT of the whole is a PutObject: repeated, it makes no second asset
my $again = to('PUT', '/upload/video/again.mp4');
$r = ask($t, 'PUT', $again, 'abc', Ietf::flag(8, 1));
my $first = $r->{headers}{'reel-asset'};
for my $port (0, $h2) {
    $r = either($port, 'PUT', $again, 'abc', Ietf::flag(8, 1));
    has_status($r, 200, undef, 'the same again');
    has_header($r, 'upload-complete', qr{^\?1\z}, 'the same again');
    is($r->{headers}{'reel-asset'}, $first, 'the same asset');
}
isnt(ask($t, 'POST', to('POST'), 'abc', Ietf::flag(8, 1))
    ->{headers}{'reel-asset'},
    ask($t, 'POST', to('POST'), 'abc', Ietf::flag(8, 1))
    ->{headers}{'reel-asset'}, 'by POST each is a new one');

# Expect: 104 does not replace 100
my $c = Ietf::begin($t, 'POST', to('POST'), Ietf::flag(8, 1),
    'Content-Length' => 3, Expect => '100-continue');
is($c->next_head->{status}, 104, 'Expect: 104 …');
is($c->next_head->{status}, 100, '… and 100');
$c->put('abc');
is($c->answer->{status}, 200, 'Expect: the answer');
$c = Ietf::begin($t, 'POST', '/upload/video/', Ietf::flag(8, 1),
    'Content-Length' => 3, Expect => '100-continue');
is($c->next_head->{status}, 401, 'Expect: a refusal comes instead');

# HTTP/1.0 knows no interim responses
$r = raw($t, 'POST ' . to('POST') . " HTTP/1.0\r\nHost: 127.0.0.1:$t->{port}"
    . "\r\nUpload-Draft-Interop-Version: 8\r\nUpload-Complete: ?0\r\n"
    . "Content-Length: 3\r\n\r\nabc");
like($r, qr{^HTTP/1.1 201 .*Location: /upload/video/.uploads/}si,
    'HTTP/1.0: no 104');

# the connection lives on
$c = Ietf::begin($t, 'POST', to('POST'), Ietf::flag(8, 0),
    'Content-Length' => 3);
$c->put('abc');
$r = $c->answer;
is($r->{status}, 201, 'kept alive: creation');
$c->request($t, 'HEAD', $r->{headers}{location});
is($c->answer->{headers}{'upload-offset'}, 3, 'kept alive: HEAD');
$c->request($t, 'PATCH', $r->{headers}{location}, Ietf::flag(8, 1),
    'Content-Type' => 'application/partial-upload', 'Upload-Offset' => 3,
    'Content-Length' => 3);
$c->put('def');
$r = $c->answer;
is($r->{status}, 200, 'kept alive: PATCH');
is(source($t, $r), 'abcdef', 'kept alive: the bytes');

unlike($t->log, qr{\[(error|crit|alert|emerg)\] (?!.*(client|reset))},
    'nothing else is logged');

done_testing;
