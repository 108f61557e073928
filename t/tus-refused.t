# tus: what creation refuses, and who may do what; nothing stands afterwards
use strict;
use warnings;
use Test::More;
use lib 't/lib';
use Reel;
use Tus;

my $t = Reel->new(http => 'reel_upload_max_size 1000;');
my $P = '/upload/video/';
my @id;

sub refused {
    my ($name, $status, $code, $r, $like) = @_;
    has_status($r, $status, $code, $name);
    has_header($r, 'Tus-Resumable', qr/^1\.0\.0$/, $name);
    has_header($r, 'Access-Control-Allow-Origin', qr/^\*$/, $name);
    has_header($r, 'Access-Control-Expose-Headers', qr/Tus-Resumable/, $name);
    has_header($r, 'Content-Type', qr{^application/problem\+json$}, $name)
        if $code;
    like($r->{body}, $like, "$name: says why") if $like;
    unlike($r->{raw}, qr/\Q$Reel::SECRET\E/, "$name: no secret");
    is_deeply([ $t->files('uploads') ], \@id, "$name: leaves nothing");
    return $r;
}

sub post {
    my ($headers, %o) = @_;
    return tus($t, 'POST', $o{target} // presign($t, 'POST', $o{path} // $P,
        query => $o{query}), body => $o{body} // '',
        headers => { %{ $headers } });
}

# --- the version -------------------------------------------------------------
for my $v ('0.9.9', '1.0.1', '', '1.0.0,0.2.2', 'x') {
    my $r = refused("version \"$v\"", 412, 'UnsupportedVersion',
        post({ 'Upload-Length' => 1, 'Tus-Resumable' => $v }));
    has_header($r, 'Tus-Version', qr/^1\.0\.0$/, "version \"$v\"");
}
for my $h ({ 'Upload-Metadata' => 'a' }, { 'Upload-Defer-Length' => 1 },
    { 'Upload-Concat' => 'partial' }, { 'Content-Type' => $Tus::TYPE }) {
    my $r = refused('no version, ' . (keys %$h)[0], 412, 'UnsupportedVersion',
        post({ 'Upload-Length' => 1, 'Tus-Resumable' => undef, %$h }));
    has_header($r, 'Tus-Version', qr/^1\.0\.0$/, 'no version');
}

# --- who signs ---------------------------------------------------------------
my %one = ('Upload-Length' => 1);
refused('unsigned', 401, 'UNSIGNED', post(\%one, target => $P));
refused('wrong secret', 403, 'SignatureDoesNotMatch', post(\%one,
    target => presign($t, 'POST', $P, secret => 'x' x 20)));
refused('signed for PUT', 403, 'SignatureDoesNotMatch', post(\%one,
    target => presign($t, 'PUT', $P)));
refused('expired', 403, 'AccessDenied', post(\%one,
    target => presign($t, 'POST', $P, time => time - 700, expires => 600)));
refused('another bucket', 404, 'NoSuchBucket', post(\%one,
    target => presign($t, 'POST', '/upload/theirs/')));
refused('at the root', 405, 'MethodNotAllowed', post(\%one,
    target => presign($t, 'POST', '/upload/')));

# --- lengths -----------------------------------------------------------------
refused('no length', 400, 'InvalidArgument', post({}), qr/either/);
refused('both', 400, 'InvalidArgument', post({ 'Upload-Length' => 1,
    'Upload-Defer-Length' => 1 }), qr/either/);
for my $n ('-1', 'x', '', '1.0', '0x10', '9223372036854775808',
    '18446744073709551615', '18446744073709551616') {
    refused("length \"$n\"", 400, 'InvalidArgument',
        post({ 'Upload-Length' => $n }), qr/not a number of bytes/);
}
refused('deferred 0', 400, 'InvalidArgument',
    post({ 'Upload-Defer-Length' => 0 }));
refused('over the server limit', 413, 'EntityTooLarge',
    post({ 'Upload-Length' => 1001 }), qr/reel_upload_max_size.* 1000 bytes/);
refused('over the largest file', 413, 'EntityTooLarge',
    post({ 'Upload-Length' => '9223372036854775807' }),
    qr/reel_upload_max_size/);
refused('over the signed limit', 413, 'EntityTooLarge',
    post({ 'Upload-Length' => 11 }, query => { 'reel-max-bytes' => 10 }),
    qr/reel-max-bytes allows: at most 10 bytes/);
my %typed = ('Content-Type' => $Tus::TYPE);
refused('a body over its length', 413, 'EntityTooLarge',
    post({ %typed, 'Upload-Length' => 3 }, body => 'abcd'),
    qr/Upload-Length/);
refused('a body over the limit', 413, 'EntityTooLarge',
    post({ %typed, 'Upload-Defer-Length' => 1 }, body => 'x' x 11,
        query => { 'reel-max-bytes' => 10 }), qr/reel-max-bytes/);
refused('the same, chunked', 413, 'EntityTooLarge',
    post({ %typed, 'Upload-Defer-Length' => 1,
        'Transfer-Encoding' => 'chunked' },
        body => "b\r\nhello world\r\n0\r\n\r\n",
        query => { 'reel-max-bytes' => 10 }), qr/reel-max-bytes/);
refused('chunked over its length', 413, 'EntityTooLarge',
    post({ %typed, 'Upload-Length' => 3, 'Transfer-Encoding' => 'chunked' },
        body => "4\r\nabcd\r\n0\r\n\r\n"), qr/own length/);
refused('a body cut in its frames', 400, undef,
    post({ %typed, 'Upload-Length' => 9, 'Transfer-Encoding' => 'chunked' },
        body => "4\r\nabcdefgh"));
