# what stands against another upload: the access key's quotas, and a disk that
# is nearly full
use strict;
use warnings;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use lib 't/lib';
use Reel;
use S3;
use Tus ();

my ($free) = (split ' ', (split /\n/, `df -B1 --output=avail /tmp`)[1])[0];
my $half = int($free / 2);

my @keys = map { { id => $_->[0], secret => $Reel::SECRET,
    project => 'default', buckets => ['video'], %{ $_->[1] } } }
    [ COUNT => { max_open_uploads => 3 } ],
    [ BYTES => { max_open_bytes => 1000 } ],
    [ BOTH => { max_open_uploads => 2, max_open_bytes => 20_000_000 } ],
    [ TWO => { max_open_uploads => 4 } ];
my $conf = "
    location /upload/ { reel_upload; }
    location /short/  { reel_upload; reel_upload_expires 1s; }
    location /full/   { reel_upload; reel_upload_min_free 8000000g; }
    location /half/   { reel_upload; reel_upload_min_free $half; }";
my $t = Reel->new(keys => \@keys, conf => $conf);

sub create {
    my ($t, $key, $length, %o) = @_;
    return Tus::tus($t, 'POST', presign($t, 'POST', $o{path}
        // '/upload/video/', key => $key), headers => { defined $length
        ? ('Upload-Length' => $length) : ('Upload-Defer-Length' => 1),
        %{ $o{headers} || {} } });
}

sub ietf {
    my ($t, $key, $path) = @_;
    return http($t, 'POST', presign($t, 'POST', $path // '/upload/video/i',
        key => $key), body => 'abc', headers => { 'Upload-Complete' => '?0',
        'Upload-Draft-Interop-Version' => 6 });
}

sub multi {
    my ($t, $key, $path) = @_;
    $path //= '/upload/video/m';
    return s3($t, 'POST', "$path?uploads", key => $key,
        secret => $Reel::SECRET);
}

# --- how many ----------------------------------------------------------------
my @open = map { create($t, 'COUNT', 10)->{headers}{location} } 1 .. 2;
like(ietf($t, 'COUNT')->{raw}, qr{^HTTP/1.1 201 }m, 'the third');
for my $c ([ 'tus', create($t, 'COUNT', 10) ], [ 'tus, no length',
    create($t, 'COUNT') ], [ 'IETF', ietf($t, 'COUNT') ],
    [ 'multipart', multi($t, 'COUNT') ])
{
    my ($name, $r) = @$c;
    has_status($r, 503, 'SlowDown', "$name: one too many");
    like($r->{body}, qr/max_open_uploads of the access key allows 3 open/,
        "$name: says which quota");
}
has_header(create($t, 'COUNT', 10), 'Access-Control-Allow-Origin', qr/^\*$/,
    'told to browsers too');
is(scalar(grep { /upload\.json$/ } $t->files('uploads')), 3, 'none was made');
has_status(http($t, 'PUT', presign($t, 'PUT', '/upload/video/put',
    key => 'COUNT'), body => 'x'), 200, undef, 'a PutObject leaves none open');
has_status(create($t, $Reel::KEY, 10), 201, undef, 'another key');
has_status(Tus::patch($t, $open[0], 0, '12345'), 204, undef,
    'those under way go on');
has_status(Tus::patch($t, $open[0], 5, '67890'), 204, undef, 'to their end');

# one that ended makes room, whatever its end
my $room = sub { wait_for(sub { my $r = create($t, 'COUNT', 10);
    $r->{status} == 201 && $r->{headers}{location} }, $_[0], 3) };
ok($open[0] = $room->('room'), 'complete: room for another');
is(create($t, 'COUNT', 10)->{status}, 503, 'and no more');
has_status(Tus::tus($t, 'DELETE', $open[0]), 204, undef, 'DELETE');
ok($room->('room'), 'aborted: room for another');
is(create($t, 'COUNT', 10)->{status}, 503, 'and no more');

