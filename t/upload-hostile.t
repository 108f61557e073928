# clients that mean no good: headers without end, bodies that never come,
# lengths that are not true, names that are paths, URLs that are old
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Test::More;
use Time::HiRes qw(sleep time);
use lib 't/lib';
use Reel;
use S3;
use Tus;

# what nginx lets pass, the module must bear
my $t = Reel->new(http => 'large_client_header_buffers 16 512k;
    client_header_buffer_size 1k; client_header_timeout 1s;', conf => '
    location /upload/ { reel_upload; }
    location /hasty/  { reel_upload; client_body_timeout 1s; }
    location /api/    { reel_api; }');
my $d = $t->{dir};
my ($worker) = $t->workers;

$SIG{PIPE} = 'IGNORE';

sub memory { return slurp("/proc/$worker/status") =~ /VmRSS:\s+(\d+)/ && $1; }

sub home { my ($id) = @_; return "$d/store/assets/" . substr($id, -2) . "/$id" }

# --- header bombs ------------------------------------------------------------
my $big = 'x' x 400_000;
my $target = presign($t, 'POST', '/upload/video/');
my %bomb = (
    'Upload-Metadata of one key' => { 'Upload-Metadata' => "k $big" },
    'Upload-Metadata of many keys' => { 'Upload-Metadata' =>
        join ',', map { "k$_ dmFs" } 1 .. 20_000 },
    'Upload-Metadata of one name' => { 'Upload-Metadata' => "filename "
        . 'QUFB' x 2500 },
    'Upload-Metadata of commas' => { 'Upload-Metadata' => ',' x 100_000 },
    'Upload-Length of digits' => { 'Upload-Length' => '9' x 100_000 },
    'Upload-Concat of URLs' => { 'Upload-Concat' => 'final;'
        . join ' ', map { "/upload/video/.uploads/$_" } 1 .. 10_000 },
    'Upload-Concat of blanks' => { 'Upload-Concat' => 'final;'
        . ' ' x 100_000 },
    'Upload-Checksum' => { 'Upload-Checksum' => "sha1 $big" },
    'X-HTTP-Method-Override' => { 'X-HTTP-Method-Override' => $big },
);
for my $name (sort keys %bomb) {
    my $r = tus($t, 'POST', $target, body => 'abc', headers => {
        'Upload-Length' => 10, 'Content-Type' => $Tus::TYPE,
        %{ $bomb{$name} } });
    like($r->{status}, qr/^4\d\d$/, "$name: status") or diag $r->{status};
}
is_deeply([ $t->files('uploads') ], [], 'nothing was made of them');

my %field = (
    'Upload-Complete' => '?1;' . 'a;' x 100_000,
    'Upload-Length' => '1' x 100_000,
    'Content-Digest' => join(',', ('sha-256=:AAAA:') x 10_000),
    'Repr-Digest' => 'sha-256=:' . 'A' x 100_000 . ':',
    'Content-Disposition' => 'attachment; ' . 'a=b; ' x 50_000
        . 'filename=x',
    'Upload-Draft-Interop-Version' => '8' x 100_000,
);
for my $name (sort keys %field) {
    my $r = http($t, 'POST', presign($t, 'POST', '/upload/video/i'),
        body => 'abc', headers => { 'Upload-Complete' => '?0',
            $name => $field{$name} });
    like($r->{raw}, qr{^HTTP/1.1 (2|4)\d\d }, "IETF, $name: an answer");
}

my %s3 = (
    'X-Amz-SignedHeaders' => 'host' . join('', map { ";h$_" } 1 .. 20_000),
    'X-Amz-Credential' => 'A' x 100_000,
    'X-Amz-Signature' => '0' x 100_000,
    'X-Amz-Date' => '2' x 100_000,
    'X-Amz-Expires' => '6' x 100_000,
    'reel-name' => 'n' x 100_000,
    'reel-meta' => '{"title":"' . 't' x 100_000 . '"}',
);
for my $name (sort keys %s3) {
    my $url = presign($t, 'PUT', '/upload/video/q', query => $name =~ /^reel/
        ? { $name => $s3{$name} } : {});
    $url =~ s/\Q$name\E=[^&]*/"$name=" . Reel::uri($s3{$name})/e;
    my $r = http($t, 'PUT', $url, body => 'abc');
    like($r->{status}, qr/^4(00|03|14)$/, "query, $name: status")
        or diag substr $r->{raw}, 0, 300;
}
for my $c ([ 'a thousand parameters', join '&', map { "p$_=v" } 1 .. 1000 ],
    [ 'a parameter a thousand times', join '&', ('reel-max-bytes=1') x 1000 ],
    [ 'equal signs', '=&' x 50_000 ], [ 'percents', '%' x 50_000 ])
{
    my ($name, $query) = @$c;
    my $r = http($t, 'PUT', presign($t, 'PUT', '/upload/video/q') . "&$query",
        body => 'abc');
    like($r->{status}, qr/^4(00|03)$/, "$name: status");
}

# many headers: of those that nginx takes none is looked for quadratically
my $begun = time;
my $r = http($t, 'PUT', presign($t, 'PUT', '/upload/video/many'),
    body => 'abc', headers => { map { ("X-Filler-$_" => 'v' x 20) }
        1 .. 20_000 });
like($r->{status}, qr/^(200|4\d\d)$/, 'twenty thousand headers');
cmp_ok(time - $begun, '<', 5, 'are no work');
$r = http($t, 'PUT', presign($t, 'PUT', '/upload/video/sums'), body => 'abc',
    headers => { map { ("x-amz-checksum-x$_" => 'AAAA') } 1 .. 5000 });
like($r->{status}, qr/^(400|501)$/, 'five thousand checksums');

# and with nginx's own limits it is nginx that says so
my $own = Reel->new;
$r = tus($own, 'POST', presign($own, 'POST', '/upload/video/'), headers => {
    'Upload-Length' => 1, 'Upload-Metadata' => 'k ' . 'x' x 9000 });
like($r->{raw}, qr{^HTTP/1.1 400 Bad Request}, 'a header over 8k');
$r = http($own, 'PUT', presign($own, 'PUT', '/upload/video/' . 'x' x 9000),
    body => 'x');
is($r->{status}, 414, 'a URL over 8k');
is(http($own, 'PUT', presign($own, 'PUT', '/upload/video/a'), body => 'x')
    ->{status}, 200, 'who means good passes');

# --- slow loris --------------------------------------------------------------
# each sends a byte or none and waits; nginx closes them, the others go on
my @slow;
my $before = memory();
for my $n (1 .. 60) {
    my ($head, $url) = ('', presign($t, $n % 3 == 1 ? 'PUT' : 'POST',
        "/hasty/video/slow$n"));
    $head = "PUT $url" if $n % 3 == 1;
    $head = "POST $url" if $n % 3 != 1;
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}");
    syswrite $s, "$head HTTP/1.1\r\nHost: 127.0.0.1:$t->{port}\r\n"
        . "Content-Length: 1000000\r\n"
        . ($n % 3 == 2 ? "Upload-Complete: ?1\r\n" : $n % 3 == 0
            ? "Tus-Resumable: 1.0.0\r\nUpload-Length: 1000000\r\n"
            . "Content-Type: $Tus::TYPE\r\n" : '')
        . "\r\n" . 'x' x ($n % 2);
    push @slow, $s;
}
$begun = time;
$r = http($t, 'PUT', presign($t, 'PUT', '/upload/video/quick'),
    body => 'q' x 3_000_000);
