#!/usr/bin/perl

# From a cold page cache: the event loop's thread never reads a file in a way
# that can wait; threads of the pool do.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;
use Time::HiRes qw(sleep);

plan skip_all => 'no strace' if system('strace -V >/dev/null 2>&1');

my $t = Reel->new(workers => 1, conf => 'location /play/ { reel_play; }');
my $a = Asset->new($t, fragments => 6, object => 2,
    renditions => ['v720:video:900000']);
my $n = 0;
my $want = join '', map { http($t, 'GET',
    $a->url("$_.ts", 'v720', '3.ts'))->{body} } 0, 1;

my ($worker) = $t->workers;
my $trace = "$t->{dir}/trace";
my $pid = fork // die $!;
if ($pid == 0) {
    exec qw(strace -f -qq -e), 'trace=read,pread64,preadv,preadv2,readv,'
        . 'sendfile', '-y', '-o', $trace, '-p', $worker;
}
sleep 0.1 until -e $trace || $n++ > 100;
sleep 0.3;

# what is dirty is not dropped
system 'sync';
for my $object ($a->objects('v720')) {
    system('dd', "of=" . $a->file("v720/$object"), 'oflag=nocache',
        'conv=notrunc,fdatasync', 'count=0', 'status=none');
}

my $got = join '', map { http($t, 'GET',
    $a->url("$_.ts", 'v720', '3.ts'))->{body} } 0, 1;
kill 'TERM', $pid;
waitpid $pid, 0;

ok($got eq $want, 'the same bytes');

my @reads = grep { m{/v720/} } split /\n/, slurp($trace);
my @loop = grep { /^$worker / } @reads;
cmp_ok(scalar @loop, '>', 0, 'the loop read from the page cache');
is(join("\n", grep { !/RWF_NOWAIT/ } @loop), '', '… and never waited');
cmp_ok(scalar(grep { !/^$worker .*/ && /pread64/ } @reads), '>', 0,
    'threads read from the disk');

done_testing;
