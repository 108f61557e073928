# tus over HTTP/2, by curl: an upload that another takes over and completes
# last: a deadline is measured, with slack for a busy machine
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Test::More;
use Time::HiRes qw(sleep time);
use lib 't/lib';
use Reel;
use Tus;

plan skip_all => 'this curl has no HTTP/2'
    if `curl --version 2>/dev/null` !~ /\bHTTP2\b/;

my $port = Reel::free_port();
my $t = Reel->new(workers => 2, conf => "listen 127.0.0.1:$port http2;
    location /upload/ { reel_upload; }");
my $body = join '', map { pack('N', $_) x 1000 } 1 .. 5000;
spew("$t->{dir}/body", $body);

# the answer's status and headers, of a request by curl's arguments
sub h2 {
    my ($url, @args) = @_;
    open my $p, '-|', 'curl', '-s', '-D', '-', '-o', "$t->{dir}/answer",
        '--http2-prior-knowledge', '-H', 'Tus-Resumable: 1.0.0', @args,
        "http://127.0.0.1:$port$url" or die $!;
    my ($line, @lines) = grep { !m{^HTTP/2 100} } <$p>;
    close $p;
    my %h = map { /^([^:]+):\s*(.*?)\r?\n/ ? (lc $1 => $2) : () } @lines;
    my ($status) = ($line // '') =~ m{^HTTP/2 (\d+)};
    return { status => $status // 0, headers => \%h, raw => "@lines" };
}

# signed for that port
my $at = { %$t, port => $port };
my $r = h2(presign($at, 'POST', '/upload/video/'), '-X', 'POST', '-H',
    'Upload-Length: 20000000');
has_status($r, 201, undef, 'creation');
my $url = $r->{headers}{location};
my @patch = ('-X', 'PATCH', '-H', "Content-Type: $Tus::TYPE", '-T');

my $pid = fork;
if (!$pid) {
    h2($url, '--limit-rate', '5M', @patch, "$t->{dir}/body", '-H',
        'Upload-Offset: 0');
    require POSIX;
    POSIX::_exit(0);
}
sleep 1.2;

my $begin = time;
$r = h2($url, '-I');
cmp_ok(time - $begin, '<', 3, 'HEAD takes over');
has_status($r, 200, undef, 'HEAD');
my $offset = $r->{headers}{'upload-offset'};
cmp_ok($offset, '>', 1_000_000, 'some of it came');
cmp_ok($offset, '<', 20_000_000, 'and not all');
waitpid $pid, 0;

spew("$t->{dir}/rest", substr $body, $offset);
$r = h2($url, @patch, "$t->{dir}/rest", '-H', "Upload-Offset: $offset");
has_status($r, 204, undef, 'PATCH');
is(sha256_hex(slurp(asset_source($t, $r->{headers}{'reel-asset'}))),
    sha256_hex($body), 'the right bytes');

# its length is in no header
spew("$t->{dir}/few", 'abcdef');
$url = create($t, 6);
open STDIN, '<', "$t->{dir}/few" or die $!;
$r = h2($url, @patch, '-', '-H', 'Upload-Offset: 0');
has_status($r, 204, undef, 'a body of unknown length');
is(slurp(asset_source($t, $r->{headers}{'reel-asset'})), 'abcdef',
    'all of it');
unlike($t->log, qr/\[(emerg|crit|alert)\]|\[error\].* reel:/,
    'nothing in the log');

done_testing();