has_status($r, 200, undef, 'an upload beside sixty slow ones');
cmp_ok(memory() - $before, '<', 60 * 1024, 'which have little memory');
for my $s (@slow) {
    local $SIG{ALRM} = sub { die "a slow one is not closed\n" };
    alarm 20;
    1 while sysread $s, my $buf, 4096;
    alarm 0;
}
cmp_ok(time - $begun, '>', 0.5, 'they had their time');
pass('client_body_timeout closed them all');

# a header that never ends
my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}");
syswrite $s, "PUT /upload/video/h HTTP/1.1\r\nHost: x\r\n";
for (1 .. 4) {
    last if !syswrite $s, "X-Drip: $_\r\n";
    sleep 0.5;
}
is(sysread($s, my $buf, 1), 0, 'client_header_timeout closes, too');

# --- lengths that lie ----------------------------------------------------------
sub put_length {
    my ($length, $body) = @_;
    my $url = presign($t, 'PUT', "/upload/video/lie" . rand);
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}");
    syswrite $s, "PUT $url HTTP/1.1\r\nHost: 127.0.0.1:$t->{port}\r\n"
        . "Connection: close\r\n$length\r\n\r\n$body";
    my $in = '';
    # not to its end: nginx lingers for what was promised
    1 while $in !~ /\r\n\r\n/ && sysread $s, $in, 65536, length $in;
    return $in;
}
for my $c (
    [ 'negative', 'Content-Length: -1', 400 ],
    [ 'no number', 'Content-Length: ten', 400 ],
    [ 'beyond 64 bits', 'Content-Length: 99999999999999999999', 400 ],
    [ 'twice', "Content-Length: 3\r\nContent-Length: 4", 400 ],
    [ 'with chunks', "Content-Length: 3\r\nTransfer-Encoding: chunked", 400 ],
    [ 'more than there is', 'Content-Length: 9000000000000000000', 507 ],
    [ 'another coding', 'Transfer-Encoding: gzip', 501 ],
    [ 'none', 'X-None: 1', 411 ],
) {
    my ($name, $header, $status) = @$c;
    like(put_length($header, 'abc'), qr{^HTTP/1.1 $status },
        "Content-Length, $name");
}
# what follows a body is the next request, not a part of it
my $in = put_length("Content-Length: 3", "abcGET /evil HTTP/1.1\r\n\r\n");
is(scalar(() = $in =~ m{^HTTP/1.1 }mg), 1, 'bytes behind the body');
like($in, qr/^reel-asset: (\S+)/m, 'it is stored');
my ($asset) = $in =~ /^reel-asset: (\S+)/m;
is(slurp(home($asset) . '/source'), 'abc', 'without them');

