# what became of uploads, in the event stream of Redis
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep);
use lib 't/lib';
use Reel;
use S3;
use Tus;

my $t = Reel->new(redis => 1, conf => '
    location /upload/ { reel_upload; }
    location /short/  { reel_upload; reel_upload_expires 1s; }
    location /api/    { reel_api; }');

# events of an upload that a Reel told Redis, in their order
sub told {
    my ($t, $upload) = @_;
    my @f = split /\n/, $t->redis('XRANGE', 'reel1:{r0}:events', '-', '+'), -1;
    my @all;
    while (@f) {
        my ($id, %e) = splice @f, 0, $f[1] eq 'job' ? 9 : 11;
        push @all, \%e if ($e{upload} // '') eq $upload;
    }
    return @all;
}

sub states { return join ' ', map { $_->{state} } told(@_); }

sub hears {
    my ($id, $want, $name, $of) = @_;
    my $got = '';
    eval { wait_for(sub { ($got = states($of // $t, $id)) eq $want }, $name,
        5) };
    is($got, $want, $name);
}

sub id { return $_[0] =~ m{([0-9a-f]{32})$} ? $1 : die "no id: $_[0]"; }

# --- to its end --------------------------------------------------------------
my $url = create($t, 6);
hears(id($url), 'open', 'tus: open');
patch($t, $url, 0, 'abc');
my $asset = patch($t, $url, 3, 'def')->{headers}{'reel-asset'};
tus($t, 'HEAD', $url) for 1 .. 3;
patch($t, $url, 6, '');
hears(id($url), 'open complete', 'complete: once, whoever asks again');
is_deeply([ told($t, id($url)) ]->[1], { upload => id($url),
    asset => $asset, project => 'default', door => 'tus',
    state => 'complete' }, 'what an event holds');

my ($multi) = s3_create($t, '/upload/video/m');
my $part = s3_part($t, '/upload/video/m', $multi, 1, 'x' x 100);
s3_complete($t, '/upload/video/m', $multi, [ 1, $part->{headers}{etag} ]);
hears($multi, 'open complete', 'multipart');

# its id is nobody's, but the stream tells of it
http($t, 'PUT', presign($t, 'PUT', '/upload/video/put'), body => 'abc');
my ($put) = $t->redis('XREVRANGE', 'reel1:{r0}:events', '+', '-', 'COUNT',
    50) =~ /upload\n([0-9a-f]{32})\nasset\n[^\n]*\nproject\ndefault\ndoor\nput/;
hears($put, 'open complete', 'PutObject');

# --- given up ----------------------------------------------------------------
$url = create($t, 6);
tus($t, 'DELETE', $url) for 1 .. 2;
hears(id($url), 'open aborted', 'DELETE, twice');

$url = create($t, 6);
http($t, 'DELETE', presign($t, 'DELETE', '/api/uploads/' . id($url)));
hears(id($url), 'open aborted', 'DELETE of the API');

($multi) = s3_create($t, '/upload/video/m');
s3($t, 'DELETE', "/upload/video/m?uploadId=$multi");
hears($multi, 'open aborted', 'AbortMultipartUpload');

my $sum = '0' x 64;
$url = create($t, 3, query => { 'reel-sha256' => $sum });
patch($t, $url, 0, 'abc');
hears(id($url), 'open aborted', 'not what was signed');

raw($t, 'PUT ' . presign($t, 'PUT', '/upload/video/cut') . " HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$t->{port}\r\nContent-Length: 100\r\n\r\nabc",
    cut => 1);
wait_for(sub { $t->redis('XREVRANGE', 'reel1:{r0}:events', '+', '-', 'COUNT',
    1) =~ /door\nput\nstate\naborted/ }, 'a PutObject that is cut');
pass('a PutObject that is cut');

$url = create($t, 6, path => '/short/video/');
sleep 1.1;
patch($t, $url, 0, 'abc');
hears(id($url), 'open expired', 'its time is over');

# --- without Redis -----------------------------------------------------------
$t->redis_stop;
$url = create($t, 3);
has_status(patch($t, $url, 0, 'abc'), 204, undef, 'an upload without Redis');
unlike($t->log, qr/\[(alert|emerg)\]|exited on signal/, 'a calm log');

done_testing();
