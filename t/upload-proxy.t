# uploads of browsers on another origin, through a proxy that buffers requests
use strict;
use warnings;
use Test::More;
use lib 't/lib';
use Reel;
use S3;
use Tus;

my ($http10, $http11, $h2) = map { Reel::free_port() } 1 .. 3;
my $back = Reel::free_port();
my $proxy = "location / { proxy_pass http://127.0.0.1:$back;
    proxy_set_header Host \$http_host; client_max_body_size 0;
    proxy_request_buffering on;";
my $t = Reel->new(redis => 1, workers => 2, http => "
    server { listen 127.0.0.1:$http10; $proxy } }
    server { listen 127.0.0.1:$http11; $proxy proxy_http_version 1.1;
             proxy_set_header Connection ''; } }
    server { listen 127.0.0.1:$back; location /upload/ { reel_upload; reel_upload_interim off; }
             location /site/ { reel_upload; reel_cors_origin https://app.example; } }
    server { listen 127.0.0.1:$h2 http2; location /upload/ { reel_upload; } }
    ");
my %origin = (Origin => 'https://app.example');
my $body = join '', map { pack('N', $_) x 500 } 1 .. 1500;

# what a script on that page may read
sub readable {
    my ($r, $name, @headers) = @_;
    has_header($r, 'Access-Control-Allow-Origin', qr/^\*$/, $name);
    for my $h (@headers) {
        ok(exists $r->{headers}{lc $h}, "$name: $h is there") or diag $r->{raw};
        has_header($r, 'Access-Control-Expose-Headers',
            qr/(^|, )\Q$h\E(,|$)/i, "$name: $h may be read");
    }
}

sub sources { return map { slurp("$t->{dir}/store/$_") }
    grep { m{/source$} } $t->files('assets') }

for my $p ([ 'HTTP/1.0', $http10 ], [ 'HTTP/1.1', $http11 ]) {
    my ($name, $port) = @$p;
    local $t->{port} = $port;

    # S3
    my $r = http($t, 'PUT', presign($t, 'PUT', "/upload/video/put$port"),
        body => $body, headers => { %origin });
    has_status($r, 200, undef, "$name: PutObject");
    readable($r, "$name: PutObject", 'ETag', 'reel-asset',
        'x-amz-request-id');
    is(slurp(asset_source($t, $r->{headers}{'reel-asset'})), $body,
        "$name: PutObject: its bytes");
    $r = http($t, 'PUT', presign($t, 'PUT', "/upload/video/wait$port"),
        body => 'abc', headers => { %origin, Expect => '100-continue' });
    has_status($r, 200, undef, "$name: Expect: 100-continue");

    my $key = "/upload/video/parts$port";
    my $id = xml(http($t, 'POST', presign($t, 'POST', $key, query =>
        { uploads => '' }), body => '', headers => { %origin }), 'UploadId');
    $r = http($t, 'PUT', presign($t, 'PUT', $key, query => {
        partNumber => 1, uploadId => $id }), body => $body,
        headers => { %origin });
    has_status($r, 200, undef, "$name: UploadPart");
    readable($r, "$name: UploadPart", 'ETag');
    $r = http($t, 'POST', presign($t, 'POST', $key, query => {
        uploadId => $id }), body => part_list(1, $r->{headers}{etag}),
        headers => { %origin });
    has_status($r, 200, undef, "$name: Complete");
    readable($r, "$name: Complete", 'reel-asset');

    # tus
    my $half = length($body) / 2;
    my $url = create($t, length $body, headers => { %origin });
    $r = patch($t, $url, 0, substr($body, 0, $half), %origin);
    has_status($r, 204, undef, "$name: PATCH");
    readable($r, "$name: PATCH", 'Upload-Offset', 'Tus-Resumable',
        'Upload-Expires');
    $r = tus($t, 'HEAD', $url, headers => { %origin });
    readable($r, "$name: HEAD", 'Upload-Offset', 'Upload-Length');
    is($r->{headers}{'upload-offset'}, $half, "$name: HEAD tells the offset");
    $r = patch($t, $url, 7, 'x', %origin);
    has_status($r, 409, 'OffsetMismatch', "$name: a refusal");
    readable($r, "$name: a refusal", 'Upload-Offset');
    $r = patch($t, $url, $half, substr($body, $half), %origin);
    readable($r, "$name: the last PATCH", 'reel-asset');
    is(slurp(asset_source($t, $r->{headers}{'reel-asset'})), $body,
        "$name: tus: its bytes");
    like($url, qr{^/upload/}, "$name: Location leads back through the proxy");

    # IETF: who asks for 104 has it from the server alone, see below
    for my $v (undef, 3, 6, 8) {
        my $which = "$name: IETF, version " . ($v // 'none');
        my %v = defined $v ? ('Upload-Draft-Interop-Version' => $v) : ();
        my ($no, $yes) = $v && $v == 3
            ? ([ 'Upload-Incomplete' => '?1' ], [ 'Upload-Incomplete' => '?0' ])
            : ([ 'Upload-Complete' => '?0' ], [ 'Upload-Complete' => '?1' ]);
        $r = http($t, 'POST', presign($t, 'POST', '/upload/video/'),
            body => substr($body, 0, $half), headers => { %origin, %v, @$no });
        has_status($r, 201, undef, "$which: creation");
        readable($r, "$which: creation", 'Location', 'Upload-Offset',
            ($v // 8) > 3 ? 'Upload-Limit' : ());
        $url = $r->{headers}{location};
        $r = http($t, 'PATCH', $url, body => substr($body, $half), headers =>
            { %origin, %v, @$yes, 'Upload-Offset' => $half,
              'Content-Type' => 'application/partial-upload' });
        has_status($r, 200, undef, "$which: the rest");
        readable($r, "$which: the rest", 'reel-asset');
    }
}
is(scalar(grep { $_ eq $body } sources()), 14, 'every byte of all of them');

# --- preflights --------------------------------------------------------------
my @ours = qw(Authorization Content-Type Content-MD5 Tus-Resumable
    Upload-Length Upload-Offset Upload-Metadata Upload-Concat Upload-Checksum
    Upload-Complete Upload-Draft-Interop-Version Content-Digest Repr-Digest
    x-amz-date x-amz-content-sha256 x-amz-checksum-crc32
    x-amz-sdk-checksum-algorithm);
for my $c ([ 'direct', undef ], [ 'behind a proxy', $http11 ],
    [ 'behind an old one', $http10 ])
{
    my ($name, $port) = @$c;
    local $t->{port} = $port // $t->{port};
    my $r = http($t, 'OPTIONS', '/upload/video/x', headers => { %origin,
        'Access-Control-Request-Method' => 'PUT',
        'Access-Control-Request-Headers' => 'x-amz-meta-title, content-type,'
            . 'X-Amz-Meta-by' });
    has_status($r, 204, undef, "$name: preflight");
    has_header($r, 'Access-Control-Max-Age', qr/^86400$/, $name);
    has_header($r, 'Access-Control-Allow-Methods', qr/(^|, )PUT(,|$)/, $name);
    has_header($r, 'Access-Control-Allow-Headers', qr/(^|, )\Q$_\E(,|$)/,
        $name) for @ours, 'x-amz-meta-title', 'X-Amz-Meta-by';
    has_header($r, 'Vary', qr/Access-Control-Request-Headers/, $name);
}
for my $bad ("x-amz-meta-a\tb", 'x-amz-meta-' . 'a' x 3000, 'x-amz-meta-<b>',
    'x-amz-meta-a b', 'Cookie', '*')
{
    my $r = http($t, 'OPTIONS', '/upload/video/x', headers => { %origin,
        'Access-Control-Request-Headers' => $bad });
    has_status($r, 204, undef, 'an odd header');
    unlike($r->{headers}{'access-control-allow-headers'}, qr/\Q$bad\E/,
        'is not allowed');
}

# one site alone, and caches that must tell sites apart
{
    local $t->{port} = $back;
    my $r = http($t, 'PUT', presign($t, 'PUT', '/site/video/x'),
        body => 'abc', headers => { Origin => 'https://evil.example' });
    has_header($r, 'Access-Control-Allow-Origin', qr{^https://app\.example$},
        'one site');
    has_header($r, 'Vary', qr/Origin/, 'one site');
    $r = http($t, 'PUT', '/site/video/x', body => 'abc', headers => { %origin });
    is($r->{status}, 401, 'unsigned') if $r->{status} != 403;
    has_header($r, 'Access-Control-Allow-Origin', qr{^https://app\.example$},
        'a refusal, too');
}

# --- HTTP/2 ------------------------------------------------------------------
SKIP: {
    skip 'curl has no HTTP/2', 5 if `curl -V` !~ /HTTP2/;
    local $t->{port} = $h2;
    spew("$t->{dir}/f", $body);
    my $key = '/upload/video/h2';
    my $curl = sub {
        my ($target, @args) = @_;
        my $out = join ' ', 'curl -s -m 30 --http2-prior-knowledge -D -',
            @args, "-H 'Origin: https://app.example'",
            "'http://127.0.0.1:$h2$target'";
        return `$out`;
    };
    my ($id) = $curl->(presign($t, 'POST', $key, query => { uploads => '' }),
        '-X POST') =~ m{<UploadId>([0-9a-f]+)};
    ok($id, 'HTTP/2: multipart');
    my $r = $curl->(presign($t, 'PUT', $key, query => { partNumber => 1,
        uploadId => $id }), "-T $t->{dir}/f", "-H 'Expect: 100-continue'");
    like($r, qr{^HTTP/2 200}, 'HTTP/2: UploadPart');
    my ($etag) = $r =~ /^etag: (\S+)/mi;
    spew("$t->{dir}/list", part_list(1, $etag));
    $r = $curl->(presign($t, 'POST', $key, query => { uploadId => $id }),
        "--data-binary \@$t->{dir}/list", "-H 'Content-Type: text/xml'");
    my ($asset) = $r =~ /^reel-asset: (\S+)/mi;
    is(slurp(asset_source($t, $asset)), $body, 'HTTP/2: Complete');
    like($r, qr/^access-control-expose-headers: .*reel-asset/mi,
        'HTTP/2: CORS');
    $r = $curl->($key, '-X OPTIONS');
    like($r, qr/^access-control-max-age: 86400/mi, 'HTTP/2: preflight');
}

unlike($t->log, qr/\[(alert|crit|emerg)\]|exited on signal/, 'a calm log');

done_testing();
