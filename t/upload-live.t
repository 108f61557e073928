# an upload goes on over a reload, costs flat memory, and a full disk is told
use strict;
use warnings;
use Digest::SHA;
use IO::Socket::INET;
use Test::More;
use lib 't/lib';
use Reel;

my $t = Reel->new(workers => 2);

sub rss {
    my ($pid) = @_;
    my ($kb) = Reel::slurp("/proc/$pid/status") =~ /^VmRSS:\s+(\d+)/m;
    return $kb;
}

# a reload in the middle: the old worker ends what it began
my $half = 'r' x 2_000_000;
my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}");
print $s 'PUT ' . presign($t, 'PUT', '/upload/video/r.mp4') . " HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$t->{port}\r\nContent-Length: 4000000\r\n"
    . "Connection: close\r\n\r\n$half";
my @old = sort $t->workers;
$t->reload;
wait_for(sub { (grep { my $p = $_; !grep { $_ == $p } @old } $t->workers) == 2 },
    'new workers');
print $s $half;
my $in = do { local $/; <$s> };
like($in, qr{^HTTP/1.1 200 }, 'the upload begun before the reload ends well');
my ($id) = $in =~ /reel-asset: (\S+)/;
is(-s "$t->{dir}/store/assets/" . substr($id, -2) . "/$id/source", 4000000,
    'with all its bytes');
wait_for(sub { !grep { kill 0, $_ } @old }, 'the old workers leave');
pass('the old workers leave');

# 128 MiB: memory stays flat, and the bytes are right
my $chunk = join '', map { pack 'N', $_ * 2654435761 % 4294967296 } 1 .. 262144;
my $sum = Digest::SHA->new(256);
my %before = map { $_ => rss($_) } $t->workers;
$s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}");
print $s 'PUT ' . presign($t, 'PUT', '/upload/video/big.mp4') . " HTTP/1.1\r\n"
    . "Host: 127.0.0.1:$t->{port}\r\nContent-Length: "
    . 128 * length($chunk) . "\r\nConnection: close\r\n\r\n";
my $grown = 0;
for (1 .. 128) {
    print $s $chunk;
    $sum->add($chunk);
    for my $pid (keys %before) {
        my $g = rss($pid) - $before{$pid};
        $grown = $g if $g > $grown;
    }
}
$in = do { local $/; <$s> };
like($in, qr{^HTTP/1.1 200 }, '128 MiB');
($id) = $in =~ /reel-asset: (\S+)/;
is(Digest::SHA->new(256)->addfile("$t->{dir}/store/assets/" . substr($id, -2)
    . "/$id/source")->hexdigest, $sum->hexdigest, 'the bytes are right');
cmp_ok($grown, '<=', 10 * 1024, "a worker grew by $grown KiB, at most 10 MiB");

# a full disk
SKIP: {
    skip 'a small tmpfs needs root', 6 if $> != 0;
    mkdir "$t->{dir}/small";
    skip 'tmpfs cannot be mounted here', 6
        if system("mount -t tmpfs -o size=2m,mode=777 tmpfs $t->{dir}/small "
            . '2>/dev/null') != 0;
    my $f = eval {
        my $full = Reel->new(conf => "location /upload/ { reel_upload;
            reel_store $t->{dir}/small; }");
        my $r = http($full, 'PUT', presign($full, 'PUT', '/upload/video/f'),
            body => 'f' x 3_000_000);
        has_status($r, 507, 'InsufficientStorage', 'a known length');
        my $body = 'f' x 3_000_000;
        $r = http($full, 'PUT', presign($full, 'PUT', '/upload/video/g'),
            body => sprintf("%x\r\n%s\r\n0\r\n\r\n", length $body, $body),
            headers => { 'Transfer-Encoding' => 'chunked' });
        has_status($r, 507, 'InsufficientStorage', 'an unknown length');
        my @left = grep { -f } glob "$t->{dir}/small/uploads/*/*";
        is_deeply(\@left, [], 'nothing staged is left');
        $r = http($full, 'PUT', presign($full, 'PUT', '/upload/video/h'),
            body => 'h' x 1000);
        has_status($r, 200, undef, 'and a small one fits');
        1;
    };
    my $err = $@;
    system("umount -l $t->{dir}/small");
    die $err if !$f;
}

# stock location names: without a trailing slash, and a nested one
my $n = Reel->new(conf => 'location /up { reel_upload; }');
my $r = http($n, 'PUT', presign($n, 'PUT', '/up/video/n.mp4'), body => 'n');
has_status($r, 200, undef, 'a location without its last slash');

done_testing();
