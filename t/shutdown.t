# requests that nginx itself ends: worker_shutdown_timeout, send and body
# timeouts, a worker killed; nothing crashes, nothing half stands
use strict;
use warnings;
use Test::More;
use lib 't/lib';
use Reel;

my $t = Reel->new(redis => 1, main => 'worker_shutdown_timeout 1s;',
    conf => 'location /upload/ { reel_upload; client_body_timeout 1s; }
        location /patient/ { reel_upload; }
        location /api/ { reel_api; }');

sub begin {
    my ($target, $len, $body) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}")
        or die $!;
    print $s "$target HTTP/1.1\r\nHost: 127.0.0.1:$t->{port}\r\n"
        . ($len ? "Content-Length: $len\r\n" : '') . "\r\n" . ($body // '');
    return $s;
}

# uploads under way
sub staged { my %u = map { m{uploads/([^/]+)/} ? ($1 => 1) : () }
    $t->files('uploads'); return scalar keys %u }

# a client that stops sending
my $s = begin('PUT ' . presign($t, 'PUT', '/upload/video/t'), 3_000_000,
    'x' x 2_000_000);
wait_for(sub { staged() == 1 }, 'it is staged');
my $in = do { local $/; <$s> };
is($in // '', '', 'client_body_timeout closes');
wait_for(sub { staged() == 0 }, 'and what is staged goes');
pass('and what is staged goes');

# a reload that waits no longer: every kind of request is cut
my $put = http($t, 'PUT', presign($t, 'PUT', '/patient/video/e'), body => 'e');
my $id = $put->{headers}{'reel-asset'};
my @cut = map { begin('PUT ' . presign($t, 'PUT', "/patient/video/c$_"),
    3_000_000, 'x' x $_) } 0, 1, 100_000, 1_048_576, 2_500_000;
push @cut, begin('GET ' . presign($t, 'GET', "/api/assets/$id/events"));
push @cut, begin('POST ' . presign($t, 'POST', '/api/uploads'), 100, '{');
wait_for(sub { staged() >= 5 }, 'five are staged');
my @old = $t->workers;
$t->reload;
wait_for(sub { !grep { kill 0, $_ } @old }, 'the old worker leaves', 10);
pass('worker_shutdown_timeout is kept');
wait_for(sub { staged() == 0 }, 'nothing staged is left');
pass('nothing staged is left');
is(scalar(grep { /source$/ } $t->files('assets')), 1, 'no asset of them');

# the other way: a worker killed leaves bytes, and the retry is taken
my $target = presign($t, 'PUT', '/patient/video/k');
$s = begin("PUT $target", 3_000_000, 'x' x 2_000_000);
wait_for(sub { staged() == 1 }, 'staged');
kill 'KILL', $t->workers;
wait_for(sub { $t->log =~ /exited on signal 9/ }, 'killed');
$put = wait_for(sub { my $r = eval { http($t, 'PUT', $target, body => 'k') };
    $r && $r->{status} ? $r : undef }, 'a new worker');
has_status($put, 200, undef, 'the retry after a killed worker');

is(scalar(() = $t->log =~ /exited on signal/g), 1, 'no worker crashed');
# nginx's own words for requests that the timeout cut
unlike($t->log, qr/\[(crit|emerg)\]|count is zero|already closed/,
    'and none was confused');

done_testing();
