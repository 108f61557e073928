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

unlike($t->log, qr/\[(emerg|crit)\]|\[(error|alert)\].* reel:/,
    'nothing in the log');

done_testing();