for my $c ([ 4, 400 ], [ 2, 400 ], [ '1' x 30, 400 ], [ -3, 400 ], [ '', 400 ])
{
    my ($said, $status) = @$c;
    $r = s3($t, 'PUT', '/upload/video/decoded', body =>
        "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n", payload =>
        'STREAMING-UNSIGNED-PAYLOAD-TRAILER', headers => {
            'x-amz-decoded-content-length' => $said,
            'content-encoding' => 'aws-chunked',
            'x-amz-trailer' => 'x-amz-checksum-crc32' });
    is($r->{status}, $status, "x-amz-decoded-content-length: '$said'")
        or diag $r->{raw};
}
my $url = create($t, 5);
has_status(patch($t, $url, 0, 'x' x 6), 413, 'EntityTooLarge',
    'a PATCH beyond Upload-Length');
is(offset($t, $url), 0, 'took nothing of it');

# --- overlapping PATCHes -----------------------------------------------------
# ten at once at one offset, each with bytes of its own: of one only
my $n = 2_000_000;
$url = create($t, $n);
my @kids = map { my $c = chr(ord('a') + $_); my $pid = fork // die;
    if (!$pid) {
        eval { patch($t, $url, 0, $c x ($n / 2)) };
        require POSIX;
        POSIX::_exit(0);
    } $pid } 0 .. 9;
waitpid $_, 0 for @kids;
my $at = offset($t, $url);
cmp_ok($at, '<=', $n / 2, 'overlapping PATCHes: none behind another');
$r = patch($t, $url, $at, 'z' x ($n - $at));
has_status($r, 204, undef, 'who comes last goes on');
my $got = slurp(home($r->{headers}{'reel-asset'}) . '/source');
like(substr($got, $at), qr/^z+$/, 'to the end');
is(length $got, $n, 'every byte is there');
has_status(patch($t, create($t, 10), 5, 'x'), 409, 'OffsetMismatch',
    'a PATCH ahead of the bytes');

# --- names that are paths ----------------------------------------------------
my @names = ('../../../../etc/passwd', '..', '.', '/etc/passwd', 'a/../../b',
    "nul\0byte", "new\nline", '.uploads', '#tmp-0', 'C:\\con', '~root',
    '$(id)', '<script>', "\xff\xfe", 'x' x 1024);
