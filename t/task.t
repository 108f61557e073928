#!/usr/bin/perl

# store work in the thread pool: what it holds
use strict;
use warnings;
use Test::More;
use lib 't/lib';
use Reel;

my $t = Reel->new(conf => '
    location /upload/ { reel_upload; reel_upload_buffer 4k; }');


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
cmp_ok($grown, '<', 1024, "24,576 tasks: the worker grew by $grown KiB");

unlike($t->log, qr/exited on signal|\[alert\]/, 'no crash');

done_testing;
