#!/usr/bin/perl

# Turns of the event loop: what streams do in one is bounded, however many
# go on at once; and a worker that is to leave waits for those that wait.

use strict;
use warnings;
use lib 't/lib';
use Asset;
use Reel;
use Test::More;

my $t = Reel->new(workers => 1, conf => 'location /play/ { reel_play; }');
my $a = Asset->new($t, fragments => 3, renditions => ['v720:video:300000']);
my $url = $a->url('0.ts', 'v720', '3.ts');
my $bytes = http($t, 'GET', $url)->{body};
my $close = "Host: x\r\nConnection: close\r\n";

# a connection of which the worker has read all of this
sub begun {
    my ($more) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$t->{port}")
        or die $!;
    print $s "HEAD $url HTTP/1.1\r\nHost: x\r\n\r\n$more";
    local $/ = "\r\n\r\n";
    <$s> =~ /^HTTP\S+ 200 / or die 'HEAD';
    return $s;
}

sub rest { my ($s) = @_; local $/; return scalar <$s> }

# many at once
SKIP: {
    skip 'no strace', 3 if system('strace -V >/dev/null 2>&1')
        || system('strace -o /dev/null true 2>/dev/null');
    my ($worker) = $t->workers;
    my ($trace, $said) = map { "$t->{dir}/$_" } 'trace', 'said';
    my @s = map { begun("GET $url HTTP/1.1\r\n") } 1 .. 24;
    my $pid = fork // die $!;
    if ($pid == 0) {
        open STDERR, '>', $said or die $!;
        exec 'strace', '-s', 0, '-e', 'trace=epoll_wait,writev', '-o', $trace,
            '-p', $worker;
        exit 1;
    }
    wait_for(sub { -e $said && slurp($said) =~ /attached/ }, 'strace attaches');
    kill 'STOP', $worker;
    print $_ "$close\r\n" for @s;
    kill 'CONT', $worker;
    is(scalar(grep { substr(rest($_), -length $bytes) ne $bytes } @s), 0,
        'all of them are answered');
    kill 'INT', $pid;
    waitpid $pid, 0;

    my ($turn, $most, $all) = (0, 0, 0);
    for (split /\n/, slurp($trace)) {
        $turn = 0 if /^epoll_wait/;
        next if !/^writev.* = (\d+)$/;
        $turn += $1;
        $all += $1;
        $most = $turn if $turn > $most;
    }
    cmp_ok($all, '>=', @s * length $bytes, 'their bytes were traced');
    cmp_ok($most, '<=', 0.75 * 1024 * 1024, 'a turn sends half a MiB or so');
}

# a worker that is to leave
my $s = begun("GET $url HTTP/1.1\r\n$close");
my %old = map { $_ => 1 } $t->workers;
$t->reload;
wait_for(sub { grep { !$old{$_} } $t->workers }, 'new workers');
print $s "\r\n";
ok(substr(rest($s), -length $bytes) eq $bytes, 'it sends what it has begun');

done_testing;