for my $name (@names) {
    my $shown = substr(Reel::uri($name), 0, 30);
    $r = http($t, 'PUT', presign($t, 'PUT', '/upload/video/'
        . join '/', map { Reel::uri($_) } split m{/}, $name, -1),
        body => 'abc');
    like($r->{status}, qr/^(200|400|404|405)$/, "the key $shown: status");
    $r = tus($t, 'POST', presign($t, 'POST', '/upload/video/'), headers => {
        'Upload-Length' => 0, 'Upload-Metadata' => metadata(filename =>
            $name) });
    like($r->{status}, qr/^(201|400)$/, "the filename $shown: status");
    $r = http($t, 'POST', presign($t, 'POST', '/upload/video/'), body => 'x',
        headers => { 'Upload-Complete' => '?1', 'Content-Disposition' =>
            'attachment; filename="' . ($name =~ s/(["\\])/\\$1/gr
            =~ s/[\0\n]//gr) . '"' });
    like($r->{status}, qr/^(200|400)$/, "Content-Disposition $shown: status");
}
has_status(http($t, 'PUT', presign($t, 'PUT', '/upload/video/' . 'x' x 1025),
    body => 'x'), 400, undef, 'a key of 1025 bytes');
for my $bucket ('..', '.', '.uploads', '%2e%2e', '..%2fother', 'video%00') {
    $r = http($t, 'PUT', presign($t, 'PUT', "/upload/$bucket/x"),
        body => 'abc');
    like($r->{status}, qr/^(40[0345])$/, "the bucket $bucket: status");
}
my @odd = grep { !m{^(assets/[0-9a-z]{2}/[0-9a-z]{26}/(source|request\.json)
    |names/[0-9a-f]{2}/[0-9a-f]{64}|pending/[0-9a-z]{26}\.1
    |uploads/[0-9a-f]{32}/(state|data|parts|upload\.json))$}x } $t->files;
is_deeply(\@odd, [], 'no name from outside names a file');
is_deeply([ grep { !/^(store|tmp|keys\.json|master\.json|nginx\.(conf|pid)|error\.log
    |san\.\d+)$/x } map { s{.*/}{}r } glob "$d/*" ], [], 'nor beside the store');

# --- old URLs ----------------------------------------------------------------
my $old = presign($t, 'PUT', '/upload/video/old', expires => 2);
$r = http($t, 'PUT', $old, body => 'abc');
has_status($r, 200, undef, 'in its time');
my $multi = s3_create($t, '/upload/video/old-parts');
my @late = ([ 'PutObject, replayed', 'PUT', $old ],
    [ 'UploadPart', 'PUT', presign($t, 'PUT', '/upload/video/old-parts',
        expires => 1, query => { partNumber => 1, uploadId => $multi }) ],
    [ 'Complete', 'POST', presign($t, 'POST', '/upload/video/old-parts',
        expires => 1, query => { uploadId => $multi }) ],
    [ 'tus', 'POST', presign($t, 'POST', '/upload/video/', expires => 1),
        'Tus-Resumable' => '1.0.0', 'Upload-Length' => 3 ],
    [ 'IETF', 'POST', presign($t, 'POST', '/upload/video/', expires => 1),
        'Upload-Complete' => '?1' ],
    [ 'the API', 'GET', presign($t, 'GET', '/api/uploads', expires => 1) ]);
sleep 3.1;
for my $c (@late) {
    my ($name, $method, $target, %h) = @$c;
    $r = http($t, $method, $target, headers => \%h,
        $method eq 'GET' ? () : (body => 'abc'));
    has_status($r, 403, 'AccessDenied', "$name, past its time");
}

# --- and nothing of all this hurt ----------------------------------------------
is_deeply([ $t->workers ], [ $worker ], 'the worker lives');
SKIP: {
    skip 'sanitizers keep what was freed', 1 if $ENV{REEL_PRELOAD};
    cmp_ok(memory() - $before, '<', 16 * 1024, 'and is no larger for it');
}
unlike($t->log, qr/\[(alert|crit|emerg)\]|exited on signal/, 'a calm log');

done_testing();
