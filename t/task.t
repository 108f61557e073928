#!/usr/bin/perl

# store work in the thread pool: what it holds, and what it must not hold up
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_RCVBUF inet_aton pack_sockaddr_in);
use Test::More;
use Time::HiRes qw(sleep time);
use lib 't/lib';
use Reel;

my $t = Reel->new(redis => 1, idle => 1,
    main => 'thread_pool default threads=1;');
my $small = Reel::free_port();
$t->{o}{conf} = "listen 127.0.0.1:$small sndbuf=16k;
    location /upload/ { reel_upload; reel_upload_buffer 4k; }
    location /api/ { reel_api; }";
$t->nginx_start;


sub peak {
    my ($pid) = $t->workers;
    my ($kb) = slurp("/proc/$pid/status") =~ /^VmHWM:\s+(\d+)/m;
    return $kb;
}


sub put {
    my ($name, $bytes) = @_;
    my $r = http($t, 'PUT', presign($t, 'PUT', "/upload/video/$name"),
        body => 'x' x $bytes);
    has_status($r, 200, undef, "the upload $name");
    return $r->{headers}{'reel-asset'};
}


# an upload of many tasks, one buffer after the other
put('warm', 1 << 20);
my $before = peak();
put('long', 96 << 20);
my $grown = peak() - $before;
SKIP: {
    skip 'the sanitizer keeps freed memory', 1 if $ENV{REEL_PRELOAD};
    cmp_ok($grown, '<', 1024, "24,576 tasks: the worker grew by $grown KiB");
}

# An event larger than the socket takes; then the only thread is busy, with
# the stream's own look at the store behind the others, and the client reads.
my $slow = put('slow', 10);
my $dir = "$t->{dir}/store/assets/" . substr($slow, -2) . "/$slow";
spew("$dir/result.json", '{"asset":"' . $slow . '","publication":1,'
    . '"ready":false,"completed_ms":1,"duration_ms":0,"renditions":[],'
    . '"code":"X","stage":"x","detail":"","log":"","retryable":false,"more":['
    . join(',', map { "\"$_\"" } 1 .. 90_000) . ']}');
my $show = "GET /api/assets/$slow HTTP/1.1\r\nHost: a\r\n"
    . 'Authorization: Bearer ' . Reel::jwt() . "\r\nConnection: close\r\n\r\n";
my $begun = time;
for (1 .. 10) {
    like(raw($t, $show), qr/^HTTP\/1.1 200 /, 'a slow load') or last;
}
my $each = (time - $begun) / 10;

my $id = put('watched', 10);
wait_for(sub { $t->redis('EXISTS', "reel1:{r0}:progress:$id.1") eq '1' },
    'the job is queued');
$t->redis('HSET', "reel1:{r0}:progress:$id.1",
    map { ('total:' . 'r' x 56 . "-$_", 10) } 1000 .. 3999);

# what of the event came while $n others kept the thread busy, and how many of
# them still waited by then
sub watched_beside {
    my ($n) = @_;
    socket my $s, Socket::PF_INET(), Socket::SOCK_STREAM(), 0 or die $!;
    setsockopt $s, SOL_SOCKET, SO_RCVBUF, 16384 or die $!;
    connect $s, pack_sockaddr_in($small, inet_aton('127.0.0.1')) or die $!;
    syswrite $s, "GET /api/assets/$id/events HTTP/1.1\r\nHost: a\r\n"
        . 'Authorization: Bearer ' . Reel::jwt() . "\r\n\r\n";
    sleep 1;

    my @busy = map { my $c = IO::Socket::INET->new(
        PeerAddr => "127.0.0.1:$t->{port}"); syswrite $c, $show; $c } 1 .. $n;
    sleep 2.3;
    my $left = grep { !IO::Select->new($_)->can_read(0) } @busy;

    my ($in, $end) = ('', time + 8);
    my $sel = IO::Select->new($s);
    while ($in !~ /\n\n/ && time < $end) {
        next if !$sel->can_read(0.2);
        last if !sysread $s, $in, 65536, length $in;
        # no header's empty line
        $in =~ s/\A.*?\r\n\r\n//s;
    }
    return ($left, $in);
}

# how long a load takes changes with what else runs here: more, until they
# keep it busy
my ($left, $in, $n) = (0, '', int(4 / $each) + 1);
$n = 250 if $n > 250;
for (; !$left && $n <= 1000; $n *= 2) {
    ($left, $in) = watched_beside($n);
}
SKIP: {
    skip 'the thread could not be kept busy', 2 if !$left;
    cmp_ok(length $in, '>', 180_000, 'the event comes');
    ok($in =~ /\n\n/, 'to its end, though the stream looks at the store');
}

unlike($t->log, qr/exited on signal|\[alert\]/, 'no crash');

done_testing;
