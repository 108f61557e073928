# the upload door's edges: buffers, framing, Expect, equal requests at once,
# crashes between the steps of docs/store.md, HTTP/2
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Test::More;
use lib 't/lib';
use Reel;

my $h2 = Reel::free_port();
my $t = Reel->new(workers => 2, http => "
    server { listen 127.0.0.1:$h2 http2; location /upload/ { reel_upload; } }",
    conf => 'location /upload/ { reel_upload; }
        location /small/ { reel_upload; reel_upload_buffer 4k; }');
my $d = $t->{dir};

sub home { my ($id) = @_; return "$d/store/assets/" . substr($id, -2) . "/$id" }
sub source { my ($id) = @_; return slurp(home($id) . '/source') }
sub bytes { my ($n, $seed) = @_; my $x = $seed // 1;
    return substr join('', map { pack 'N', $x = ($x * 1103515245 + 12345)
        & 0xffffffff } 0 .. $n / 4), 0, $n }

# every way of filling 4 KiB buffers
my $n = 0;
for my $size (1, 4095, 4096, 4097, 5119, 5120, 5121, 8192, 12289, 100_003) {
    my $body = bytes($size, $size);
    my $r = http($t, 'PUT', presign($t, 'PUT', '/small/video/' . $n++),
        body => $body);
    is($r->{status}, 200, "$size bytes") or diag $r->{raw};
    ok(source($r->{headers}{'reel-asset'}) eq $body, "$size bytes, unchanged");

    for my $chunk (1, 100, 129, 4000, 65_536) {
        next if $size / $chunk > 5000;
        my $framed = join('', map { sprintf "%x\r\n%s\r\n", length, $_ }
            unpack "(a$chunk)*", $body) . "0\r\n\r\n";
        $r = http($t, 'PUT', presign($t, 'PUT', '/small/video/' . $n++),
            body => $framed, headers => { 'Transfer-Encoding' => 'chunked' });
        is($r->{status}, 200, "$size in chunks of $chunk") or diag $r->{raw};
        ok(source($r->{headers}{'reel-asset'}) eq $body,
            "$size in chunks of $chunk, unchanged");
    }
}

# a sender that dribbles, and one that hashes
my $body = bytes(20_000);
my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}");
print $s 'PUT ' . presign($t, 'PUT', '/small/video/slow',
    payload => sha256_hex($body)) . " HTTP/1.1\r\nHost: 127.0.0.1:$t->{port}"
    . "\r\nContent-Length: 20000\r\nConnection: close\r\n\r\n";
for my $part (unpack '(a1500)*', $body) {
    syswrite $s, $part;
    select undef, undef, undef, 0.01;
}
my $in = do { local $/; <$s> };
like($in, qr{^HTTP/1.1 200 }, 'a dribbling sender, hashed');
like($in, qr{reel-asset: (\S+)}, 'and its asset');
ok(source($1) eq $body, 'and its bytes') if $in =~ /reel-asset: (\S+)/;

# the connection lives on
my $one = 'PUT ' . presign($t, 'PUT', '/small/video/k1') . " HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$t->{port}\r\nContent-Length: 5000\r\n\r\n"
    . 'k' x 5000;
my $two = 'PUT ' . presign($t, 'PUT', '/small/video/k2') . " HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$t->{port}\r\nTransfer-Encoding: chunked\r\n\r\n"
    . "5\r\nhello\r\n0\r\n\r\n";
my $three = 'PUT ' . presign($t, 'PUT', '/small/video/k3') . " HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$t->{port}\r\nContent-Length: 1\r\n"
    . "Connection: close\r\n\r\nx";
$in = raw($t, $one . $two . $three);
is(scalar(() = $in =~ m{^HTTP/1.1 200 }mg), 3, 'three in a pipeline');

# Expect: 100-continue
my $ask = sub {
    my ($target, $len) = @_;
    return "PUT $target HTTP/1.1\r\nHost: 127.0.0.1:$t->{port}\r\n"
        . "Content-Length: $len\r\nExpect: 100-continue\r\n"
        . "Connection: close\r\n\r\n";
};
$in = raw($t, $ask->(presign($t, 'PUT', '/upload/video/e.mp4', key => 'NO'),
    5));
