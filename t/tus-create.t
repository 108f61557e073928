# tus: discovery, creation in all its forms, and what became of the metadata
use strict;
use warnings;
use Test::More;
use lib 't/lib';
use Reel;
use Tus;

my $t = Reel->new(redis => 1, http => 'reel_upload_max_size 1000000;
    reel_upload_expires 1h;');
my $ID = qr{^/upload/video/\.uploads/[0-9a-f]{32}$};

sub request_of {
    my ($id) = @_;
    return json(slurp("$t->{dir}/store/assets/" . substr($id, -2)
        . "/$id/request.json"));
}

# --- discovery ---------------------------------------------------------------
for my $path ('/upload/', '/upload/video/', '/upload/video/.uploads/x') {
    my $r = http($t, 'OPTIONS', $path);
    has_status($r, 204, undef, "OPTIONS $path");
    has_header($r, 'Tus-Version', qr/^1\.0\.0$/, $path);
    has_header($r, 'Tus-Max-Size', qr/^1000000$/, $path);
    has_header($r, 'Tus-Checksum-Algorithm', qr/^sha1,sha256,crc32c,md5$/,
        $path);
    for my $e (qw(creation creation-with-upload creation-defer-length
        expiration checksum termination concatenation)) {
        has_header($r, 'Tus-Extension', qr/(^|,)\Q$e\E(,|$)/, $path);
    }
    for my $h (qw(Tus-Resumable Upload-Length Upload-Offset Upload-Metadata
        Upload-Defer-Length Upload-Concat Upload-Checksum Content-Type
        X-HTTP-Method-Override X-Requested-With X-Request-ID)) {
        has_header($r, 'Access-Control-Allow-Headers',
            qr/(^|, )\Q$h\E(,|$)/, $path);
    }
    has_header($r, 'Access-Control-Allow-Methods',
        qr/HEAD.*POST.*PATCH.*DELETE/, $path);
}

# --- creation ----------------------------------------------------------------
my $r = tus($t, 'POST', presign($t, 'POST', '/upload/video/'),
    headers => { 'Upload-Length' => 10 });
has_status($r, 201, undef, 'presigned, at a bucket');
has_header($r, 'Location', $ID, 'created');
has_header($r, 'Tus-Resumable', qr/^1\.0\.0$/, 'created');
has_header($r, 'Upload-Expires', qr/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/,
    'created');
for my $h (qw(Location Upload-Offset Upload-Length Upload-Metadata
    Upload-Expires Upload-Concat Upload-Defer-Length Tus-Resumable
    Tus-Version Tus-Max-Size Tus-Extension reel-asset)) {
    has_header($r, 'Access-Control-Expose-Headers', qr/(^|, )\Q$h\E(,|$)/,
        'created');
}
ok(!$r->{headers}{'reel-asset'}, 'no asset yet');
my ($id) = $r->{headers}{location} =~ m{([^/]+)$};
ok(-e "$t->{dir}/store/uploads/$id/upload.json", 'and it is in the store');

$r = tus($t, 'POST', presign($t, 'POST', '/upload/video'),
    headers => { 'Upload-Length' => 10 });
has_status($r, 201, undef, 'at a bucket without a slash');
has_header($r, 'Location', $ID, 'there');

$r = tus($t, 'POST', '/upload/video/a/b.mp4', headers => {
    'Upload-Length' => 10, %{ signed_headers($t, 'POST',
        '/upload/video/a/b.mp4') } });
has_status($r, 201, undef, 'signed in the header, at a key');
has_header($r, 'Location', $ID, 'there');

# --- no bytes at all ---------------------------------------------------------
$r = tus($t, 'POST', presign($t, 'POST', '/upload/video/'),
    headers => { 'Upload-Length' => 0, 'Upload-Metadata' =>
        metadata(filename => "\xc3\x9cbung.mp4", filetype => 'video/mp4',
            title => 'not ours') });
has_status($r, 201, undef, 'length 0');
my $asset = $r->{headers}{'reel-asset'};
like($asset, qr/^[0-9a-hjkmnp-tv-z]{26}$/, 'is complete at once');
my $rq = request_of($asset);
is($rq->{name}, "\x{dc}bung.mp4", 'filename is its name');
is($rq->{content_type}, 'video/mp4', 'filetype its type');
is($rq->{size}, 0, 'its size');
ok(!$rq->{meta}, 'only what was signed is meta');
ok(-e "$t->{dir}/store/pending/$asset.1", 'its job is in the outbox');
Reel::wait_for(sub { $t->redis('ZSCORE', 'reel1:{r0}:jobs', "$asset.1") },
    'the job is queued');
pass('and in Redis');

# --- with bytes --------------------------------------------------------------
$r = tus($t, 'POST', presign($t, 'POST', '/upload/video/'), body => 'abcd',
    headers => { 'Upload-Length' => 10, 'Content-Type' => $Tus::TYPE });
has_status($r, 201, undef, 'with the first bytes');
has_header($r, 'Upload-Offset', qr/^4$/, 'with the first bytes');
my $url = $r->{headers}{location};
is(offset($t, $url), 4, 'HEAD agrees');
$r = patch($t, $url, 4, 'efghij');
has_status($r, 204, undef, 'and goes on');
is(slurp(asset_source($t, $r->{headers}{'reel-asset'})), 'abcdefghij',
    'to its end');

$r = tus($t, 'POST', presign($t, 'POST', '/upload/video/'), body => 'abcd',
    headers => { 'Upload-Length' => 4, 'Content-Type' => $Tus::TYPE,
        'Upload-Metadata' => metadata(filename => 'a', x => undef) });
has_status($r, 201, undef, 'with all bytes');
has_header($r, 'Upload-Offset', qr/^4$/, 'with all bytes');
is(slurp(asset_source($t, $r->{headers}{'reel-asset'})), 'abcd',
    'is complete');

$r = tus($t, 'POST', presign($t, 'POST', '/upload/video/'),
    body => "4\r\nabcd\r\n0\r\n\r\n", headers => { 'Upload-Length' => 8,
        'Content-Type' => $Tus::TYPE, 'Transfer-Encoding' => 'chunked' });
has_status($r, 201, undef, 'with chunked bytes');
has_header($r, 'Upload-Offset', qr/^4$/, 'with chunked bytes');

$r = tus($t, 'POST', presign($t, 'POST', '/upload/video/'), body => 'abcd',
    headers => { 'Upload-Length' => 10, 'Content-Type' => 'text/plain' });
has_status($r, 201, undef, 'a body of another type');
is(offset($t, $r->{headers}{location}), 0, 'is none');

$r = tus($t, 'POST', presign($t, 'POST', '/upload/video/'), body => 'abcd',
    headers => { 'Upload-Length' => 10, 'Content-Type' => $Tus::TYPE,
        Expect => '100-continue' });
has_status($r, 201, undef, 'Expect: 100-continue');
has_header($r, 'Upload-Offset', qr/^4$/, 'Expect: 100-continue');

# --- deferred length ---------------------------------------------------------
$r = tus($t, 'POST', presign($t, 'POST', '/upload/video/'), body => 'ab',
    headers => { 'Upload-Defer-Length' => 1, 'Content-Type' => $Tus::TYPE });
has_status($r, 201, undef, 'deferred length');
$url = $r->{headers}{location};
$r = tus($t, 'HEAD', $url);
has_status($r, 200, undef, 'HEAD');
has_header($r, 'Upload-Defer-Length', qr/^1$/, 'HEAD');
has_header($r, 'Upload-Offset', qr/^2$/, 'HEAD');
ok(!defined $r->{headers}{'upload-length'}, 'no length');
has_status(patch($t, $url, 2, 'cd'), 204, undef, 'more');
$r = patch($t, $url, 4, 'e', 'Upload-Length' => 6);
has_status($r, 204, undef, 'the length comes');
$r = tus($t, 'HEAD', $url);
has_header($r, 'Upload-Length', qr/^6$/, 'HEAD');
ok(!defined $r->{headers}{'upload-defer-length'}, 'not deferred any more');
has_status(patch($t, $url, 5, 'f', 'Upload-Length' => 7), 400,
    'InvalidArgument', 'another length');
$r = patch($t, $url, 5, 'f', 'Upload-Length' => 6);
has_status($r, 204, undef, 'the same again');
is(slurp(asset_source($t, $r->{headers}{'reel-asset'})), 'abcdef',
    'complete');

$url = create($t, undef, headers => { 'Upload-Defer-Length' => 1 });
has_status(patch($t, $url, 0, 'abc'), 204, undef, 'deferred');
has_status(patch($t, $url, 3, '', 'Upload-Length' => 2), 400,
    'InvalidArgument', 'a length less than what is here');
$r = patch($t, $url, 3, '', 'Upload-Length' => 3);
has_status($r, 204, undef, 'a length that says: that was all');
ok($r->{headers}{'reel-asset'}, 'completes it');

# --- what the signed URL says ------------------------------------------------
$url = create($t, 3, path => '/upload/video/k.mp4', query => {
    'reel-name' => 'signed', 'reel-type' => 'video/mp4',
    'reel-meta' => '{"title":"T"}', 'reel-max-duration' => 60,
    'reel-asset' => '01m842w7mgk41a9desm65b90ee' },
    headers => { 'Upload-Metadata' => metadata(filename => 'f',
        filetype => 'video/mp4') });
$r = patch($t, $url, 0, 'abc');
is($r->{headers}{'reel-asset'}, '01m842w7mgk41a9desm65b90ee', 'reel-asset');
$rq = request_of($r->{headers}{'reel-asset'});
is($rq->{name}, 'signed', 'reel-name counts');
is($rq->{max_duration_s}, 60, 'reel-max-duration');
is(json(slurp("$t->{dir}/store/assets/ee/$rq->{asset}/meta.json"))->{title},
    'T', 'reel-meta');

my $m = metadata(filename => 'a b.mp4', filetype => 'x/y', flag => undef);
$url = create($t, 3, path => '/upload/video/k.mp4',
    headers => { 'Upload-Metadata' => $m });
$r = tus($t, 'HEAD', $url);
is($r->{headers}{'upload-metadata'}, $m, 'metadata comes back as it was');
has_header($r, 'Cache-Control', qr/^no-store$/, 'HEAD');
has_header($r, 'Upload-Offset', qr/^0$/, 'HEAD');

$url = create($t, 1, path => '/upload/video/k.mp4');
$r = patch($t, $url, 0, 'x');
is(request_of($r->{headers}{'reel-asset'})->{name}, 'k.mp4',
    'without filename: the key');
unlike($t->log, qr/\[(error|alert|crit|emerg)\]/, 'nothing in the log');

done_testing();
