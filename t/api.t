# every call of the API, with Redis and without
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use JSON::PP qw(encode_json);
use Test::More;
use lib 't/lib';
use Reel;

my $t = Reel->new(redis => 1);

sub call {
    my ($method, $path, %o) = @_;
    return http($t, $method, $path, %o,
        headers => { %{ signed_headers($t, $method, $path, %o) },
            %{ $o{headers} || {} } });
}

# who may ask
my $r = http($t, 'GET', '/api/assets');
has_status($r, 401, 'UNSIGNED', 'unsigned, from loopback');
has_header($r, 'Content-Type', qr{^application/problem\+json$}, 'a problem');
$r = call('GET', '/api/assets', secret => 'z' x 20);
has_status($r, 403, 'SignatureDoesNotMatch', 'wrong secret');
$r = http($t, 'GET', '/api/assets', headers =>
    { Authorization => 'Bearer ' . Reel::jwt() });
has_status($r, 200, undef, 'a bearer token');
for my $c (
    [ 'expired', 'TOKEN_EXPIRED', exp => time - 3600 ],
    [ 'another audience', 'TOKEN_INVALID', aud => 'x' ],
    [ 'another secret', 'TOKEN_INVALID', secret => 'y' x 20 ],
    [ 'alg none', 'TOKEN_INVALID', alg => 'none' ],
    [ 'alg RS256', 'TOKEN_INVALID', alg => 'RS256' ],
    [ 'unknown kid', 'TOKEN_INVALID', kid => 'nobody' ],
) {
    my ($name, $code, @o) = @$c;
    $r = http($t, 'GET', '/api/assets', headers =>
        { Authorization => 'Bearer ' . Reel::jwt(@o) });
    has_status($r, 403, $code, $name);
}
$r = http($t, 'GET', '/api/assets', headers =>
    { Authorization => 'Bearer a.b.c' });
has_status($r, 403, 'TOKEN_INVALID', 'garbage');

# create
$r = call('POST', '/api/uploads',
    body => '{"name":"a b.mp4","meta":{"title":"T"},"max_bytes":1000}');
