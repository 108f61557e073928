# uploads in the API: listed, shown, aborted, by whoever has the project's key
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep time);
use lib 't/lib';
use Reel;
use S3;
use Tus ();

my $t = Reel->new(workers => 2, conf => '
    location /upload/ { reel_upload; }
    location /short/  { reel_upload; reel_upload_expires 1s; }
    location /slow/   { reel_upload; reel_upload_expires 2s;
                        reel_upload_buffer 4k; }
    location /api/    { reel_api; }');

sub call {
    my ($method, $path, %o) = @_;
    return http($t, $method, $path, headers => signed_headers($t, $method,
        $path, %o));
}

sub ids { return map { $_->{id} } @{ json($_[0]->{body})->{uploads} } }
sub id_of { my ($url) = @_; return substr $url, -32 }

my @theirs = (key => $Reel::KEY2, secret => $Reel::SECRET2);

# --- nothing yet -------------------------------------------------------------
my $r = call('GET', '/api/uploads');
has_status($r, 200, undef, 'none');
has_header($r, 'Content-Type', qr{^application/json$}, 'none');
has_header($r, 'Access-Control-Allow-Origin', qr/^\*$/, 'none');
has_header($r, 'Cache-Control', qr/^no-store$/, 'none');
is_deeply(json($r->{body}), { uploads => [], next_cursor => undef }, 'none');
has_status(http($t, 'GET', '/api/uploads'), 401, 'UNSIGNED', 'unsigned');

# --- one of each door --------------------------------------------------------
my $tus = id_of(my $url = Tus::create($t, 10, path => '/upload/video/a.mp4',
    query => { 'reel-name' => "A \x{22}film" }));
Tus::patch($t, $url, 0, '1234');
my $open = id_of(Tus::create($t, undef, headers =>
    { 'Upload-Defer-Length' => 1 }));
my $multi = s3_create($t, '/upload/video/b.mp4');
s3_part($t, '/upload/video/b.mp4', $multi, $_, 'x' x 5_242_880) for 3, 1;
my $ietf = http($t, 'POST', presign($t, 'POST', '/upload/second/c.mp4'),
    body => 'abc', headers => { 'Upload-Complete' => '?0',
        'Upload-Draft-Interop-Version' => 6 });
$ietf = id_of($ietf->{headers}{location});

$r = call('GET', "/api/uploads/$tus");
has_status($r, 200, undef, 'a tus upload');
my $u = json($r->{body});
like($u->{asset}, qr/^[0-9a-z]{26}$/, 'its asset');
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
like($u->{created_at}, $time, 'when it began');
like($u->{expires_at}, $time, 'when it expires');
ok($u->{expires_at} gt $u->{created_at}, 'which is later');
is_deeply($u, { id => $tus, asset => $u->{asset}, door => 'tus',
    state => 'open', name => "A \"film", offset => 4, length => 10,
    created_at => $u->{created_at}, expires_at => $u->{expires_at} },
    'all of it');

for my $c ([ $open, 'tus', 0, undef ], [ $multi, 'multipart', 10_485_760,
    undef ], [ $ietf, 'ietf', 3, undef ])
{
    my ($id, $door, $offset, $length) = @$c;
    $u = json(call('GET', "/api/uploads/$id")->{body});
    is("$u->{door} $u->{state} $u->{offset}", "$door open $offset",
        "$door: where it is");
    is($u->{length}, $length, "$door: of how many");
}

# --- whose they are ----------------------------------------------------------
has_status(call('GET', "/api/uploads/$tus", @theirs), 404, 'NOT_FOUND',
    'of another project');
has_status(call('DELETE', "/api/uploads/$tus", @theirs), 404, 'NOT_FOUND',
    'nor aborted');
is_deeply([ ids(call('GET', '/api/uploads', @theirs)) ], [], 'nor listed');
is(json(call('GET', "/api/uploads/$tus")->{body})->{state}, 'open',
    'and untouched');

# --- what is none ------------------------------------------------------------
for my $id ('0' x 32, 'A' x 32, '0' x 31, '..', "$tus/x",
    '01j00000000000000000000000') {
    has_status(call('GET', "/api/uploads/$id"), 404, 'NOT_FOUND', $id);
    has_status(call('DELETE', "/api/uploads/$id"), 404, 'NOT_FOUND', $id);
}
$r = call('PATCH', "/api/uploads/$tus");
has_status($r, 405, 'METHOD_NOT_ALLOWED', 'PATCH');
has_header($r, 'Allow', qr/^GET, HEAD, DELETE, OPTIONS$/, 'PATCH');
$r = call('DELETE', '/api/uploads');
has_header($r, 'Allow', qr/^GET, HEAD, POST, OPTIONS$/, 'all of them');

# --- pages -------------------------------------------------------------------
my @all = ids(call('GET', '/api/uploads'));
is_deeply([ sort @all ], [ sort $tus, $open, $multi, $ietf ], 'all four');
is($all[0], $ietf, 'the newest first');
is($all[3], $tus, 'the oldest last');
my (@paged, $cursor);
for my $n (1 .. 4) {
    $r = call('GET', '/api/uploads?limit=1' . ($cursor ? "&cursor=$cursor"
        : ''));
    push @paged, ids($r);
    $cursor = json($r->{body})->{next_cursor};
    is(scalar(@paged), $n, "page $n");
    is(defined $cursor, $n < 4, "page $n: is there more?");
    $cursor =~ s/:/%3A/ if $cursor;
}
is_deeply(\@paged, \@all, 'page by page the same');
for my $q ('limit=0', 'limit=101', 'limit=x', 'cursor=1', 'cursor=1:x',
    'cursor=x:' . '0' x 32, 'state=completing', 'state=' . 'x' x 40) {
    has_status(call('GET', "/api/uploads?$q"), 400, 'INVALID_FIELD', $q);
}
has_status(call('GET', '/api/uploads?state=' . $_), 200, undef, $_)
    for qw(open complete aborted expired);

# --- reelctl -----------------------------------------------------------------
SKIP: {
    my $ctl = ($ENV{REEL_BUILD} || "$Reel::TOP/build") . '/bin/reelctl';
    skip 'no reelctl was built', 16 if !-x $ctl;

    my $run = sub {
        my $out = `$ctl @_ --keys $t->{dir}/keys.json --server \\
            http://127.0.0.1:$t->{port} 2>&1`;
        return ($? >> 8, $out);
    };
    my ($code, $out) = $run->('uploads');
    is($code, 0, 'reelctl uploads');
    like($out, qr/^$tus  open +tus +4 B of 10 B +\S{26}  A "film$/m, 'tus');
    like($out, qr/^$open  open +tus +0 B of \? /m, 'no length yet');
    like($out, qr/^$multi  open +multipart +10\.0 MiB of \? /m, 'multipart');
    is(scalar(split /\n/, $out), 4, 'a line each');

    ($code, $out) = $run->('uploads', '--json', '--limit', 3);
    my $list = json($out);
    is(join(' ', map { $_->{id} } @{ $list->{uploads} }), "@all[0 .. 2]",
        'as JSON');
    ok($list->{next_cursor}, 'how to go on');
    ($code, $out) = $run->('uploads --json --all --limit 1 --state open');
    is(join(' ', map { $_->{id} } @{ json($out)->{uploads} }), "@all",
        'page by page');
    is(($run->('uploads --state ready'))[0], 2, 'no state of uploads');

    my $id = id_of(Tus::create($t, 10));
    ($code, $out) = $run->('abort', $id);
    is("$code $out", "0 aborted $id\n", 'abort');
    is(($run->('abort', $id))[0], 0, 'again');
    is(json(($run->('abort --json', $id))[1])->{id}, $id, 'as JSON');
    is(json(call('GET', "/api/uploads/$id")->{body})->{state}, 'aborted',
        'it is aborted');
    is(($run->('abort', '0' x 32))[0], 3, 'one that is not');
    is(($run->('abort', 'x'))[0], 2, 'no id');
    system('rm', '-rf', "$t->{dir}/store/uploads/$id");
    is(($run->('uploads --key-id', $Reel::KEY2))[1], "no uploads\n",
        'of another project');
}

# --- aborted -----------------------------------------------------------------
$r = call('DELETE', "/api/uploads/$multi");
has_status($r, 204, undef, 'abort');
is($r->{body}, '', 'no body');
has_status(call('DELETE', "/api/uploads/$multi"), 204, undef, 'again');
is_deeply([ $t->files("uploads/$multi") ], [ map { "uploads/$multi/$_" }
    qw(state upload.json) ], 'its bytes are gone');
$u = json(call('GET', "/api/uploads/$multi")->{body});
is("$u->{state}", 'aborted', 'as it says');
is($u->{expires_at}, undef, 'what ended does not expire');
has_status(s3_part($t, '/upload/video/b.mp4', $multi, 1, 'x'), 404,
    'NoSuchUpload', 'nothing more is taken');
is_deeply([ ids(call('GET', '/api/uploads?state=aborted')) ], [ $multi ],
    'the aborted one');
is_deeply([ ids(call('GET', '/api/uploads?state=open')) ],
    [ $ietf, $open, $tus ], 'the open ones');

# who is sending is told to stop, on whatever worker
for my $n (1 .. 4) {
    my $url = Tus::create($t, 4 << 20);
    my $s = Tus::held_patch($t, $url, 0, 4 << 20, 'x' x (3 << 20));
    # more than nginx holds in memory; HEAD would stop the sender
    wait_for(sub { -s "$t->{dir}/store/uploads/" . id_of($url) . '/data' },
        'the bytes are on their way');
    my $began = time;
    has_status(call('DELETE', '/api/uploads/' . id_of($url)), 204, undef,
        "abort under way $n");
    cmp_ok(time - $began, '<', 2, 'at once');
    my $answer = do { local $/; <$s> };
    unlike($answer // '', qr{^HTTP/1.1 204}, 'the sender hears no success');
    has_status(Tus::tus($t, 'HEAD', $url), 410, undef, 'it is gone');
}

# a PutObject too, and nothing of it stays
for my $n (1 .. 4) {
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}");
    print $s 'PUT ' . presign($t, 'PUT', "/upload/video/put$n") . " HTTP/1.1\r\n"
        . "Host: 127.0.0.1:$t->{port}\r\nContent-Length: 1000\r\n\r\n"
        . 'x' x 100;
    my ($put) = wait_for(sub { my ($u) = grep { $_->{door} eq 'put' }
        @{ json(call('GET', '/api/uploads?state=open')->{body})->{uploads} };
        $u }, 'it is listed');
    my $began = time;
    has_status(call('DELETE', "/api/uploads/$put->{id}"), 204, undef,
        "abort a PutObject $n");
    cmp_ok(time - $began, '<', 2, 'at once');
    is(do { local $/; <$s> } // '', '', 'the sender is cut off');
    ok(!-e "$t->{dir}/store/uploads/$put->{id}/data", 'its bytes are gone');
}

# --- complete ----------------------------------------------------------------
$r = Tus::patch($t, $url, 4, '567890');
has_status($r, 204, undef, 'the rest');
$u = json(call('GET', "/api/uploads/$tus")->{body});
is("$u->{state} $u->{offset} $u->{asset}",
    "complete 10 $r->{headers}{'reel-asset'}", 'it is complete');
has_status(call('DELETE', "/api/uploads/$tus"), 409, 'UploadComplete',
    'an asset is not aborted');
is(slurp(Tus::asset_source($t, $u->{asset})), '1234567890', 'it stays');
is_deeply([ ids(call('GET', '/api/uploads?state=complete')) ], [ $tus ],
    'the complete one');

# --- expired: whether the sweep was here or not ------------------------------
my $short = id_of($url = Tus::create($t, 10, path => '/short/video/'));
is(json(call('GET', "/api/uploads/$short")->{body})->{state}, 'open',
    'in its time');
sleep 1.2;
is(json(call('GET', "/api/uploads/$short")->{body})->{state}, 'expired',
    'behind it');
is_deeply([ ids(call('GET', '/api/uploads?state=expired')) ], [ $short ],
    'the expired one');
ok(!(grep { $_ eq $short } ids(call('GET', '/api/uploads?state=open'))),
    'is not open');
has_status(call('DELETE', "/api/uploads/$short"), 204, undef, 'and may go');

# --- what a long request brings keeps it alive, killed or not -----------------
my $slow = id_of($url = Tus::create($t, 1_000_000, path => '/slow/video/'));
my $s = Tus::held_patch($t, $url, 0, 1_000_000, 'x' x 8192);
for (1 .. 5) {
    sleep 0.6;
    print $s 'x' x 8192;
}
wait_for(sub { json(call('GET', "/api/uploads/$slow")->{body})->{offset}
    >= 40_000 }, 'the bytes are written');
is(json(call('GET', "/api/uploads/$slow")->{body})->{state}, 'open',
    'older than its time, and open');
kill 'KILL', $t->workers;
wait_for(sub { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}") },
    'nginx listens');
has_status($r = Tus::tus($t, 'HEAD', $url), 200, undef,
    'and so when its worker was killed');
cmp_ok($r->{headers}{'upload-offset'}, '>=', 40_000, 'with its bytes');

# --- a broken one does not hide the others -----------------------------------
mkdir "$t->{dir}/store/uploads/" . '0' x 32;
spew("$t->{dir}/store/uploads/" . '0' x 32 . '/upload.json', '{');
has_status(call('GET', '/api/uploads'), 200, undef, 'a broken one');
has_status(call('GET', '/api/uploads/' . '0' x 32), 500, 'STORE_FAILED',
    'a broken one');

unlike($t->log =~ s/^.*exited on signal 9.*\n//mgr,
    qr/\[(alert|crit|emerg)\]|exited on signal/, 'a calm log');

done_testing();
