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

my $t = Reel->new(workers => 1,
    http => 'reel_master_keys master.json;', conf => '
    location /play/ { reel_play; }
    location /cenc/ { reel_play; reel_encryption cenc; }
    location /cbcs/ { reel_play; reel_encryption cbcs; }
    location /aes/  { reel_play; reel_encryption aes-128; }');
my $a = Asset->new($t, fragments => 6, object => 2,
    renditions => ['v720:video:900000']);
my $n = 0;
my @urls = map { $a->url("$_.ts", 'v720', '3.ts') } 0, 1;

# what is encrypted is read by threads into the buffer that is sent
for my $scheme (qw(cenc cbcs aes)) {
    my $list = http($t, 'GET', "/$scheme/$a->{id}/v720/media.m3u8")->{body};
    my ($folder) = $list =~ m{(v720~\w+)/0\.m4s};
    push @urls, map { "/$scheme/$a->{id}/$folder/$_.m4s" } 0, 1;
}

my @want = map { http($t, 'GET', $_)->{body} } @urls;
cmp_ok(length $_, '>', 2_000_000, 'a segment') for @want;

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
sub drop {
    for my $object ($a->objects('v720')) {
        system('dd', "of=" . $a->file("v720/$object"), 'oflag=nocache',
            'conv=notrunc,fdatasync', 'count=0', 'status=none');
    }
}

my @got = map { drop(); http($t, 'GET', $_)->{body} } @urls;
kill 'TERM', $pid;
waitpid $pid, 0;

ok($got[$_] eq $want[$_], "the same bytes of $urls[$_]") for 0 .. $#urls;

my @reads = grep { m{/v720/} } split /\n/, slurp($trace);
my @loop = grep { /^$worker / } @reads;
cmp_ok(scalar @loop, '>', 0, 'the loop read from the page cache');
is(join("\n", grep { !/RWF_NOWAIT/ } @loop), '', '… and never waited');
cmp_ok(scalar(grep { !/^$worker .*/ && /pread64/ } @reads), '>', 0,
    'threads read from the disk');

done_testing;