like($in, qr{^HTTP/1.1 403 }, 'Expect: the refusal comes instead of 100');
my $url = presign($t, 'PUT', '/upload/video/e.mp4');
$in = raw($t, $ask->($url, 5) . 'hello');
like($in, qr{^HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 }, 'Expect: 100');
$in = raw($t, $ask->($url, 5));
like($in, qr{^HTTP/1.1 200 }, 'Expect: a replay wants no body');

# framing
$in = raw($t, 'PUT ' . presign($t, 'PUT', '/upload/video/b') . " HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$t->{port}\r\nTransfer-Encoding: chunked\r\n\r\n"
    . "5\r\nhello\r\nnonsense\r\n");
like($in, qr{^HTTP/1.1 400 .*<Code>InvalidRequest}s, 'a broken chunk');

# what is no PutObject, and slips of the pen
for my $c (
    [ 'a part of no upload', 404, 'NoSuchUpload', 'partNumber' => 1 ],
    [ 'an acl', 501, 'NotImplemented', 'acl' => '' ],
    [ 'an unknown limit', 400, 'InvalidArgument', 'reel-max-byte' => 1 ],
) {
    my ($name, $status, $code, @q) = @$c;
    my $r = http($t, 'PUT', presign($t, 'PUT', '/upload/video/q',
        query => { @q }), body => 'abc');
    has_status($r, $status, $code, $name);
}
(my $hidden = presign($t, 'PUT', '/upload/video/q',
    query => { 'reel-max-bytes' => 2 })) =~ s/reel-max/%72eel-max/;
my $r = http($t, 'PUT', $hidden, body => 'abc');
isnt($r->{status}, 200, 'an escaped name hides no limit');

# the same request sent several times at once: one asset
$url = presign($t, 'PUT', '/upload/video/same.mp4');
my @socks = map { IO::Socket::INET->new(
    PeerAddr => "127.0.0.1:$t->{port}") } 1 .. 6;
print $_ "PUT $url HTTP/1.1\r\nHost: 127.0.0.1:$t->{port}\r\n"
    . "Content-Length: 300000\r\nConnection: close\r\n\r\n" for @socks;
select undef, undef, undef, 0.2;
print $_ 's' x 300_000 for @socks;
my %ids;
for (@socks) {
    my $answer = do { local $/; <$_> };
    $ids{$1}++ if $answer =~ m{^HTTP/1.1 200 .*reel-asset: (\S+)}s;
}
is_deeply([ values %ids ], [6], 'six equal requests at once: one asset');
my ($same) = keys %ids;
is(scalar(grep { /source$/ && -s "$d/store/$_" == 300_000 }
    $t->files('assets')), 1, 'and one source');

# with a fixed id, one makes it and the others hear of it
my $fixed = '01m842w7mgk41a9desm65b90ff';
$url = presign($t, 'PUT', '/upload/video/fixed.mp4',
    query => { 'reel-asset' => $fixed });
@socks = map { IO::Socket::INET->new(
    PeerAddr => "127.0.0.1:$t->{port}") } 1 .. 6;
print $_ "PUT $url HTTP/1.1\r\nHost: 127.0.0.1:$t->{port}\r\n"
    . "Content-Length: 300000\r\nConnection: close\r\n\r\n" . 'f' x 300_000
    for @socks;
my %status;
for (@socks) {
    my $answer = do { local $/; <$_> };
    $status{$1}++ if $answer =~ m{^HTTP/1.1 (\d+) };
}
delete $status{409};
is(join(' ', keys %status), '200', 'a fixed id: 200, or 409 meanwhile');
$r = http($t, 'PUT', $url, body => 'f' x 300_000);
is($r->{headers}{'reel-asset'}, $fixed, 'and 200 to who asks again');
is_deeply([ $t->files('uploads') ], [], 'nothing staged is left');

# a crash after each step of the completion: the retry ends well
my %hash;       # of the name record, to take it away again
sub record { my ($id) = @_; return grep { slurp("$d/store/$_") =~ /$id/ }
    $t->files('names') }