raw($t, 'POST ' . presign($t, 'POST', $P) . " HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$t->{port}\r\nTus-Resumable: 1.0.0\r\n"
    . "Content-Type: $Tus::TYPE\r\nUpload-Length: 9\r\n"
    . "Content-Length: 9\r\n\r\nabc", cut => 1);
Reel::wait_for(sub { $t->log =~ /prematurely closed/
    && !$t->files('uploads') },
    'a creation that nobody hears of goes');
pass('a cut creation leaves nothing');

# --- metadata ----------------------------------------------------------------
for my $m ('a !', 'a YQ', 'a YQ==,a YQ==', ',', 'a,,b', "a\tb YQ==",
    'a YQ== YQ==', 'filename w5w', join(',', map { "k$_" } 1 .. 65)) {
    refused("metadata \"" . substr($m, 0, 20) . "\"", 400, 'InvalidArgument',
        post({ %one, 'Upload-Metadata' => $m }), qr/Upload-Metadata/);
}
refused('a name that is no text', 400, 'InvalidArgument', post({ %one,
    'Upload-Metadata' => metadata(filename => "a\nb") }), qr/filename/);
refused('a name that is no UTF-8', 400, 'InvalidArgument', post({ %one,
    'Upload-Metadata' => metadata(filename => "\xff") }), qr/filename/);
refused('a name that is too long', 400, 'InvalidArgument', post({ %one,
    'Upload-Metadata' => metadata(filename => 'x' x 1025) }),
    qr/filename is too long/);

# --- signed parameters -------------------------------------------------------
refused('another type', 400, 'InvalidRequest', post({ %one,
    'Upload-Metadata' => metadata(filetype => 'text/plain') },
    query => { 'reel-type' => 'video/mp4' }), qr/reel-type/);
refused('no type', 400, 'InvalidRequest', post({ %one, 'Content-Type' =>
    'video/mp4' }, query => { 'reel-type' => 'video/mp4' }));
refused('a slip of the pen', 400, 'InvalidArgument',
    post(\%one, query => { 'reel-max-byte' => 1 }));
refused('no such pipeline', 400, 'InvalidArgument',
    post(\%one, query => { 'reel-pipeline' => 'nope' }));

# --- follow-ups --------------------------------------------------------------
for my $u ('0' x 32, 'x', '', '0' x 31, '0' x 33, 'A' x 32, ('0' x 32) . '/x',
    '..%2f..%2fx') {
    for my $m (qw(HEAD PATCH DELETE)) {
        my $r = tus($t, $m, "/upload/video/.uploads/$u", headers => {
            %typed, 'Upload-Offset' => 0 });
        is($r->{status}, 404, "$m of \"$u\"");
        ok(!defined $r->{headers}{'upload-offset'}, 'no offset');
    }
}
my $url = create($t, 1000);
(my $other = $url) =~ s/video/second/;
has_status(tus($t, 'DELETE', $other), 404, 'NoSuchUpload',
    'below another bucket');
@id = $t->files('uploads');
refused('PATCH without a version', 412, 'UnsupportedVersion', tus($t, 'PATCH',
    $url, body => 'x', headers => { %typed, 'Upload-Offset' => 0,
    'Tus-Resumable' => undef }));
refused('DELETE of another version', 412, 'UnsupportedVersion',
    tus($t, 'DELETE', $url, headers => { 'Tus-Resumable' => '2.0.0' }));
is(offset($t, $url), 0, 'still there');

# --- limits that bind what follows ----------------------------------------------
my $d = create($t, undef, headers => { 'Upload-Defer-Length' => 1 },
    query => { 'reel-max-bytes' => 10 });
my $r = patch($t, $d, 0, 'x' x 11);
has_status($r, 413, 'EntityTooLarge', 'a signed limit binds what follows');
like($r->{body}, qr/reel-max-bytes allows: at most 10 bytes, 10 more/,
    'and is named');
has_status(patch($t, $d, 0, 'x', 'Upload-Length' => 11), 413,
    'EntityTooLarge', 'and the length told later');
has_status(patch($t, $d, 0, 'x' x 10, 'Upload-Length' => 10), 204, undef,
    'up to it');

# --- a signed hash, an id that is taken -----------------------------------------
$r = tus($t, 'POST', presign($t, 'POST', $P, query => {
    'reel-sha256' => '0' x 64 }), body => 'abc', headers => { %typed,
    'Upload-Length' => 3 });
has_status($r, 400, 'XAmzContentSHA256Mismatch', 'not the signed bytes');
my $q = { 'reel-asset' => '01m842w7mgk41a9desm65b90ee' };
my @two = map { create($t, 3, query => $q) } 1 .. 2;
has_status(patch($t, $two[0], 0, 'abc'), 204, undef, 'the first has the id');
$r = patch($t, $two[1], 0, 'abc');
has_status($r, 400, 'OperationAborted', 'the second cannot');
has_status(patch($t, $two[0], 3, ''), 204, undef, 'the first still stands');
has_status(post(\%one, query => $q), 400, 'OperationAborted',
    'a third is not even created');
my $part = create($t, 1, query => $q, headers => {
    'Upload-Concat' => 'partial' });
has_status(patch($t, $part, 0, 'x'), 204, undef, 'a partial one is');
has_status(post({ 'Upload-Concat' => "final;$part" }, query => $q), 400,
    'InvalidRequest', 'but not its whole');

unlike($t->log, qr/\[(emerg|crit)\]|\[(error|alert)\].* reel:/,
    'nothing in the log');

done_testing();