# one after the other, each complete: never refused for long
for my $n (1 .. 12) {
    my $url = wait_for(sub { my $r = create($t, 'BOTH', 1);
        $r->{status} == 201 && $r->{headers}{location} }, 'a place', 2);
    Tus::patch($t, $url, 0, 'x');
}
pass('one after the other');

# --- how much ----------------------------------------------------------------
has_status(create($t, 'BYTES', 600), 201, undef, '600 of 1000 bytes');
my $r = create($t, 'BYTES', 401);
has_status($r, 503, 'SlowDown', '401 more');
like($r->{body}, qr/max_open_bytes of the access key allows 1000 bytes/,
    'says which quota');
like($r->{body}, qr/there are 600/, 'and what there is');
has_status($r = create($t, 'BYTES', 1001), 413, 'EntityTooLarge',
    'more than will ever do');
like($r->{body}, qr/max_open_bytes of the access key/, 'says which quota');
has_status($r = create($t, 'BYTES'), 201, undef,
    'of unknown length: as it grows');
my $grows = $r->{headers}{location};
has_status(create($t, 'BYTES', 400), 201, undef, 'to the brim');
has_status(create($t, 'BYTES', 1), 503, 'SlowDown', 'and no more');
has_status(Tus::patch($t, $grows, 0, 'x' x 5000), 204, undef,
    'what is under way is not cut');

# a multipart upload counts the parts that are here
is(multi($t, 'BOTH')->{status}, 200, 'multipart');
my $id = xml(multi($t, 'BOTH', '/upload/video/n'), 'UploadId');
ok($id, 'two of them');
has_status(multi($t, 'BOTH'), 503, 'SlowDown', 'a third');
for my $n (1 .. 4) {
    has_status(s3_part($t, '/upload/video/n', $id, $n, 'x' x 5_242_880,
        key => 'BOTH', secret => $Reel::SECRET), 200, undef, "part $n");
}

# what has expired is not open, whether it was swept or not
my $s = Reel->new(keys => \@keys, conf => $conf);
create($s, 'COUNT', 10, path => '/short/video/') for 1 .. 3;
has_status(create($s, 'COUNT', 10), 503, 'SlowDown', 'three in their time');
sleep 1.1;
has_status(create($s, 'COUNT', 10), 201, undef, 'and behind it');

# parts of a concatenation that only wait are no open uploads, but bytes
my @before;
my @part = map { my $u = create($s, 'TWO', 3, headers =>
    { 'Upload-Concat' => 'partial' })->{headers}{location};
    Tus::patch($s, $u, 0, 'abc'); $u } 1 .. 4;
$r = wait_for(sub { my $r = create($s, 'TWO', 10);
    $r->{status} == 201 && $r }, 'waiting parts', 3);
ok($r, 'parts that wait');
$r = Tus::tus($s, 'POST', presign($s, 'POST', '/upload/video/', key => 'TWO'),
    headers => { 'Upload-Concat' => "final;@part" });
has_status($r, 201, undef, 'the final one is not refused for its parts');

# … nor for their bytes, which are counted already, but for those it adds
sub final {
    my ($t, $key, $urls, $path) = @_;
    return Tus::tus($t, 'POST', presign($t, 'POST', $path // '/upload/video/',
        key => $key), headers => { 'Upload-Concat' => "final;$urls" });
}
@part = map { my $u = create($s, 'BYTES', 400, headers =>
    { 'Upload-Concat' => 'partial' })->{headers}{location};
    Tus::patch($s, $u, 0, 'x' x 400); $u } 1 .. 2;
has_status(final($s, 'BYTES', "@part"), 201, undef, '800 of 1000 bytes');
@before = grep { /upload\.json$/ } $s->files('uploads');
has_status($r = final($s, 'BYTES', "@part[0, 0, 1]"), 413, 'EntityTooLarge',
    'a part twice: more than will ever do');
