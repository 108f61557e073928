# what gives a right at one door gives none at another
use strict;
use warnings;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep);
use lib 't/lib';
use Ietf;
use Reel;
use S3;
use Tus ();

my $t = Reel->new(workers => 2, conf => 'location /upload/ { reel_upload; }
    location /short/ { reel_upload; reel_upload_expires 1s; }');
my $key = '/upload/video/a.mp4';
my $id = xml(s3($t, 'POST', "$key?reel-max-bytes=10&uploads"), 'UploadId');

sub uploads { return join ' ', sort grep { m{/upload\.json\z} }
    $t->files('uploads') }
my $one = uploads();

# --- a URL for a part, or for the end, creates nothing -----------------------
my %ietf = ('Upload-Complete' => '?0', 'Upload-Draft-Interop-Version' => 8);
for my $q ({ partNumber => 1, uploadId => $id }, { uploadId => $id },
    { partNumber => 1 }, { uploads => '' }) {
    my $name = join ' and ', sort keys %$q;
    for my $m (qw(PUT POST)) {
        has_status(ask($t, $m, presign($t, $m, $key, query => $q), 'x' x 100,
            %ietf), 400, 'InvalidArgument', "$m as of the IETF: $name");
    }
    has_status(Tus::tus($t, 'POST', presign($t, 'POST', $key, query => $q),
        body => '', headers => { 'Upload-Length' => 100 }), 400,
        'InvalidArgument', "POST as of tus: $name");
}
(my $hidden = presign($t, 'PUT', $key, query => { partNumber => 1,
    uploadId => $id })) =~ s/uploadId/%75ploadId/;
has_status(http($t, 'PUT', $hidden, body => 'x' x 100), 413, 'EntityTooLarge',
    'a name in escapes is that part');
has_status(http($t, 'PUT', $hidden, body => 'x' x 100, headers => \%ietf), 400,
    'InvalidArgument', 'and nothing else');
is(uploads(), $one, 'and none was made');

# --- an upload's URL is its own door's, and asks nobody else to leave ----------
my $free = s3_create($t, $key);
my $part = signed_headers($t, 'PUT', "$key?partNumber=1&uploadId=$free");
my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}");
print $s "PUT $key?partNumber=1&uploadId=$free HTTP/1.1\r\nHost: "
    . "127.0.0.1:$t->{port}\r\nConnection: close\r\nContent-Length: 2000\r\n"
    . join('', map { "$_: $part->{$_}\r\n" } keys %$part) . "\r\n" . 'x' x 1000;
sleep 0.2;
my $of = "/upload/video/.uploads/$free";
for my $m (qw(HEAD PATCH DELETE)) {
    my $n = $m eq 'PATCH' ? 'y' : undef;
    has_status(Tus::tus($t, $m, $of, body => $n, headers => {
        'Content-Type' => $Tus::TYPE, 'Upload-Offset' => 0 }), 404, undef,
        "$m as of tus of a multipart upload");
    has_status(ask($t, $m, $of, $n, 'Upload-Draft-Interop-Version' => 8,
        $n ? ('Upload-Offset' => 0, 'Upload-Complete' => '?0', 'Content-Type'
        => 'application/partial-upload') : ()), 404, undef,
        "$m as of the IETF");
}
print $s 'x' x 1000;
like(do { local $/; <$s> } // '', qr{^HTTP/1.1 200 }, 'the part comes whole');

# --- what has expired is so at each of them -------------------------------------
my $short = '/short/video/a.mp4';
my $tus = Tus::create($t, 10, path => '/short/video/');
my @parts = map { s3_create($t, $short) } 1 .. 3;
my $etag = s3_part($t, $short, $parts[1], 1, 'x')->{headers}{etag};
my @ietf = map { ask($t, 'POST', presign($t, 'POST', '/short/video/'), 'abc',
    %ietf)->{headers}{location} } 1 .. 3;
my %more = (%ietf, 'Upload-Offset' => 3,
    'Content-Type' => 'application/partial-upload');
has_status(ask($t, 'PATCH', $ietf[0], 'd', %more), 204, undef, 'in time');
sleep 1.3;
has_status(ask($t, 'PATCH', $ietf[0], 'e', %more, 'Upload-Offset' => 4), 404,
    undef, 'expired: an append');
has_status(ask($t, 'HEAD', $ietf[1], undef), 404, undef, 'expired: HEAD');
has_status(ask($t, 'DELETE', $ietf[2], undef), 404, undef, 'expired: DELETE');
has_status(s3_part($t, $short, $parts[0], 1, 'x'), 404, 'NoSuchUpload',
    'expired: a part');
has_status(s3_complete($t, $short, $parts[1], [ 1, $etag ]), 404,
    'NoSuchUpload', 'expired: its completion');
has_status(s3($t, 'DELETE', "$short?uploadId=$parts[2]"), 404, 'NoSuchUpload',
    'expired: its abort');
has_status(Tus::patch($t, $tus, 0, 'x'), 410, 'UploadExpired', 'expired: tus');
for my $u (@ietf, $tus, @parts[1, 2]) {
    my ($of) = $u =~ m{([^/]+)$};
    ok(!-e "$t->{dir}/store/uploads/$of/data", 'its bytes are gone');
}

# --- what has no key is the newest of none --------------------------------------
my $was = () = $t->files('names');
for my $h (\%ietf, { %ietf, 'Upload-Complete' => '?1' }) {
    my $r = ask($t, 'POST', presign($t, 'POST', '/upload/video/'), 'abc', %$h);
    my ($u) = sort { -M "$t->{dir}/store/$a" <=> -M "$t->{dir}/store/$b" }
        grep { m{/upload\.json\z} } $t->files('uploads');
    my $facts = json(slurp("$t->{dir}/store/$u"));
    is($facts->{key}, undef, 'below a bucket there is no key');
    like(slurp("$t->{dir}/store/$u"), qr/"name": ?"upload"/,
        'and a name all the same');
}
is(scalar(() = $t->files('names')), $was, 'no name is written');

unlike($t->log, qr/\[(emerg|crit)\]|\[(error|alert)\].* reel:/,
    'nothing in the log');

done_testing();