sub crashed {
    my ($name, $undo, $target, $same_asset) = @_;
    my $r = http($t, 'PUT', $target, body => 'crash');
    my $id = $r->{headers}{'reel-asset'};
    $undo->($id);
    $r = http($t, 'PUT', $target, body => 'crash');
    is($r->{status}, 200, "crash $name: 200") or diag $r->{raw};
    my $now = $r->{headers}{'reel-asset'} // '';
    is($now, $id, "crash $name: the same asset") if $same_asset;
    ok(-e "$d/store/pending/$now.1", "crash $name: it is queued");
    is(source($now), 'crash', "crash $name: its bytes");
    is_deeply([ grep { /\Q$now\E/ } $t->files('uploads') ], [],
        "crash $name: nothing staged of it");
}

for my $how ('free', 'fixed') {
    my $c = 0;
    my $target = sub {
        my $q = $how eq 'fixed' ? { 'reel-asset' => sprintf(
            '01m842w7mgk41a9desm65b9%03d', 100 + $c) } : {};
        return presign($t, 'PUT', "/upload/video/$how" . $c++, query => $q);
    };
    my $unname = sub { unlink "$d/store/$_" for record($_[0]) };
    crashed("before the outbox, $how", sub {
        unlink "$d/store/pending/$_[0].1" }, $target->(), 1);
    crashed("before the name, $how", sub {
        $unname->(@_);
        unlink "$d/store/pending/$_[0].1" }, $target->(), $how eq 'fixed');
    crashed("before the request, $how", sub {
        $unname->(@_);
        unlink "$d/store/pending/$_[0].1", home($_[0]) . '/request.json';
        utime time - 120, time - 120, home($_[0]) . '/source' },
        $target->(), $how eq 'fixed');
    crashed("before the source, $how", sub {
        $unname->(@_);
        unlink "$d/store/pending/$_[0].1", home($_[0]) . '/request.json',
            home($_[0]) . '/source' }, $target->(), $how eq 'fixed');
}

# a source whose request may come any moment is not touched
$url = presign($t, 'PUT', '/upload/video/now', query => {
    'reel-asset' => '01m842w7mgk41a9desm65b9300' });
my $now = home('01m842w7mgk41a9desm65b9300');
http($t, 'PUT', $url, body => 'first');
unlink "$now/request.json", "$d/store/pending/01m842w7mgk41a9desm65b9300.1",
    map { "$d/store/$_" } record('01m842w7mgk41a9desm65b9300');
$r = http($t, 'PUT', $url, body => 'other');
has_status($r, 409, 'OperationAborted', 'another upload is at it');
is(slurp("$now/source"), 'first', 'its bytes stay');

# a deleted asset's id is not given again
spew("$now/tombstone", '{"project":"default"}');
unlink "$now/source";
$r = http($t, 'PUT', $url, body => 'again');
has_status($r, 409, 'OperationAborted', 'the id of a deleted asset');

# HTTP/2
SKIP: {
    skip 'curl has no HTTP/2', 8 if `curl -V` !~ /HTTP2/;
    for my $size (0, 70_000, 1_048_576, 5_000_000) {
        spew("$d/f", bytes($size, 7));
        for my $how ("-T $d/f", "-T - <$d/f") {
            local $t->{port} = $h2;
            my $to = presign($t, 'PUT', '/upload/video/h' . $n++);
            my $out = `curl -s -m 30 --http2-prior-knowledge -D - $how \\
                'http://127.0.0.1:$h2$to'`;
            my ($id) = $out =~ /^reel-asset: (\S+)/m;
            ok($id && source($id) eq slurp("$d/f"),
                "HTTP/2: $size bytes, " . ($how =~ /</ ? 'length unknown'
                : 'length known')) or diag $out;
        }
    }
}

is_deeply([ grep { -f } glob "$d/tmp/body/*" ], [],
    'no client_body_temp file');
unlike($t->log, qr/\[(alert|crit|emerg)\]|exited on signal/, 'a calm log');

done_testing();