has_status($r, 201, undef, 'create');
my $up = json($r->{body});
my $id = $up->{asset};
is($up->{method}, 'PUT', 'a PUT');
like($up->{expires_at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/,
    'its end');
like($up->{url}, qr{^http://127\.0\.0\.1:\d+/upload/video/a%20b\.mp4\?},
    'its URL');
(my $target = $up->{url}) =~ s{^http://[^/]+}{};
$r = http($t, 'GET', "/api/assets/$id", headers =>
    { Authorization => 'Bearer ' . Reel::jwt() });
has_status($r, 404, 'NOT_FOUND', 'not there before the upload');
$r = http($t, 'PUT', $target, body => 'x' x 1001);
has_status($r, 413, 'EntityTooLarge', 'its limit holds');
$r = http($t, 'PUT', $target, body => 'x' x 1000);
has_status($r, 200, undef, 'its URL takes the body');
is($r->{headers}{'reel-asset'}, $id, 'and the id is the one promised');

for my $name ('a/b c.mp4', '../up.mp4', 'a//b', '/x', 'x/', '..', 'a+b&c=d%25',
    "\xc3\xbc.mp4")
{
    my $made = json(call('POST', '/api/uploads', body => encode_json(
        { name => do { my $n = $name; utf8::decode($n); $n } }))->{body});
    (my $to = $made->{url}) =~ s{^http://[^/]+}{};
    $r = http($t, 'PUT', $to, body => 'n');
    has_status($r, 200, undef, "the name $name");
    is($r->{headers}{'reel-asset'}, $made->{asset}, 'its asset');
    my $got = json(call('GET', "/api/assets/$made->{asset}")->{body})->{name};
    utf8::encode($got);
    is($got, $name, 'its name comes back');
    call('DELETE', "/api/assets/$made->{asset}");
}

for my $c (
    [ 'no JSON', 'INVALID_JSON', '{' ],
    [ 'no object', 'INVALID_JSON', '[]' ],
    [ 'no name', 'INVALID_FIELD', '{}' ],
    [ 'unknown member', 'INVALID_FIELD', '{"name":"a","x":1}' ],
    [ 'name of another type', 'INVALID_FIELD', '{"name":1}' ],
    [ 'zero bytes', 'INVALID_FIELD', '{"name":"a","max_bytes":0}' ],
    [ 'a bucket of others', 'INVALID_FIELD', '{"name":"a","bucket":"theirs"}' ],
    [ 'too long a life', 'INVALID_FIELD', '{"name":"a","expires":604801}' ],
    [ 'bad sha256', 'INVALID_FIELD', '{"name":"a","sha256":"zz"}' ],
    [ 'bad meta', 'INVALID_FIELD', '{"name":"a","meta":{"y":1}}' ],
    [ 'no pipeline of that name', 'INVALID_FIELD',
        '{"name":"a","pipeline":"nosuch"}' ],
    [ 'no duration', 'INVALID_FIELD', '{"name":"a","max_duration":0}' ],
    [ 'a duration of 2^32 s', 'INVALID_FIELD',
        '{"name":"a","max_duration":4294967296}' ],
    [ 'a type of 256 bytes', 'INVALID_FIELD',
        '{"name":"a","content_type":"' . 't' x 256 . '"}' ],
    [ 'an empty type', 'INVALID_FIELD', '{"name":"a","content_type":""}' ],
    [ 'a type of two lines', 'INVALID_FIELD',
        '{"name":"a","content_type":"a\\nb"}' ],
    [ 'a name of 1025 bytes', 'INVALID_FIELD',
        '{"name":"' . 'n' x 1025 . '"}' ],
    [ 'an empty name', 'INVALID_FIELD', '{"name":""}' ],
    [ 'a URL of more than 8k', 'INVALID_FIELD', '{"name":"' . '<' x 1024
        . '","meta":{"passthrough":"' . '<' x 2000 . '"}}' ],
) {
    my ($name, $code, $body) = @$c;
    $r = call('POST', '/api/uploads', body => $body);
    has_status($r, 400, $code, $name);
}
# which pipelines there are
is_deeply(json(call('GET', '/api/pipelines')->{body}),
    { pipelines => ['default'] }, 'the pipelines');
has_status(http($t, 'GET', '/api/pipelines'), 401, 'UNSIGNED', 'not for all');
has_status(call('POST', '/api/pipelines', body => '{}'), 405, undef,
    'no call to change them');
my $two = Reel->new(http => 'reel_pipelines slow-2 default;');
is_deeply(json(http($two, 'GET', presign($two, 'GET', '/api/pipelines'))
    ->{body}), { pipelines => ['slow-2', 'default'] },
    'as they are configured');
undef $two;

# the largest of each, at the door
for my $body ('{"name":"' . 'n' x 1024 . '"}',
    '{"name":"a","max_duration":4294967295,"max_bytes":9223372036854775807}',
    '{"name":"a","pipeline":"default"}',
    '{"name":"a","meta":{"passthrough":"' . 'p' x 2030 . '"}}')
{
    my $made = call('POST', '/api/uploads', body => $body);
    has_status($made, 201, undef, substr($body, 0, 30));
    (my $to = json($made->{body})->{url}) =~ s{^http://[^/]+}{};
    $r = http($t, 'PUT', $to, body => 'n');
    has_status($r, 200, undef, 'and the door takes it');
    call('DELETE', "/api/assets/$r->{headers}{'reel-asset'}");
}
my $typed = 't' x 255;
(my $to = json(call('POST', '/api/uploads', body =>
    "{\"name\":\"a\",\"content_type\":\"$typed\"}")->{body})->{url})
    =~ s{^http://[^/]+}{};
$r = http($t, 'PUT', $to, body => 'n', headers => { 'Content-Type' => $typed });
has_status($r, 200, undef, 'a type of 255 bytes');
call('DELETE', "/api/assets/$r->{headers}{'reel-asset'}");

$r = call('POST', '/api/uploads', body => ' ' x 70000);
has_status($r, 413, 'TOO_LARGE', 'a body of 70,000 bytes');

# show, and the URLs that create signed
$r = call('GET', "/api/assets/$id");
has_status($r, 200, undef, 'show');
my $a = json($r->{body});
is($a->{status}, 'preparing', 'preparing');
is($a->{meta}{title}, 'T', 'its meta');
is($a->{progress}{state}, 'queued', 'its progress');
(my $status = $up->{status_url}) =~ s{^http://[^/]+}{};
has_status(http($t, 'GET', $status), 200, undef, 'status_url');

# patch
$r = call('PATCH', "/api/assets/$id",
    body => '{"meta":{"title":null,"creator":"C"}}');
has_status($r, 200, undef, 'patch');
is_deeply(json($r->{body})->{meta}, { creator => 'C' }, 'merged');
$r = call('PATCH', "/api/assets/$id", body => 'nope');
has_status($r, 400, 'INVALID_JSON', 'patch: no JSON');
$r = call('PATCH', "/api/assets/$id", body => '{"meta":{"z":1}}');
has_status($r, 400, 'INVALID_FIELD', 'patch: unknown member');

$r = http($t, 'PATCH', "/api/assets/$id", body => '{"meta":{"title":"x"}}',
    headers => signed_headers($t, 'PATCH', "/api/assets/$id",
        payload => sha256_hex('{"meta":{"title":"y"}}')));
has_status($r, 400, 'XAmzContentSHA256Mismatch', 'another body than signed');
my $long = '{"meta":{"creator":"C","title":"' . ('t' x 1024) . '"}}'
    . ' ' x 40000;
$r = call('PATCH', "/api/assets/$id", body => $long,
    payload => sha256_hex($long));
has_status($r, 200, undef, 'a body of 40,000 bytes, with its hash');
is(length json($r->{body})->{meta}{title}, 1024, 'is read whole');
$r = call('PATCH', "/api/assets/$id",
    body => '{"meta":{"title":"' . ('t' x 1025) . '"}}');
has_status($r, 413, 'TOO_LARGE', 'a title of 1025 bytes');
$r = call('PATCH', "/api/assets/$id", body => '{"meta":{"title":null}}');

# presigned calls with a body: the hash is bound only where it is named
my $patch = '{"meta":{"title":"signed before"}}';
$r = http($t, 'PATCH', presign($t, 'PATCH', "/api/assets/$id"),
    body => $patch);
has_status($r, 200, undef, 'presigned patch');
is(json($r->{body})->{meta}{title}, 'signed before', 'its body is taken');
$r = http($t, 'POST', presign($t, 'POST', '/api/uploads'),
    body => '{"name":"p"}');
has_status($r, 201, undef, 'presigned create');
$r = http($t, 'PATCH', presign($t, 'PATCH', "/api/assets/$id",
    payload => sha256_hex($patch)), body => $patch);
has_status($r, 200, undef, 'presigned patch, with its hash');
$r = http($t, 'PATCH', presign($t, 'PATCH', "/api/assets/$id",
    payload => sha256_hex('another')), body => $patch);
has_status($r, 400, 'XAmzContentSHA256Mismatch',
    'presigned patch, another body');
call('PATCH', "/api/assets/$id", body => '{"meta":{"title":null}}');

# others see nothing
for my $m ([ 'GET', '' ], [ 'DELETE', '' ], [ 'GET', '/events' ]) {
    $r = call($m->[0], "/api/assets/$id$m->[1]", key => $Reel::KEY2,
        secret => $Reel::SECRET2);
    has_status($r, 404, 'NOT_FOUND', "another project: $m->[0]$m->[1]");
}

# list and its pages
for my $n (1 .. 3) {
    http($t, 'PUT', presign($t, 'PUT', "/upload/video/$n"), body => $n);
}
Reel::wait_for(sub { $t->redis('ZCARD', 'reel1:{r0}:catalog:default') == 4 },
    'the catalogue has four');
my ($cursor, @ids) = ('');
do {
    $r = call('GET', '/api/assets?limit=3' . ($cursor
        ? '&cursor=' . Reel::uri($cursor) : ''));
    has_status($r, 200, undef, 'a page');
    my $page = json($r->{body});
    push @ids, map { $_->{id} } @{ $page->{assets} };
    $cursor = $page->{next_cursor};
} while ($cursor);
is(scalar @ids, 4, 'four assets on two pages');
is_deeply(\@ids, [ reverse sort @ids ], 'newest first');
is(scalar @{ json(call('GET', '/api/assets?state=ready')->{body})->{assets} },
    0, 'none is ready');
# a millisecond with more ids than a page, some of which go in between
my $alike = 'reel1:{r0}:catalog:other';
my @alike = map { sprintf '01j0000000%016d', $_ } 1 .. 300;
$t->redis('ZADD', $alike, map { (1700000000000, $_) } @alike);
$t->redis('ZADD', $alike, 1700000000001, '01j1' . '0' x 22,
    1699999999999, '01hz' . '0' x 22);
my ($pages, %seen) = (0);
my @as_other = (key => $Reel::KEY2, secret => $Reel::SECRET2);
$cursor = '';
while (defined $cursor && $pages++ < 60) {
    $r = call('GET', '/api/assets?limit=7' . ($cursor
        ? '&cursor=' . Reel::uri($cursor) : ''), @as_other);
    $cursor = json($r->{body})->{next_cursor};
    next if !defined $cursor;
    my ($score, $last) = split /:/, $cursor;
    $seen{$last}++;
    $t->redis('ZREM', $alike, grep { $_ gt $last } @alike[-30 .. -1])
        if $pages == 8;
}
is($pages, 44, '302 alike on 44 pages');
is(scalar keys %seen, 43, 'each of which ends elsewhere');
is((sort keys %seen)[0], $alike[0], 'the last cursor is that of the oldest');

for my $q ('limit=0', 'limit=101', 'cursor=x', 'state=x',
    'cursor=1', "cursor=x:$id", "cursor=-1:$id", "cursor=1:$id:2147483647")
{
    $r = call('GET', "/api/assets?$q");
    has_status($r, 400, 'INVALID_FIELD', "list: $q");
}

# retry
$r = call('POST', "/api/assets/$id/retry");
has_status($r, 409, 'NOT_ERRORED', 'retry of what is preparing');

# cancel: an entry for workerd, and a word to Redis
$r = call('POST', "/api/assets/$id/cancel", key => $Reel::KEY2,
    secret => $Reel::SECRET2);
has_status($r, 404, 'NOT_FOUND', "cancel of another's");
has_status(http($t, 'POST', "/api/assets/$id/cancel"), 401, 'UNSIGNED',
    'cancel of a stranger');
is_deeply([ $t->files('cancel') ], [], 'neither leaves an entry');
for my $time ([ '' ], [ ', again, Content-Length: 0', body => '' ]) {
    my ($name, @o) = @$time;
    $r = call('POST', "/api/assets/$id/cancel", @o);
    has_status($r, 202, undef, "cancel$name");
    is(json($r->{body})->{status}, 'preparing', 'until a worker took it');
    is_deeply([ $t->files('cancel') ], [ "cancel/$id.1" ], 'an entry');
}
Reel::wait_for(sub { ($t->redis('HGET', "reel1:{r0}:job:$id.1", 'v')
        || '') =~ /^\d+ cancelled / }, 'the job is cancelled');
$r = call('GET', "/api/assets/$id/cancel");
has_status($r, 405, 'METHOD_NOT_ALLOWED', 'GET cancels nothing');
my $home = "$t->{dir}/store/assets/" . substr($id, -2) . "/$id";
Reel::spew("$home/result.json", '{"asset":"' . $id . '","publication":1,'
    . '"ready":false,"completed_ms":1,"duration_ms":0,"renditions":[],'
    . '"code":"NOT_A_VIDEO","stage":"inspect","detail":"no",'
    . '"log":"","retryable":false}');
ok(-e "$t->{dir}/store/pending/$id.1", 'its end is not yet settled');
$a = json(call('GET', "/api/assets/$id")->{body});
is($a->{status}, 'errored', 'errored') or diag explain $a;
is($a->{error}{code}, 'NOT_A_VIDEO', 'and why');
unlink "$t->{dir}/store/cancel/$id.1";
$r = call('POST', "/api/assets/$id/cancel");
has_status($r, 409, 'NOT_PREPARING', 'cancel of what is errored');
is_deeply([ $t->files('cancel') ], [], 'no entry of that');
$r = call('POST', "/api/assets/$id/webhook");
has_status($r, 409, 'NO_EVENT', 'no webhooks are set up');
mkdir "$t->{dir}/store/hooks" or die "hooks: $!";
chmod 0777, "$t->{dir}/store/hooks";
Reel::spew("$t->{dir}/store/hooks/on", '');
$r = call('POST', "/api/assets/$id/webhook");
has_status($r, 202, undef, 'its event once more');
is(scalar(grep { m{^hooks/$id/1~\d+$} } $t->files('hooks')), 1, 'for workerd');
$r = call('POST', "/api/assets/$id/retry");
has_status($r, 202, undef, 'retry');
is(json($r->{body})->{status}, 'preparing', 'preparing again');
is_deeply([ sort grep { /\Q$id\E/ } $t->files('pending') ],
    [ "pending/$id.1", "pending/$id.2" ],
    'as publication 2, whose entry is not that of 1');
unlink "$t->{dir}/store/pending/$id.1";
is(json(call('GET', "/api/assets/$id")->{body})->{status}, 'preparing',
    'and goes on when 1 is settled');
has_status(call('POST', "/api/assets/$id/cancel"), 202, undef,
    'cancel of a retry');
is_deeply([ $t->files('cancel') ], [ "cancel/$id.2" ], 'is of that');
$r = call('POST', "/api/assets/$id/retry");
has_status($r, 409, 'NOT_ERRORED', 'a second retry meanwhile');

# events end at a final state
unlink "$t->{dir}/store/pending/$id.2";
$r = call('GET', "/api/assets/$id/events");
has_status($r, 200, undef, 'events');
has_header($r, 'Content-Type', qr{^text/event-stream$}, 'events');
like($r->{body}, qr/event: asset\ndata: \{.*"status":"errored"/,
    'an event with the asset');

# delete, while the entries of two jobs stand
$r = call('POST', "/api/assets/$id/retry");
has_status($r, 202, undef, 'retry once more');
Reel::spew("$t->{dir}/store/pending/$id.1", '');
$r = call('DELETE', "/api/assets/$id");
is($r->{status}, 204, 'delete');
is(call('DELETE', "/api/assets/$id")->{status}, 204, 'again');
is_deeply([ grep { /\Q$id\E/ } $t->files('assets') ],
    [ 'assets/' . substr($id, -2) . "/$id/tombstone" ],
    'only the tombstone stays');
is_deeply([ grep { /\Q$id\E/ } $t->files('pending') ], [],
    'and no entry in the outbox');
like(Reel::slurp("$t->{dir}/store/hooks/$id/deleted"),
    qr/"type":"video.asset.deleted"/, 'an event that it was deleted');
has_status(call('POST', "/api/assets/$id/webhook"), 202, undef,
    'which can be had again');
has_status(call('GET', "/api/assets/$id"), 410, 'DELETED', 'gone');
for my $m ('GET', 'DELETE') {
    has_status(call($m, "/api/assets/$id", key => $Reel::KEY2,
        secret => $Reel::SECRET2), 404, 'NOT_FOUND', "to others: $m");
}

has_status(call('POST', "/api/assets/$id/cancel"), 410, 'DELETED',
    'cancel of what is deleted');

# paths and methods
has_status(call('GET', '/api/nope'), 404, 'NOT_FOUND', 'no such call');
$r = call('PUT', '/api/assets');
has_status($r, 405, 'METHOD_NOT_ALLOWED', 'method');
has_header($r, 'Allow', qr/^GET, HEAD, OPTIONS$/, 'method');
has_status(call('GET', '/api/assets/xyz'), 404, 'NOT_FOUND', 'a bad id');
is(http($t, 'OPTIONS', '/api/assets')->{status}, 204, 'preflight');

# without Redis: uploads, status and delete go on, the list does not
$t->redis_stop;
$r = http($t, 'PUT', presign($t, 'PUT', '/upload/video/z'), body => 'z');
has_status($r, 200, undef, 'an upload without Redis');
$id = $r->{headers}{'reel-asset'};
ok(-e "$t->{dir}/store/pending/$id.1", 'its job waits in the outbox');
$r = call('GET', "/api/assets/$id");
has_status($r, 200, undef, 'status without Redis');
is(json($r->{body})->{progress}{state}, 'unknown', 'progress unknown');
has_status(call('POST', "/api/assets/$id/cancel"), 202, undef,
    'cancel without Redis');
ok(-e "$t->{dir}/store/cancel/$id.1", 'its entry');
$r = call('GET', '/api/assets');
has_status($r, 503, 'REDIS_UNAVAILABLE', 'list without Redis');
is(call('DELETE', "/api/assets/$id")->{status}, 204, 'delete without Redis');

$t->redis_start;
Reel::wait_for(sub { call('GET', '/api/assets')->{status} == 200 },
    'the list comes back with Redis');
pass('the list comes back');

done_testing();
