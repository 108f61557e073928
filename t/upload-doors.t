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

my $t = Reel->new(workers => 2);
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

unlike($t->log, qr/\[(emerg|crit)\]|\[(error|alert)\].* reel:/,
    'nothing in the log');

done_testing();