create($s, 'BYTES', 100);
has_status($r = final($s, 'BYTES', "@part[0, 0]"), 503, 'SlowDown',
    'a part twice: more than there is room for now');
like($r->{body}, qr/max_open_bytes/, 'says which quota');
is(scalar(grep { /upload\.json$/ } $s->files('uploads')), 1 + @before,
    'none was made');

# nor does it begin to copy on a disk that is nearly full
$r = final($s, 'BYTES', "@part", '/full/video/');
has_status($r, 507, 'InsufficientStorage', 'a disk that is nearly full');
like($r->{body}, qr/\(reel_upload_min_free\)/, 'says why');
has_status(Tus::tus($s, 'HEAD', $part[0]), 200, undef, 'the parts stay');

# at once, in several threads of a worker
my @kids = map { my $pid = fork // die; if (!$pid) {
    create($s, 'BOTH', 1); POSIX::_exit(0) } $pid } 1 .. 12;
waitpid $_, 0 for @kids;
is(scalar(grep { slurp("$s->{dir}/store/$_") =~ /"access_key":"BOTH"/ }
    grep { /upload\.json$/ } $s->files('uploads')), 2, 'two of twelve at once');

# --- several workers know of each other within two seconds -------------------
my $two = Reel->new(workers => 2, keys => \@keys, conf => $conf);
create($two, 'TWO', 1) for 1 .. 10;
my $made = grep { /upload\.json$/ } $two->files('uploads');
cmp_ok($made, '>=', 4, 'four are let in');
cmp_ok($made, '<=', 8, 'and at most so many by each worker');
sleep 2.1;
create($two, 'TWO', 1) for 1 .. 10;
is(scalar(grep { /upload\.json$/ } $two->files('uploads')), $made,
    'none later');

# --- a disk that is nearly full ----------------------------------------------
my $url = create($t, $Reel::KEY, 10)->{headers}{location};
for my $c ([ 'tus', create($t, $Reel::KEY, 10, path => '/full/video/') ],
    [ 'IETF', ietf($t, $Reel::KEY, '/full/video/i') ],
    [ 'multipart', multi($t, $Reel::KEY, '/full/video/m') ],
    [ 'PutObject', http($t, 'PUT', presign($t, 'PUT', '/full/video/p'),
        body => 'x') ])
{
    my ($name, $r) = @$c;
    has_status($r, 507, 'InsufficientStorage', "$name: nothing new");
    like($r->{body}, qr/\(reel_upload_min_free\)/, "$name: says why");
}
$url =~ s{^/upload/}{/full/};
has_status(Tus::patch($t, $url, 0, '12345'), 204, undef,
    'what is under way goes on');
has_status($r = Tus::patch($t, $url, 5, '67890'), 204, undef, 'to its end');
ok($r->{headers}{'reel-asset'}, 'and is an asset');
$r = s3_part($t, '/full/video/n', $id, 5, 'x', key => 'BOTH',
    secret => $Reel::SECRET);
has_status($r, 507, 'InsufficientStorage', 'but a part, which is new');
like($r->{body}, qr/\(reel_upload_min_free\)/, 'and says why');
has_status(create($t, $Reel::KEY, int($free * 0.75), path => '/half/video/'),
    507, 'InsufficientStorage', 'the declared length counts');
has_status(create($t, $Reel::KEY, 10, path => '/half/video/'), 201, undef,
    'a small one does not');
has_status(create($t, $Reel::KEY, undef, path => '/half/video/'), 201, undef,
    'nor one of unknown length');

for ($t, $s, $two) {
    unlike($_->log, qr/\[(alert|crit|emerg)\]|exited on signal/,
        'a calm log');
    like($_->log, qr/\[info\].* is refused: max_open_/, 'which says why');
}
like($t->log, qr/\[warn\].* left for an upload of 10: reel_upload_min_free /,
    'and how much is left');

done_testing();
